using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>How a file of a test is written.</summary>
public enum SampleStyle
{
    Plain,
    Compressed,
    Encrypted,
    CompressedAndEncrypted,
}

/// <summary>Writes sorted files into memory, and opens and reads them as an owner does.</summary>
internal sealed class SampleFile
{
    public const string Name = "p7/12.sst";

    public static readonly SSTableIdentity Identity = new(new(7), 12);

    public static readonly DataKey Key = new(3, [.. Enumerable.Range(1, DataKey.KeyBytes).Select(i => (byte)(i * 7))]);

    public SampleFile(SampleStyle style, int blockBytes = 300, int restartInterval = 4)
    {
        IsEncrypted = style is SampleStyle.Encrypted or SampleStyle.CompressedAndEncrypted;
        bool isCompressed = style is SampleStyle.Compressed or SampleStyle.CompressedAndEncrypted;
        Settings = new()
        {
            BlockBytes = blockBytes,
            RestartInterval = restartInterval,
            ReadPieceBytes = 700,
            Compression = isCompressed ? BlockCompression.Snappy : BlockCompression.None,
        };
    }

    public bool IsEncrypted { get; }

    public SSTableSettings Settings { get; }

    public byte[] Bytes { get; set; } = [];

    public SSTableInfo? Info { get; private set; }

    public static KeyRing Ring(params DataKey[] keys)
    {
        var ring = new KeyRing();
        foreach (DataKey key in keys)
        {
            ring.Add(key);
        }

        return ring;
    }

    /// <param name="spoilHashOf">The number of a row that goes in with a wrong hash.</param>
    public SampleFile Write(
        IEnumerable<SampleRow> rows, SSTableIdentity? identity = null, byte saltByte = 9, int spoilHashOf = -1)
    {
        byte[] salt = new byte[BlockCipher.SaltBytes];
        salt.AsSpan().Fill(saltByte);
        using BlockCipher? cipher = IsEncrypted ? new BlockCipher(Key, salt) : null;
        var writer = new SSTableWriter(Settings, identity ?? Identity, new(77), cipher);
        var bytes = new List<byte>();
        foreach (SampleRow row in rows)
        {
            ulong hash = row.Row.Hash ^ (writer.Rows == spoilHashOf ? 1UL : 0);
            writer.Add(row.Key, new(row.Type, row.Version, row.Expiry, hash, row.Value));
            if (writer.ReadyBytes > 1000)
            {
                Take(writer, bytes);
            }
        }

        Info = writer.Finish();
        Assert.Equal(Info.FileBytes, writer.FileBytes);
        Take(writer, bytes);
        Bytes = [.. bytes];
        Assert.Equal(Info.FileBytes, Bytes.Length);
        return this;
    }

    public SSTableReader Open() => TryOpen(out string sentence) ?? throw new InvalidOperationException(sentence);

    public SSTableReader? TryOpen(out string sentence, KeyRing? keys = null, SSTableIdentity? identity = null)
    {
        var opening = new SSTableOpening(
            Name, Info!.FileBytes, identity ?? Identity, Settings, keys ?? (IsEncrypted ? Ring(Key) : null));
        while (opening.Wanted is DiskOperation wanted)
        {
            opening.Take(Run(wanted));
        }

        Assert.Equal(opening.Reader is null, opening.Failure is not null);
        sentence = opening.Failure ?? "";
        return opening.Reader;
    }

    /// <summary>Reads the file whole; the first sentence that says what is wrong, or nothing.</summary>
    public string Check(KeyRing? keys = null)
    {
        SSTableReader? reader = TryOpen(out string sentence, keys);
        if (reader is null)
        {
            return sentence;
        }

        using (reader)
        {
            return Problems(reader).FirstOrDefault("");
        }
    }

    public IReadOnlyList<string> Problems(SSTableReader reader)
    {
        var check = new SSTableStrictCheck(reader);
        while (check.Wanted is DiskOperation wanted)
        {
            check.Take(Run(wanted));
        }

        return check.Problems;
    }

    /// <summary>What a disk gives back.</summary>
    public DiskCompletion Run(DiskOperation operation)
    {
        int start = (int)Math.Min(operation.Offset, Bytes.Length);
        int length = Math.Min(operation.Length, Bytes.Length - start);
        return new(operation.Ticket, DiskStatus.Done, Bytes.AsMemory(start, length));
    }

    /// <summary>Reads all rows of a range; the sentence says why not.</summary>
    public List<SampleRow> ReadAll(SSTableReader reader, in RowRange range, out string sentence)
    {
        var rows = new List<SampleRow>();
        var cache = new BlockCache(16 << 20);
        cache.Register(reader);
        var cursor = new SSTableCursor(reader, cache);
        sentence = "";
        cursor.Start(range);
        while (cursor.State != CursorState.End)
        {
            if (cursor.State == CursorState.Row)
            {
                rows.Add(Copy(cursor));
                cursor.Next();
                continue;
            }

            DiskOperation read = reader.ReadBlock(cursor.ColdBlock);
            if (reader.Decode(cursor.ColdBlock, Run(read), out sentence) is not Block block)
            {
                return rows;
            }

            cache.Add(reader, cursor.ColdBlock, block);
            cursor.Resume();
        }

        return rows;
    }

    public static SampleRow Copy(IRowCursor cursor) => new(
        cursor.RowKey.ToArray(), cursor.Row.Type, cursor.Row.Version, cursor.Row.Expiry, cursor.Row.Value.ToArray());

    private static void Take(SSTableWriter writer, List<byte> bytes)
    {
        SSTablePiece piece = writer.Take();
        Assert.Equal(bytes.Count, piece.Offset);
        bytes.AddRange(piece.Bytes.Span);
        Assert.Equal(0, writer.ReadyBytes);
    }
}
