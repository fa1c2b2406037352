using System.Buffers;
using Quorate.Core.Model;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <content>Replies: how they are counted, and how they leave.</content>
internal sealed partial class RespConnection
{
    /// <summary>A request has its reply. On the connection's turn.</summary>
    public void OnDone(RespRequest request)
    {
        Invariant.Check(request.Pending == 0, "a request is answered when all its calls have ended");
        Unfinished--;
        Shared.Counters.Done(request);
        _replyBytes += request.IsSilent ? 0 : request.ReplyBytes;
        _largeReply = Math.Max(request.ReplyBytes, _largeReply - (_largeReply >> 4));
        _usualReply = Math.Max(request.ReplyBytes, _usualReply - (_usualReply >> 4));
        CountHeld();
        if (request == _alone)
        {
            _alone = null;
        }
    }

    /// <summary>A reply of so many bytes was let go: it waits until there is room for another like it.</summary>
    public void RefusedReply(long bytes)
    {
        Shared.Counters.RefusedReply();
        _usualReply = Math.Max(_usualReply, bytes);
    }

    /// <summary>Writes what is ready, in order; true when it stopped because a flush is due.</summary>
    private bool WriteReplies(IBufferWriter<byte> output)
    {
        int bytesMax = Shared.Settings.FlushBytes;
        while (_first is { IsDone: true } request && bytesMax > 0)
        {
            if (!request.IsSilent && !Write(request, output, ref bytesMax))
            {
                return true;
            }

            _replyBytes -= request.IsSilent ? 0 : request.ReplyBytes;
            _first = request.Next;
            if (_first is null)
            {
                _last = null;
            }

            _count--;
            _bytes -= request.Bytes;
            request.Return();
        }

        CountHeld();
        return _first is { IsDone: true };
    }

    /// <summary>Says by how much what waits for this client has changed, when it is more than a grain.</summary>
    private void CountHeld()
    {
        long held = _replyBytes + _unflushed;
        long more = held - _held;
        if (more is >= ReplyRoom.GrainBytes or <= -ReplyRoom.GrainBytes || (held == 0 && more != 0))
        {
            Volatile.Write(ref _held, held);
            Shared.Replies.Add(more);
        }
    }

    private static bool Write(RespRequest request, IBufferWriter<byte> output, ref int bytesMax)
    {
        if (request.Elements is { } elements)
        {
            return WriteElements(request, elements, output, ref bytesMax);
        }

        ReadOnlySpan<byte> reply = request.Reply.Span;
        Resp2Shape shape = request.Version == 2 ? ReplyShapes.Of(request) : Resp2Shape.None;
        if (!request.Text.TryWrite(reply, request.Version, shape, request.Shapes, output, bytesMax))
        {
            bytesMax = 0;
            return false;
        }

        bytesMax -= reply.Length;
        return true;
    }

    /// <summary>
    /// An array in pieces. The head of one is the same in both versions, and of what its elements are only nothing
    /// differs.
    /// </summary>
    private static bool WriteElements(
        RespRequest request, ReadOnlyMemory<byte>[] elements, IBufferWriter<byte> output, ref int bytesMax)
    {
        for (; request.NextElement < elements.Length; request.NextElement++)
        {
            int at = request.NextElement;
            ReadOnlySpan<byte> piece = at < 0 ? request.Reply.Span : elements[at].Span;
            int version = at < 0 ? 3 : request.Version;
            if (bytesMax <= 0 || !request.Text.TryWrite(piece, version, Resp2Shape.None, [], output, bytesMax))
            {
                bytesMax = 0;
                return false;
            }

            bytesMax -= piece.Length;
            request.Text = default;
            if (at >= 0)
            {
                elements[at] = default;
            }
        }

        return true;
    }
}
