using Quorate.Core.Model;

namespace Quorate.Server.Peers;

/// <summary>
/// Memory for messages that come in several frames, of all links together. Whole messages are granted at their first
/// frame, so that those which have begun can end.
/// </summary>
internal sealed class PartialMemory(long bytesMax)
{
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>One message is granted when no other is under way, however large.</summary>
    public bool TryTake(int bytes)
    {
        long before = Volatile.Read(ref _bytes);
        while (before == 0 || before + bytes <= bytesMax)
        {
            long seen = Interlocked.CompareExchange(ref _bytes, before + bytes, before);
            if (seen == before)
            {
                return true;
            }

            before = seen;
        }

        return false;
    }

    public void Give(int bytes) =>
        Invariant.Check(Interlocked.Add(ref _bytes, -bytes) >= 0, "memory is given back only after it was taken");
}

/// <summary>
/// Puts the frames of one class of one connection together.
/// <para>Invariants: one message at a time; what does not fit the order of frames is a broken connection; a message for
/// which there is no memory is lost as a whole.</para>
/// </summary>
internal sealed class MessageAssembly(PartialMemory memory, int messageBytesMax)
{
    private byte[]? _message;
    private int _have;
    private int _length;
    private bool _isUnderWay;

    /// <summary>Messages that were lost since there was no memory.</summary>
    public long Lost { get; private set; }

    /// <summary>Adds a frame; the message when that was its last and nothing is lost.</summary>
    /// <returns>False when the frame cannot be: the connection is of no use any more.</returns>
    public bool TryAdd(in Frame frame, ReadOnlySpan<byte> payload, out byte[]? message)
    {
        message = null;
        if (frame.IsFirst == _isUnderWay || (frame.IsFirst && frame.Number > messageBytesMax))
        {
            return false;
        }

        // Before there is memory for it: a frame that says much and brings little must cost nothing.
        long length = frame.IsFirst ? frame.Number : _length;
        long have = (frame.IsFirst ? 0 : _have) + (long)payload.Length;
        bool fits = have <= length && frame.IsLast == (have == length);
        if (!fits)
        {
            return false;
        }

        if (frame.IsFirst)
        {
            Begin((int)frame.Number, frame.IsLast);
        }

        if (_message is not null)
        {
            payload.CopyTo(_message.AsSpan(_have));
        }

        _have += payload.Length;
        if (frame.IsLast)
        {
            message = _message;
            End(wasWhole: frame.IsFirst);
        }

        return true;
    }

    /// <summary>The connection is over.</summary>
    public void Drop()
    {
        if (_isUnderWay)
        {
            End(wasWhole: false);
        }
    }

    private void Begin(int length, bool isWhole)
    {
        _isUnderWay = true;
        _have = 0;
        _length = length;
        _message = isWhole || memory.TryTake(length) ? GC.AllocateUninitializedArray<byte>(length) : null;
        Lost += _message is null ? 1 : 0;
    }

    private void End(bool wasWhole)
    {
        if (!wasWhole && _message is not null)
        {
            memory.Give(_length);
        }

        _isUnderWay = false;
        _message = null;
    }
}
