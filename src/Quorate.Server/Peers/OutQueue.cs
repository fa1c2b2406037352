using System.Buffers;
using Quorate.Core.Model;

namespace Quorate.Server.Peers;

/// <summary>
/// Messages of one class that wait to be sent to one node, cut into frames already.
/// <para>Invariants: bounded in bytes; messages leave in their order, and a chunk holds whole frames. One thread at a
/// time.</para>
/// </summary>
internal sealed class OutQueue(FrameKind kind, long bytesMax)
{
    private readonly Queue<ArraySegment<byte>> _full = new();
    private byte[]? _last;
    private int _used;

    /// <summary>All that waits, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Messages that wait, about.</summary>
    public bool IsEmpty => Bytes == 0;

    /// <summary>Copies a message; false when there is no room for it.</summary>
    public bool TryAdd(ReadOnlySpan<byte> message)
    {
        if (Bytes > 0 && Bytes + message.Length > bytesMax)
        {
            return false;
        }

        uint length = (uint)message.Length;
        bool isFirst = true;
        do
        {
            int payload = Math.Min(message.Length, Frame.PayloadBytesMax);
            AddFrame(message[..payload], isFirst, payload == message.Length, isFirst ? length : 0);
            message = message[payload..];
            isFirst = false;
        }
        while (message.Length > 0);

        return true;
    }

    /// <summary>Adds a frame without a payload.</summary>
    public void AddSign(FrameKind sign, uint number)
    {
        Span<byte> room = Room(Frame.HeadBytes);
        Count(new Frame(0, sign, IsFirst: true, IsLast: true, number).Seal(room));
    }

    /// <summary>Takes the oldest chunk out; who takes it gives it back to the pool.</summary>
    public bool TryTake(out ArraySegment<byte> chunk)
    {
        if (!_full.TryDequeue(out chunk))
        {
            if (_last is null)
            {
                return false;
            }

            chunk = new(_last, 0, _used);
            _last = null;
        }

        Bytes -= chunk.Count;
        Invariant.Check(Bytes >= 0, "what leaves a queue was in it");
        return true;
    }

    public void Clear()
    {
        while (TryTake(out ArraySegment<byte> chunk))
        {
            GiveBack(chunk);
        }
    }

    public static void GiveBack(ArraySegment<byte> chunk) => ArrayPool<byte>.Shared.Return(chunk.Array!);

    private void AddFrame(ReadOnlySpan<byte> payload, bool isFirst, bool isLast, uint number)
    {
        Span<byte> room = Room(Frame.HeadBytes + payload.Length);
        payload.CopyTo(room[Frame.HeadBytes..]);
        Count(new Frame(payload.Length, kind, isFirst, isLast, number).Seal(room));
    }

    private Span<byte> Room(int bytes)
    {
        if (_last is not null && _last.Length - _used < bytes)
        {
            _full.Enqueue(new(_last, 0, _used));
            _last = null;
        }

        if (_last is null)
        {
            _last = ArrayPool<byte>.Shared.Rent(Frame.BytesMax);
            _used = 0;
        }

        return _last.AsSpan(_used);
    }

    private void Count(int bytes)
    {
        _used += bytes;
        Bytes += bytes;
    }
}
