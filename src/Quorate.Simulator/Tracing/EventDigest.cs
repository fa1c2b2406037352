using Quorate.Core.Raft;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Network;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.Tracing;

/// <summary>What the trace hash takes in of an event beside its kind and its target.</summary>
internal static class EventDigest
{
    public static ulong Of(in SimEvent happening, MessagePool messages)
    {
        if (happening.Kind == EventKind.Message)
        {
            ref readonly RaftMessage message = ref messages.Peek(happening.Slot);
            ulong digest = TraceHash.Mix(((ulong)message.Kind << 56) ^ message.From.Packed, message.To.Packed);
            digest = TraceHash.Mix(digest ^ message.Term.Value, message.Index.Value);
            digest = TraceHash.Mix(digest ^ message.Commit.Value, message.LogTerm.Value);
            return TraceHash.Mix(
                digest ^ message.Round ^ (ulong)(message.Entries?.Length ?? 0),
                (ulong)message.SentAt.Microseconds ^ (message.Reject ? 1UL : 0) ^ ((ulong)message.Chunk.Length << 8));
        }

        if (happening.Kind == EventKind.Disk)
        {
            DiskOperation operation = ((PendingDiskOperation)happening.Payload!).Operation;
            return TraceHash.Mix(
                ((ulong)operation.Kind << 56) ^ operation.Ticket, (
                    (ulong)operation.Offset << 24) ^ (ulong)operation.Data.Length);
        }

        return happening.Number;
    }
}
