using System.Buffers;
using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Where a file's data blocks lie and where in the order each begins. Encoded as: number of blocks (4 bytes), then for
/// each the length as stored, the length of its body and the length of its first row key (a <see cref="Varint"/>
/// each), and that row key.
/// <para>The row key need not be a whole one: it is the shortest beginning of the block's first row key that is above
/// the last row key of the block before, so that long row keys do not fill the memory.</para>
/// <para>Invariants: the blocks lie one behind the other from the file's beginning; their row keys rise.</para>
/// </summary>
internal sealed class SSTableIndex
{
    private readonly long[] _offsets;
    private readonly int[] _bodyBytes;
    private readonly int[] _keyEnds;
    private readonly byte[] _keys;

    private SSTableIndex(long[] offsets, int[] bodyBytes, int[] keyEnds, byte[] keys)
    {
        _offsets = offsets;
        _bodyBytes = bodyBytes;
        _keyEnds = keyEnds;
        _keys = keys;
        foreach (int bytes in bodyBytes)
        {
            BodyBytesSum += bytes;
            BodyBytesMax = Math.Max(BodyBytesMax, bytes);
        }
    }

    public int Count => _bodyBytes.Length;

    /// <summary>Of all blocks together, as they are when they are read.</summary>
    public long BodyBytesSum { get; }

    /// <summary>Of the largest block.</summary>
    public int BodyBytesMax { get; }

    /// <summary>Where the data blocks end.</summary>
    public long End => _offsets[^1];

    /// <summary>What it takes in memory, in bytes.</summary>
    public int MemoryBytes => _keys.Length + (Count * (sizeof(long) + sizeof(int) + sizeof(int)));

    public long Offset(int block) => _offsets[block];

    public int StoredBytes(int block) => (int)(_offsets[block + 1] - _offsets[block]);

    public int BodyBytes(int block) => _bodyBytes[block];

    public ReadOnlySpan<byte> Key(int block)
    {
        int start = block == 0 ? 0 : _keyEnds[block - 1];
        return _keys.AsSpan(start, _keyEnds[block] - start);
    }

    /// <summary>The only block that can hold a row key; -1 when it stands before all of them.</summary>
    public int Find(ReadOnlySpan<byte> rowKey)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            bool isBefore = Key(middle).SequenceCompareTo(rowKey) <= 0;
            low = isBefore ? middle + 1 : low;
            high = isBefore ? high : middle;
        }

        return low - 1;
    }

    /// <summary>Null with a problem, worded to follow "the index is damaged: ".</summary>
    public static SSTableIndex? TryDecode(ReadOnlySpan<byte> body, out string problem)
    {
        problem = "it ends too early";
        int count = body.Length < sizeof(int) ? 0 : BinaryPrimitives.ReadInt32LittleEndian(body);
        if (count <= 0 || count > body.Length / 3)
        {
            return null;
        }

        long[] offsets = new long[count + 1];
        int[] bodyBytes = new int[count];
        int[] keyEnds = new int[count];
        var keys = new ArrayBufferWriter<byte>(body.Length);
        int at = sizeof(int);
        for (int i = 0; i < count; i++)
        {
            if (!Varint.TryRead(body, ref at, out int stored)
                || !Varint.TryRead(body, ref at, out bodyBytes[i])
                || !Varint.TryRead(body, ref at, out int keyLength)
                || keyLength > body.Length - at)
            {
                return null;
            }

            ReadOnlySpan<byte> key = body.Slice(at, keyLength);
            ReadOnlySpan<byte> before = keys.WrittenSpan[(i < 2 ? 0 : keyEnds[i - 2])..];
            if (i > 0 && key.SequenceCompareTo(before) <= 0)
            {
                problem = "its row keys do not rise";
                return null;
            }

            keys.Write(key);
            keyEnds[i] = keys.WrittenCount;
            offsets[i + 1] = offsets[i] + stored;
            at += keyLength;
        }

        problem = "it goes on behind its end";
        return at == body.Length ? new(offsets, bodyBytes, keyEnds, keys.WrittenSpan.ToArray()) : null;
    }

    /// <summary>Takes the blocks of a file as they are written.</summary>
    internal sealed class Builder
    {
        private readonly ArrayBufferWriter<byte> _entries = new();

        public int Count { get; private set; }

        public int EncodedBytes => sizeof(int) + _entries.WrittenCount;

        /// <param name="first">The block's first row key.</param>
        /// <param name="before">The last row key of the block before; empty when there is none.</param>
        public void Add(int storedBytes, int bodyBytes, ReadOnlySpan<byte> first, ReadOnlySpan<byte> before)
        {
            int keyLength = Count == 0 ? first.Length : first.CommonPrefixLength(before) + 1;
            Invariant.Check(keyLength <= first.Length, "row keys rise from block to block");
            Span<byte> to = _entries.GetSpan((3 * Varint.BytesMax) + keyLength);
            int at = Varint.Write(to, (uint)storedBytes);
            at += Varint.Write(to[at..], (uint)bodyBytes);
            at += Varint.Write(to[at..], (uint)keyLength);
            first[..keyLength].CopyTo(to[at..]);
            _entries.Advance(at + keyLength);
            Count++;
        }

        public byte[] Encode()
        {
            byte[] body = new byte[EncodedBytes];
            BinaryPrimitives.WriteInt32LittleEndian(body, Count);
            _entries.WrittenSpan.CopyTo(body.AsSpan(sizeof(int)));
            return body;
        }
    }
}
