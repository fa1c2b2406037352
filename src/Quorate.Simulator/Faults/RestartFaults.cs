using Quorate.Core.Model;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Faults;

/// <summary>
/// A node dies and comes back many times, each time at once, while a link of its group's leader is cut or slow: what
/// a process promised or asked before it died (leases, votes, reads) meets what its next life does.
/// </summary>
internal sealed class RestartFaults(Simulation world, FaultDriver faults)
{
    /// <summary>Between two deaths, at most, in microseconds.</summary>
    private const long PauseMax = 300_000;

    /// <summary>Of a slow link, at most, in microseconds.</summary>
    private const long SlownessMax = 300_000;

    /// <summary>False when there is no group with a leader and another node.</summary>
    public bool Begin(SeededRandom random)
    {
        int group = (int)random.Next(world.Plan.Groups.Length);
        if (world.Plan.Nodes < 2 || world.Operator.LeaderOf(group, out SimulatedNode? leader) is null)
        {
            return false;
        }

        int restarted = Other(random, leader!.Number);
        long until = world.Now + (2 * faults.Duration(random));
        faults.Note($"n{restarted + 1} restarts again and again until {until / 1000} ms");
        Disturb(random, leader.Number, restarted, until - world.Now);
        Die();
        return true;

        void Die()
        {
            SimulatedNode node = world.Nodes[restarted];
            if (node.State != NodeState.Down)
            {
                node.Kill(powerLoss: false);
                world.Operator.StartLater(node, 1 + random.Next(5000));
            }

            if (world.Now < until)
            {
                faults.Later(1 + random.Next(PauseMax), Die);
            }
        }
    }

    private void Disturb(SeededRandom random, int leader, int restarted, long time)
    {
        if (random.Next(2) == 0 && world.Plan.Faults.Kinds.HasFlag(FaultKinds.Delay))
        {
            world.Network.SlowDown(leader, restarted, random.Next(SlownessMax));
            faults.Later(time, () => world.Network.SlowDown(leader, restarted, 0));
            return;
        }

        int third = Other(random, leader);
        if (third != restarted && world.Plan.Faults.Kinds.HasFlag(FaultKinds.Partition))
        {
            Change(world.Network.Cut);
            faults.Later(time, () => Change(world.Network.Mend));
        }

        void Change(Action<int, int> change)
        {
            change(leader, third);
            change(third, leader);
        }
    }

    private int Other(SeededRandom random, int node) =>
        (node + 1 + (int)random.Next(world.Plan.Nodes - 1)) % world.Plan.Nodes;
}
