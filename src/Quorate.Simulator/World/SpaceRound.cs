using Quorate.Core.Model;
using Quorate.Simulator.Checks;

namespace Quorate.Simulator.World;

/// <summary>
/// When all is at rest the log of each node asks its partitions for space, as it does when it has too many segments:
/// nobody lags, so each of them can let go of all that it had applied. One that keeps something then would pin a
/// segment that all share for as long as nothing happens to it.
/// </summary>
internal sealed class SpaceRound(Simulation world)
{
    private readonly List<(ValueReplica Replica, LogIndex Applied)> _asked = [];

    public void Ask()
    {
        foreach (SimulatedNode node in world.Nodes)
        {
            (node.Process as ValueProcess)?.NoteEntriesAgain();
            for (int group = 0; group < node.Replicas.Length && node.State == NodeState.Up; group++)
            {
                bool isMember = node.Replicas[group] is { } each
                    && world.Checks[group].Committed.Membership.AllReplicas.Contains(each.Id);
                if (isMember && node.Replicas[group] is ValueReplica { Replica.IsRunning: true } replica)
                {
                    _asked.Add((replica, replica.Replica.AppliedAt.Index));
                }
            }
        }
    }

    /// <summary>
    /// Who has not let go of what it could, or null. Who let go is noted; the others are asked again, as the log does
    /// with each new segment.
    /// </summary>
    public string? Kept()
    {
        _asked.RemoveAll(HasLetGo);
        foreach ((ValueReplica replica, _) in _asked)
        {
            ((ValueProcess)world.Nodes[replica.Id.Node - 1].Process).AskForSpace(
                NodeFiles.StreamOf(replica.Group, replica.Id));
        }

        return _asked.Count == 0
            ? null
            : $"replica {_asked[0].Replica.Id} of group {_asked[0].Replica.Group + 1} keeps its log from "
                + $"{_asked[0].Replica.Replica.Group?.BaseIndex.Next} on, and had applied {_asked[0].Applied} "
                + "when the log asked for space";
    }

    private bool HasLetGo((ValueReplica Replica, LogIndex Applied) asked)
    {
        // A process that ended meanwhile has forgotten that it was asked.
        bool isHere = !asked.Replica.HasEnded;
        bool hasLetGo = isHere && asked.Replica.Replica.Group is { } group && group.BaseIndex >= asked.Applied;
        if (hasLetGo)
        {
            world.Judgements.Note(Judgements.LogSpace);
        }

        return hasLetGo || !isHere;
    }
}
