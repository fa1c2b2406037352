using Quorate.Core.Raft;
using Quorate.Node.Replicas;

namespace Quorate.Simulator.World;

/// <summary>A replica's state in one line, for people.</summary>
internal static class ReplicaText
{
    public static string Of(Replica replica)
    {
        if (replica.Group is not RaftGroup group)
        {
            return $"{replica.Id} has not read its disk";
        }

        string role = $"{group.Id} {group.Role} term {group.Term} vote {group.Vote} leader {group.Leader}";
        string log = $"log {group.BaseIndex}..{group.LastIndex} durable {group.DurableIndex} "
            + $"commit {group.CommitIndex} applied {group.AppliedIndex}";
        return $"{role}, {log}, {group.Membership}{(group.IsAsleep ? ", asleep" : "")}";
    }
}
