using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Faults;

/// <summary>
/// The operator changes who takes part in a group: adds, removes and replaces voters, one or several at once, and
/// learners of every kind.
/// </summary>
internal sealed class MembershipChurn(Simulation world)
{
    public bool Change(SeededRandom random, int group)
    {
        Placement placement = world.Placements[group];
        if (placement.Lost.Count > 0 || world.Operator.Rot.DoubtsAny(group))
        {
            return false;
        }

        // Any replica that believes that it leads may be asked, even while another was asked before.
        return world.Operator.AskAny(group, random, membership => Draw(random, group, membership));
    }

    private Membership? Draw(SeededRandom random, int group, Membership membership)
    {
        List<ReplicaId> voters = [.. membership.Voters];
        List<Learner> learners = [.. membership.Learners];
        int votersMax = Math.Min(world.Plan.Nodes, 7);
        switch (random.Next(8))
        {
            case 0 when voters.Count > 1:
                voters.RemoveAt((int)random.Next(voters.Count));
                break;
            case 1 when voters.Count < votersMax && Free(random, group) is { } node:
                voters.Add(world.Operator.PlaceOn(group, node).Id);
                break;
            case 2 when voters.Count < votersMax && Free(random, group) is { } node:
                learners.Add(new Learner(world.Operator.PlaceOn(group, node).Id, LearnerKind.Joining));
                break;
            case 3 when Free(random, group) is { } node:
                LearnerKind kind = random.Next(2) == 0 ? LearnerKind.Standing : LearnerKind.ReadOnly;
                learners.Add(new Learner(world.Operator.PlaceOn(group, node).Id, kind));
                break;
            case 4 when learners.Count > 0:
                learners.RemoveAt((int)random.Next(learners.Count));
                break;
            case 5 when learners.Count > 0:
                ReplicaId promoted = learners[(int)random.Next(learners.Count)].Id;
                learners.RemoveAll(learner => learner.Id == promoted);
                voters.Add(promoted);
                break;
            default:
                ReplaceSome(random, group, voters);
                break;
        }

        Membership target = Membership.Of(voters, learners);
        return target.Problem(world.Plan.Raft.ReplicasMax) is null ? target : null;
    }

    /// <summary>Several voters at once: a joint membership.</summary>
    private void ReplaceSome(SeededRandom random, int group, List<ReplicaId> voters)
    {
        long count = random.Between(1, Math.Max(1, voters.Count - 1));
        for (int i = 0; i < count; i++)
        {
            if (Free(random, group) is not { } node)
            {
                return;
            }

            ReplicaId added = world.Operator.PlaceOn(group, node).Id;
            voters[(int)random.Next(voters.Count)] = added;
        }
    }

    /// <summary>A node without a replica of the group; null when there is none.</summary>
    private int? Free(SeededRandom random, int group)
    {
        Placement placement = world.Placements[group];
        List<int> free = [.. Enumerable.Range(0, placement.Nodes).Where(node =>
            placement.On(node) is null && !world.Operator.Rot.Doubts(node))];
        return free.Count == 0 ? null : free[(int)random.Next(free.Count)];
    }
}
