using System.Buffers.Binary;

namespace Quorate.Node.Wire;

/// <summary>
/// Takes a message apart and trusts nothing in it: whoever reads beyond its end, or finds a length that can not be,
/// gets zeros from then on and is told at the end.
/// </summary>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlyMemory<byte> _memory;
    private int _at;

    /// <summary>Of bytes that are not kept: <see cref="Memory"/> may not be asked for.</summary>
    public WireReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Of bytes that stay: slices of them may be kept.</summary>
    public WireReader(ReadOnlyMemory<byte> bytes)
    {
        _memory = bytes;
        _bytes = bytes.Span;
    }

    /// <summary>Why this is no message; null while it may be one.</summary>
    public string? Problem { get; private set; }

    /// <summary>All was read and nothing was wrong.</summary>
    public readonly bool IsWhole => Problem is null && _at == _bytes.Length;

    private readonly int Left => _bytes.Length - _at;

    public void Fail(string problem)
    {
        Problem ??= problem;
        _at = _bytes.Length;
    }

    public byte Byte() => Has(1) ? _bytes[_at++] : (byte)0;

    public bool Flag()
    {
        byte value = Byte();
        if (value > 1)
        {
            Fail($"a flag is 0 or 1, not {value}");
        }

        return value == 1;
    }

    public ushort UInt16()
    {
        ushort value = Has(2) ? BinaryPrimitives.ReadUInt16LittleEndian(_bytes[_at..]) : (ushort)0;
        _at = Math.Min(_bytes.Length, _at + 2);
        return value;
    }

    public uint UInt32()
    {
        uint value = Has(4) ? BinaryPrimitives.ReadUInt32LittleEndian(_bytes[_at..]) : 0;
        _at = Math.Min(_bytes.Length, _at + 4);
        return value;
    }

    public ulong UInt64()
    {
        ulong value = Has(8) ? BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_at..]) : 0;
        _at = Math.Min(_bytes.Length, _at + 8);
        return value;
    }

    public long Int64() => unchecked((long)UInt64());

    /// <summary>
    /// How many things follow. Each takes some bytes at least, so that a count that can not be is found before memory
    /// is taken for it.
    /// </summary>
    public int Count(int bytesEachMin, int max)
    {
        uint count = UInt32();
        if (count > max || count * (long)bytesEachMin > Left)
        {
            Fail($"{count} things do not fit into {Left} bytes, or are more than {max}");
            return 0;
        }

        return (int)count;
    }

    /// <summary>Bytes behind their length (4); valid as long as the message is.</summary>
    public ReadOnlySpan<byte> Counted()
    {
        int length = Count(1, WireLimits.MessageBytesMax);
        ReadOnlySpan<byte> found = _bytes.Slice(_at, length);
        _at += length;
        return found;
    }

    /// <summary>Bytes behind their length (4), to keep.</summary>
    public ReadOnlyMemory<byte> Memory()
    {
        int length = Count(1, WireLimits.MessageBytesMax);
        ReadOnlyMemory<byte> found = _memory.Slice(_at, length);
        _at += length;
        return found;
    }

    private bool Has(int length)
    {
        if (Left < length)
        {
            Fail("the message ends too early");
            return false;
        }

        return true;
    }
}
