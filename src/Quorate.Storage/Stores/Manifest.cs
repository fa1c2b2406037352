using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Disk;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>A table as a manifest names it.</summary>
/// <param name="Number">Of its file's name.</param>
/// <param name="Identity">Whose it was when it was written: a table that was received keeps its own.</param>
/// <param name="Bytes">Its file's size.</param>
/// <param name="KeyId">Of the data key that it is encrypted with; zero when it is not.</param>
/// <param name="Continues">It continues the run of the table before it (<see cref="TableRuns"/>).</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ManifestTable(
    ulong Number, SSTableIdentity Identity, long Bytes, uint KeyId, bool Continues = false);

/// <summary>
/// What a partition store consists of at a checkpoint: tables, and what the rows in them stand for. So rows, applied
/// index and logged time become durable together (pitfalls R13, S3).
/// <para>As a file, little-endian: magic and version (4), length of all (4), partition (4), first and last slot (2
/// each), logged time (8), version of the last clear (8), length of the checkpoint's meta (4), meta (as
/// <see cref="CheckpointFormat"/> has it), number of tables (4), each, newest first: number (8), partition and number
/// of its identity (4 and 8), size (8), key id (4), 1 when it continues a run, else 0 (4); CRC32C of all before
/// (4).</para>
/// </summary>
internal sealed record Manifest
{
    private const int HeaderBytes = 36;
    private const int TableBytes = 36;
    private const int ChecksumBytes = 4;

    /// <summary>"QPM" and the version of the format, 2.</summary>
    private static readonly byte[] Magic = [(byte)'Q', (byte)'P', (byte)'M', 2];

    public required GroupId Partition { get; init; }

    public required SlotRange Slots { get; init; }

    /// <summary>The checkpoint that the tables hold.</summary>
    public required SnapshotMeta Meta { get; init; }

    /// <summary>The logged time of the checkpoint.</summary>
    public required HybridTime Time { get; init; }

    /// <summary>Users' rows with a lower version do not count.</summary>
    public required RowVersion ClearedAt { get; init; }

    /// <summary>Newest first.</summary>
    public required ManifestTable[] Tables { get; init; }

    /// <summary>The files' sizes together.</summary>
    public long TablesBytes => Tables.Sum(table => table.Bytes);

    /// <summary>The fewest bytes of which the length of a manifest can be told.</summary>
    public static int LengthPrefixBytes => 8;

    /// <summary>The length of a manifest of which these are the first bytes; -1 when they are of none.</summary>
    public static int LengthOf(ReadOnlySpan<byte> beginning) =>
        beginning.StartsWith(Magic) ? BinaryPrimitives.ReadInt32LittleEndian(beginning[4..]) : -1;

    public byte[] Encode()
    {
        byte[] meta = CheckpointFormat.EncodeMeta(Meta);
        byte[] bytes = new byte[HeaderBytes + meta.Length + 4 + (Tables.Length * TableBytes) + ChecksumBytes];
        Magic.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Partition.Value);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(12), Slots.First.Value);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(14), Slots.Last.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), Time.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), ClearedAt.Packed);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(32), meta.Length);
        meta.CopyTo(bytes, HeaderBytes);
        Span<byte> rest = bytes.AsSpan(HeaderBytes + meta.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest, Tables.Length);
        rest = rest[4..];
        foreach (ManifestTable table in Tables)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, table.Number);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[8..], table.Identity.Partition.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[12..], table.Identity.File);
            BinaryPrimitives.WriteInt64LittleEndian(rest[20..], table.Bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[28..], table.KeyId);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[32..], table.Continues ? 1u : 0);
            rest = rest[TableBytes..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(rest, Crc32C.Of(bytes.AsSpan(0, bytes.Length - ChecksumBytes)));
        return bytes;
    }

    /// <summary>Null when the bytes are not exactly those of a manifest.</summary>
    public static Manifest? TryDecode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes + 4 + ChecksumBytes || LengthOf(bytes) != bytes.Length)
        {
            return null;
        }

        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ChecksumBytes..]);
        int metaBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
        if ((Guards.CheckpointsAreVerified && checksum != Crc32C.Of(bytes[..^ChecksumBytes]))
            || metaBytes < 0
            || metaBytes > bytes.Length - HeaderBytes - 4 - ChecksumBytes)
        {
            return null;
        }

        SnapshotMeta? meta = CheckpointFormat.TryDecodeMeta(bytes.Slice(HeaderBytes, metaBytes));
        ReadOnlySpan<byte> rest = bytes[(HeaderBytes + metaBytes)..^ChecksumBytes];
        int count = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (meta is null || count < 0 || rest.Length - 4 != (long)count * TableBytes)
        {
            return null;
        }

        var tables = new ManifestTable[count];
        for (int i = 0; i < tables.Length; i++)
        {
            tables[i] = ReadTable(rest.Slice(4 + (i * TableBytes), TableBytes));
        }

        return new()
        {
            Partition = new(BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])),
            Slots = new(
                new(BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..])),
                new(BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]))),
            Meta = meta,
            Time = new(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..])),
            ClearedAt = new(BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..])),
            Tables = tables,
        };
    }

    private static ManifestTable ReadTable(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        new(
            new(BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[12..])),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[20..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]) != 0);
}
