using System.Buffers;
using System.Buffers.Binary;
using Quorate.Core.Model;

namespace Quorate.Node.Wire;

/// <summary>Puts a message together, little-endian. One is used again and again; its memory grows to the
/// largest message and shrinks after an unusually large one.</summary>
internal sealed class WireWriter
{
    /// <summary>More memory than this is not kept for the next message, in bytes.</summary>
    private const int KeptBytesMax = 1024 * 1024;

    /// <summary>Less than this is copied, in bytes.</summary>
    private const int TailBytesMin = 64 * 1024;

    private ArrayBufferWriter<byte> _buffer = new(512);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>What follows <see cref="Written"/>: something large, which is not copied; empty for nothing.</summary>
    public ReadOnlyMemory<byte> Tail { get; private set; }

    /// <summary>Begins a message of a kind, in the form of this version.</summary>
    public void Begin(PeerMessageKind kind, byte version)
    {
        if (_buffer.Capacity > KeptBytesMax)
        {
            _buffer = new(512);
        }

        _buffer.ResetWrittenCount();
        Tail = default;
        Byte((byte)kind);
        Byte(version);
    }

    public void Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.GetSpan(2), value);
        _buffer.Advance(2);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    public void Int64(long value) => UInt64(unchecked((ulong)value));

    public void Raw(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    /// <summary>
    /// Bytes behind their length (4), the last of the message. They may stay where they are until it has left, so they
    /// must never change.
    /// </summary>
    public void CountedTail(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < TailBytesMin)
        {
            Counted(bytes.Span);
            return;
        }

        Invariant.Check(bytes.Length <= WireLimits.MessageBytesMax, "what is sent fits into a message");
        UInt32((uint)bytes.Length);
        Tail = bytes;
    }

    /// <summary>As <see cref="CountedTail"/>, of bytes that may change: one copy, and no buffer that grows.</summary>
    public void CountedCopy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < TailBytesMin)
        {
            Counted(bytes);
        }
        else
        {
            CountedTail(bytes.ToArray());
        }
    }

    /// <summary>Bytes behind their length (4).</summary>
    public void Counted(ReadOnlySpan<byte> bytes)
    {
        Invariant.Check(bytes.Length <= WireLimits.MessageBytesMax, "what is sent fits into a message");
        UInt32((uint)bytes.Length);
        Raw(bytes);
    }
}
