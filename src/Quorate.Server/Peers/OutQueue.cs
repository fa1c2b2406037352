using System.Buffers;
using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Server.Peers;

/// <summary>Whole frames that leave together.</summary>
/// <param name="First">Frames, or a frame's head.</param>
/// <param name="Rest">The payload of that head, where it lies elsewhere; else empty.</param>
/// <param name="IsOfPool">First is of the pool, and is given back after it has left.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OutChunk(ArraySegment<byte> First, ArraySegment<byte> Rest, bool IsOfPool)
{
    public int Count => First.Count + Rest.Count;

    public void GiveBack()
    {
        if (IsOfPool)
        {
            ArrayPool<byte>.Shared.Return(First.Array!);
        }
    }
}

/// <summary>
/// Messages of one class that wait to be sent to one node, cut into frames already. Small ones are copied; what is
/// large is sent from where it lies, since the same goes to several nodes and is in memory anyway.
/// <para>Invariants: bounded in bytes; messages leave in their order, and a chunk holds whole frames. One thread at a
/// time.</para>
/// </summary>
internal sealed class OutQueue(FrameKind kind, long bytesMax)
{
    private readonly Queue<OutChunk> _full = new();
    private byte[]? _last;
    private int _used;

    /// <summary>All that waits, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Messages that wait, about.</summary>
    public bool IsEmpty => Bytes == 0;

    /// <summary>
    /// Adds a message, of which the tail is not copied and never changes; false when there is no room for it.
    /// </summary>
    public bool TryAdd(ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail = default)
    {
        int length = message.Length + tail.Length;
        if (Bytes > 0 && Bytes + length > bytesMax)
        {
            return false;
        }

        bool isFirst = true;
        do
        {
            int payload = Math.Min(message.Length, Frame.PayloadBytesMax);
            bool isLast = payload == message.Length && tail.IsEmpty;
            AddFrame(message[..payload], isFirst, isLast, isFirst ? (uint)length : 0);
            message = message[payload..];
            isFirst = false;
        }
        while (message.Length > 0);

        if (!tail.IsEmpty)
        {
            AddTail(tail);
        }

        return true;
    }

    /// <summary>Adds a frame without a payload.</summary>
    public void AddSign(FrameKind sign, uint number)
    {
        Span<byte> room = Room(Frame.HeadBytes);
        Count(new Frame(0, sign, IsFirst: true, IsLast: true, number).Seal(room));
    }

    /// <summary>Takes the oldest chunk out; who takes it gives it back.</summary>
    public bool TryTake(out OutChunk chunk)
    {
        if (_full.Count == 0)
        {
            EndLast();
        }

        if (!_full.TryDequeue(out chunk))
        {
            return false;
        }

        Bytes -= chunk.Count;
        Invariant.Check(Bytes >= 0, "what leaves a queue was in it");
        return true;
    }

    public void Clear()
    {
        while (TryTake(out OutChunk chunk))
        {
            chunk.GiveBack();
        }
    }

    private void AddTail(ReadOnlyMemory<byte> tail)
    {
        if (!MemoryMarshal.TryGetArray(tail, out ArraySegment<byte> left))
        {
            left = tail.ToArray();
        }

        EndLast();
        int count = (left.Count + Frame.PayloadBytesMax - 1) / Frame.PayloadBytesMax;
        byte[] heads = new byte[count * Frame.HeadBytes];
        for (int i = 0; i < count; i++)
        {
            ArraySegment<byte> payload = left[..Math.Min(left.Count, Frame.PayloadBytesMax)];
            left = left[payload.Count..];
            ArraySegment<byte> head = new(heads, i * Frame.HeadBytes, Frame.HeadBytes);
            new Frame(payload.Count, kind, IsFirst: false, IsLast: left.Count == 0, 0).Seal(head, payload);
            var chunk = new OutChunk(head, payload, IsOfPool: false);
            _full.Enqueue(chunk);
            Bytes += chunk.Count;
        }
    }

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
            EndLast();
        }

        if (_last is null)
        {
            _last = ArrayPool<byte>.Shared.Rent(Frame.BytesMax);
            _used = 0;
        }

        return _last.AsSpan(_used);
    }

    private void EndLast()
    {
        if (_last is not null)
        {
            _full.Enqueue(new(new(_last, 0, _used), default, IsOfPool: true));
            _last = null;
        }
    }

    private void Count(int bytes)
    {
        _used += bytes;
        Bytes += bytes;
    }
}
