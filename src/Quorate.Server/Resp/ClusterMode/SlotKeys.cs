using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp.ClusterMode;

/// <summary>
/// CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT: goes through the slot's partition a piece at a time, in its order, which
/// begins with the slot, until the slot is behind it.
/// </summary>
internal sealed class SlotKeys(KeyspaceView keyspace, Slot slot, int? wanted) : RequestSteps
{
    /// <summary>Keys that are looked at in one piece.</summary>
    private static readonly byte[] PieceKeys = "1000"u8.ToArray();

    private readonly List<byte[]> _keys = [];
    private byte[] _position = "0"u8.ToArray();
    private long _count;

    /// <param name="wanted">How many keys are to be shown; null to count all.</param>
    public static void Start(RespRequest request, KeyspaceView keyspace, Slot slot, int? wanted)
    {
        var steps = new SlotKeys(keyspace, slot, wanted);
        request.Steps = steps;
        steps.Ask(request);
    }

    public override void Next(RespRequest request)
    {
        if (!ScanCommands.TryTake(request, out _position, out ReadOnlyMemory<byte> keys))
        {
            return;
        }

        bool isPast = false;
        foreach (ReadOnlyMemory<byte> element in ReplyParts.ElementsOf(keys))
        {
            byte[] key = ScanCommands.TextOf(element.Span);
            int at = KeyHash.SlotOf(key).Value;
            isPast |= at > slot.Value;
            if (at == slot.Value)
            {
                _count++;
                if (_keys.Count < wanted)
                {
                    _keys.Add(key);
                }
            }
        }

        bool isOver = isPast || _position.AsSpan().SequenceEqual("0"u8) || _keys.Count == wanted;
        if (!isOver)
        {
            Ask(request);
        }
        else if (wanted is null)
        {
            request.Finish(Replies.Integer(_count));
        }
        else
        {
            request.Finish(Replies.Of(reply =>
            {
                reply.Array(_keys.Count);
                _keys.ForEach(key => reply.Bulk(key));
            }));
        }
    }

    private void Ask(RespRequest request)
    {
        request.Call.IsWide = true;
        request.Connection.Calls.Ask(
            request.Call,
            keyspace,
            slot,
            [new CommandLine(["SCAN"u8.ToArray(), _position, "COUNT"u8.ToArray(), PieceKeys])],
            writes: false);
    }
}
