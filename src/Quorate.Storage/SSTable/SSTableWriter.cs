using System.Buffers;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>Bytes of a file that are ready to be written.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SSTablePiece(long Offset, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// Makes a sorted file of rows that are added in the order of their row keys. It does no disk operation: its owner
/// takes what is ready (<see cref="Take"/>), writes it, and, after <see cref="Finish"/> and the last piece, makes file
/// and name durable before anything refers to it (pitfall S1).
/// <para>Invariants: the same rows, settings and salt give the same bytes. What waits to be taken is bounded by the
/// owner, who adds no more while <see cref="ReadyBytes"/> is above what it wants to hold.</para>
/// </summary>
public sealed class SSTableWriter
{
    /// <summary>The hashes lie in parts, so that nothing is copied as they become more.</summary>
    private const int HashesPerPart = 1024;

    /// <summary>The least that a writer with a row holds, beside the row, in bytes.</summary>
    internal const int MemoryBytesMin = HashesPerPart * sizeof(ulong);

    private readonly SSTableSettings _settings;
    private readonly SSTableIdentity _identity;
    private readonly BlockCipher? _cipher;
    private readonly BlockCodec _codec;
    private readonly BlockBuilder _block;
    private readonly SSTableIndex.Builder _index = new();
    private readonly LogIndex _createdAt;

    private ArrayBufferWriter<byte> _ready = new();
    private ArrayBufferWriter<byte> _taken = new();
    private long _takenTo;

    private readonly List<ulong[]> _hashes = [];
    private int _rows;
    private long _tombstones;
    private long _rowBytes;
    private ulong _versionMin = ulong.MaxValue;
    private ulong _versionMax;
    private long _expiryMin = long.MaxValue;
    private byte[] _smallest = [];

    /// <summary>The last row key of the block before the one that is being filled.</summary>
    private byte[] _before = [];

    /// <summary>The first row key of the block that is being filled.</summary>
    private byte[] _first = [];
    private bool _isFinished;

    /// <param name="createdAt">The applied index of the moment at which the file is begun.</param>
    /// <param name="cipher">
    /// Made for this file alone, with a new salt; null writes in clear. It stays the owner's.
    /// </param>
    public SSTableWriter(
        SSTableSettings settings, SSTableIdentity identity, LogIndex createdAt, BlockCipher? cipher = null)
    {
        _settings = settings;
        _identity = identity;
        _createdAt = createdAt;
        _cipher = cipher;
        _codec = new(identity, cipher);
        _block = new(settings.RestartInterval);
    }

    /// <summary>Rows added so far.</summary>
    public int Rows => _rows;

    /// <summary>Bytes that wait to be taken.</summary>
    public int ReadyBytes => _ready.WrittenCount;

    /// <summary>How long the file would be if it were finished now, about, in bytes.</summary>
    public long FileBytes => _isFinished
        ? _takenTo + ReadyBytes
        : _takenTo + ReadyBytes + _block.EncodedBytes + _index.EncodedBytes
            + FilterBytes + SSTableFooter.Bytes;

    /// <summary>
    /// The file has come to the limit (<see cref="SSTableSettings.BuildBytesMax"/>) and is to be finished.
    /// </summary>
    public bool IsFull => Guards.TablesAreCut && _rows > 0 && BuildBytes >= _settings.BuildLimitBytes;

    /// <summary>What the writer holds in memory, about, in bytes.</summary>
    public long MemoryBytes =>
        _ready.Capacity + _taken.Capacity + _block.EncodedBytes + _index.EncodedBytes
        + (_hashes.Count * (long)HashesPerPart * sizeof(ulong));

    /// <summary>
    /// What the file's end takes beside that for a while, about, in bytes: index and filter, and both again as they
    /// wait to be written and as they are read back.
    /// </summary>
    public long FinishBytes => 3 * (_index.EncodedBytes + FilterBytes);

    private long FilterBytes => _rows * (long)_settings.FilterBitsPerKey / 8;

    private long BuildBytes => (_rows * (long)sizeof(ulong)) + FilterBytes + _index.EncodedBytes;

    /// <summary>Adds a row, whose row key is above all added before. The row's hash is taken as it is.</summary>
    public void Add(ReadOnlySpan<byte> rowKey, in Row row)
    {
        Invariant.Check(!_isFinished, "a finished file takes no rows");
        Invariant.Check(!IsFull, "a file that is full takes no rows: it could not be opened");
        Invariant.Check(
            rowKey.Length > 0 && (_rows == 0 || rowKey.SequenceCompareTo(_block.LastKey) > 0),
            "rows are written in the order of their row keys");
        long rowBytes = rowKey.Length + (long)row.Value.Length;
        Invariant.Check(
            rowBytes + EncodedRow.HeaderBytesMax < BlockCodec.BodyBytesMax && rowKey.Length <= RowLimits.RowKeyBytesMax,
            "a row keeps the limits on rows");

        // A row that would make a block more than full begins one, so that a large row lies alone.
        if (_block.RowCount > 0 && _block.EncodedBytes + rowBytes > _settings.BlockBytes)
        {
            FinishBlock();
        }

        if (_block.RowCount == 0)
        {
            _first = rowKey.ToArray();
            _smallest = _rows == 0 ? _first : _smallest;
        }

        _block.Add(rowKey, row);
        Count(rowKey, row, rowBytes);
    }

    /// <summary>
    /// What is ready to be written. It holds, and stays unchanged, until the next call of this; so one write is under
    /// way at a time.
    /// </summary>
    public SSTablePiece Take()
    {
        _taken.ResetWrittenCount();
        if (_taken.Capacity > 4 * _settings.WritePieceBytes)
        {
            _taken = new();
        }

        (_ready, _taken) = (_taken, _ready);
        long offset = _takenTo;
        _takenTo += _taken.WrittenCount;
        return new(offset, _taken.WrittenMemory);
    }

    /// <summary>Ends the file; its last bytes are then ready. At least one row was added.</summary>
    public SSTableInfo Finish()
    {
        Invariant.Check(_rows > 0, "a sorted file holds a row");
        byte[] largest = _block.LastKey.ToArray();
        FinishBlock();
        _isFinished = true;

        MetaBlock index = Append(_index.Encode(), SSTableBlocks.Index, _settings.Compression);
        BloomFilter filter = BloomFilter.Of(_hashes, _rows, _settings.FilterBitsPerKey);
        MetaBlock filterAt = Append(filter.Bytes, SSTableBlocks.Filter, BlockCompression.None);
        var info = new SSTableInfo
        {
            Identity = _identity,
            FileBytes = 0,
            KeyId = _cipher?.KeyId ?? DataKey.NoId,
            BlockCount = _index.Count,
            Rows = _rows,
            Tombstones = _tombstones,
            RowBytes = _rowBytes,
            Smallest = _smallest,
            Largest = largest,
            VersionMin = new(_versionMin),
            VersionMax = new(_versionMax),
            ExpiryMin = _expiryMin == long.MaxValue ? 0 : _expiryMin,
            CreatedAt = _createdAt,
        };
        MetaBlock properties = Append(SSTableProperties.Encode(info), SSTableBlocks.Properties, BlockCompression.None);
        byte[] salt = _cipher is null ? new byte[BlockCipher.SaltBytes] : _cipher.Salt.ToArray();
        var footer = new SSTableFooter(_identity, info.KeyId, salt, index, filterAt, properties);
        _ready.Write(footer.Encode());
        _hashes.Clear();
        return info with { FileBytes = footer.FileBytes };
    }

    private MetaBlock Append(ReadOnlySpan<byte> body, ulong block, BlockCompression compression)
    {
        long offset = _takenTo + ReadyBytes;
        return new(offset, _codec.Seal(body, block, compression, _ready), body.Length);
    }

    private void FinishBlock()
    {
        ReadOnlySpan<byte> body = _block.Finish();
        if (body.Length > _settings.WritePieceBytes)
        {
            // What follows at the end of the file is small: for that the buffer must not double.
            _ready.GetSpan(body.Length + _settings.WritePieceBytes);
        }

        int stored = _codec.Seal(body, (ulong)_index.Count, _settings.Compression, _ready);
        _index.Add(stored, body.Length, _first, _before);
        _before = _block.LastKey.ToArray();
        _block.Clear();
    }

    private void Count(ReadOnlySpan<byte> rowKey, in Row row, long rowBytes)
    {
        if (_rows % HashesPerPart == 0)
        {
            _hashes.Add(new ulong[HashesPerPart]);
        }

        _hashes[^1][_rows++ % HashesPerPart] = KeyHash.Of(rowKey);
        _tombstones += row.IsTombstone ? 1 : 0;
        _rowBytes += rowBytes;
        _versionMin = Math.Min(_versionMin, row.Version.Packed);
        _versionMax = Math.Max(_versionMax, row.Version.Packed);
        _expiryMin = row.Expiry == 0 ? _expiryMin : Math.Min(_expiryMin, row.Expiry);
    }
}
