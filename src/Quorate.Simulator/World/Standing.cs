using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.World;

/// <summary>Where the groups of a run stand, as its schedule asks.</summary>
internal sealed class Standing(Simulation world)
{
    /// <summary>
    /// A snapshot goes over piece by piece, a round trip and a write each, and to one replica after another: tens of
    /// thousands of bytes in pieces of fifty take a while.
    /// </summary>
    public static bool SnapshotsAreSlow(Plan plan) =>
        Math.Min(plan.Raft.SnapshotChunkBytes, plan.Values?.Store.SnapshotPieceBytesMax ?? int.MaxValue) < 1000;

    /// <summary>Who still holds something of replicas that were taken away, or null.</summary>
    public string? Leaving()
    {
        foreach (SimulatedNode node in world.Nodes)
        {
            if (node.State != NodeState.Down && node.Process.Leaving > 0)
            {
                return $"{node.Name} has not given up {node.Process.Leaving} replicas that were taken away";
            }
        }

        return null;
    }

    /// <summary>Who does not hold all that is committed, or null.</summary>
    /// <param name="dead">A node that was killed for good; null when none was.</param>
    public string? Behind(int group, SimulatedNode? dead)
    {
        CommittedLog committed = world.Checks[group].Committed;
        foreach (ReplicaId id in committed.Membership.AllReplicas)
        {
            SimulatedNode node = world.Nodes[id.Node - 1];
            if (node == dead)
            {
                continue;
            }

            SimulatedReplica? replica = node.Replicas[group];
            if (replica is null || replica.Replica.Id != id || replica.Replica.AppliedAt.Index.Value != committed.Last)
            {
                return $"replica {id} has applied {replica?.Replica.AppliedAt}, committed is {committed.Last}";
            }

            if (replica.StateHash is not { } hash)
            {
                return $"replica {id} has not read its rows to show its state";
            }

            committed.CheckState(id, replica.Replica.AppliedAt, hash);
        }

        return null;
    }

    public IEnumerable<string> States(int group)
    {
        foreach (SimulatedNode node in world.Nodes)
        {
            string state = node.Replicas[group] is { } replica ? replica.ToString()! : "no replica";
            yield return $"group {group + 1} on {node.Name} ({node.State}): {state}";
        }
    }
}
