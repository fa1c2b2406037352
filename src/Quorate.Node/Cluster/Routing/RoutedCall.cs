using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Rows;

namespace Quorate.Node.Cluster.Routing;

/// <summary>A client's call on its way to whoever may answer it.</summary>
internal sealed class RoutedCall(ClientCall call, PartitionRoute route, ulong order)
{
    public ClientCall Call { get; } = call;

    public PartitionRoute Route { get; } = route;

    /// <summary>Rising with each call that this node was handed.</summary>
    public ulong Order { get; } = order;

    /// <summary>Of its words.</summary>
    public long Bytes { get; } = call.Bytes;

    /// <summary>Any replica may answer it, and nothing hangs on its order.</summary>
    public bool IsFree => !Call.Writes && Call.ReadLevel != ReadLevel.Linearizable;

    /// <summary>It may be asked again when nobody knows what became of it.</summary>
    public bool IsRepeatable => !Call.Writes || Call.Session is not null;

    /// <summary>Where it is.</summary>
    public NodeId Target { get; set; }

    /// <summary>When it went to another node.</summary>
    public Instant SentAt { get; set; }

    /// <summary>
    /// Its answer may never come, and others do not wait for it any longer: it can not be asked again.
    /// </summary>
    public bool IsDetached { get; set; }

    /// <summary>
    /// A write that was out at a node whose answer never came, and that may be asked again since its session recognises
    /// it. What a later node says of itself says nothing of that one.
    /// </summary>
    public bool MayHaveRun { get; set; }

    /// <summary>Free ones: how many nodes were asked, and when the next is.</summary>
    public int Attempts { get; set; }

    public Instant RetryAt { get; set; }

    /// <summary>It was surely not executed.</summary>
    public void Refuse(DropReason reason) => End(Outcome.Refused, reason);

    public void End(Outcome outcome, DropReason reason) =>
        Complete(new CallResult(outcome, reason, Route.Group, default, RowVersion.Zero, default));

    /// <summary>Tells the client; nothing is called surely not executed that another node may have executed.</summary>
    public void Complete(in CallResult result)
    {
        bool isBlurred = MayHaveRun && result.Outcome == Outcome.Refused && Guards.LostWritesStayUnknown;
        Call.Complete(isBlurred
            ? result with { Outcome = Outcome.Unknown, Reason = DropReason.LeadershipLost }
            : result);
    }

    /// <summary>Nobody has said by the deadline what became of it.</summary>
    public void Lose()
    {
        if (Call.Writes)
        {
            End(Outcome.Unknown, DropReason.DeadlinePassed);
        }
        else
        {
            Refuse(DropReason.ReadDeadlinePassed);
        }
    }
}
