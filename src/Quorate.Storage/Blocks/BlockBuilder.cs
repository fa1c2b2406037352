using System.Buffers;
using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Blocks;

/// <summary>
/// Encodes rows, given in the order of their row keys, as the body of a <see cref="Block"/>.
/// </summary>
internal sealed class BlockBuilder(int restartInterval)
{
    /// <summary>A buffer that one large row has made larger than this is not kept for the next block.</summary>
    private const int KeptBytesMax = 1024 * 1024;

    private readonly List<int> _restarts = [];
    private ArrayBufferWriter<byte> _body = new();
    private byte[] _lastKey = [];
    private int _lastKeyLength;

    public int RowCount { get; private set; }

    /// <summary>What the body has grown to so far, in bytes.</summary>
    public int EncodedBytes => _body.WrittenCount + (sizeof(int) * (_restarts.Count + 1));

    /// <summary>The row key that was added last, in this block or one before.</summary>
    public ReadOnlySpan<byte> LastKey => _lastKey.AsSpan(0, _lastKeyLength);

    public void Add(ReadOnlySpan<byte> rowKey, in Row row)
    {
        bool isRestart = RowCount % restartInterval == 0;
        if (isRestart)
        {
            _restarts.Add(_body.WrittenCount);
        }

        int shared = isRestart ? 0 : rowKey.CommonPrefixLength(LastKey);
        ReadOnlySpan<byte> further = rowKey[shared..];
        Span<byte> to = _body.GetSpan(EncodedRow.HeaderBytesMax + further.Length + row.Value.Length);
        int header = EncodedRow.WriteHeader(to, shared, further.Length, row);
        further.CopyTo(to[header..]);
        row.Value.CopyTo(to[(header + further.Length)..]);
        _body.Advance(header + further.Length + row.Value.Length);
        RowCount++;
        Remember(rowKey, shared);
    }

    /// <summary>The whole body. It holds until the next <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        Invariant.Check(RowCount > 0, "a block holds a row");
        _restarts.Add(_restarts.Count);
        foreach (int restart in _restarts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_body.GetSpan(sizeof(int)), restart);
            _body.Advance(sizeof(int));
        }

        return _body.WrittenSpan;
    }

    public void Clear()
    {
        if (_body.Capacity > KeptBytesMax)
        {
            _body = new();
        }

        _body.ResetWrittenCount();
        _restarts.Clear();
        RowCount = 0;
    }

    private void Remember(ReadOnlySpan<byte> rowKey, int shared)
    {
        if (rowKey.Length > _lastKey.Length)
        {
            Array.Resize(ref _lastKey, rowKey.Length * 2);
        }

        rowKey[shared..].CopyTo(_lastKey.AsSpan(shared));
        _lastKeyLength = rowKey.Length;
    }
}
