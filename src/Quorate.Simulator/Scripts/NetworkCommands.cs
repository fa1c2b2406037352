using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>Commands about the messages on their way and the links between nodes.</summary>
internal static class NetworkCommands
{
    /// <summary>
    /// deliver [first|last|reversed] [1->2] [kind ...]: what is on its way now arrives; answers stay on their way.
    /// </summary>
    public static void Deliver(ScriptWorld world, ScriptWords words)
    {
        bool first = words.Take("first");
        bool last = words.Take("last");
        bool reversed = words.Take("reversed");
        MessagePattern pattern = MessagePattern.Parse(words);
        List<RaftMessage> due = Some(ScriptNetwork.Take(world.Network.InFlight, pattern));
        if (first || last)
        {
            int chosen = first ? 0 : due.Count - 1;
            world.Network.InFlight.AddRange(due.Where((_, i) => i != chosen));
            due = [due[chosen]];
        }

        if (reversed)
        {
            due.Reverse();
        }

        world.Deliver(due);
    }

    /// <summary>
    /// duplicate [1->2] [kind ...]: what is on its way arrives twice; the copies are held until released.
    /// </summary>
    public static void Duplicate(ScriptWorld world, ScriptWords words)
    {
        MessagePattern pattern = MessagePattern.Parse(words);
        world.Network.Held.AddRange(Some([.. world.Network.InFlight.Where(m => pattern.Matches(m))]));
    }

    /// <summary>hold [1->2] [kind ...]: what is on its way is late until released.</summary>
    public static void Hold(ScriptWorld world, ScriptWords words) =>
        world.Network.Held.AddRange(Some(ScriptNetwork.Take(world.Network.InFlight, MessagePattern.Parse(words))));

    /// <summary>release [1->2] [kind ...]: what was held arrives now, before anything else.</summary>
    public static void Release(ScriptWorld world, ScriptWords words) =>
        world.Deliver(Some(ScriptNetwork.Take(world.Network.Held, MessagePattern.Parse(words))));

    /// <summary>drop [1->2] [kind ...]: what is on its way is lost.</summary>
    public static void Drop(ScriptWorld world, ScriptWords words)
    {
        foreach (RaftMessage message in Some(ScriptNetwork.Take(world.Network.InFlight, MessagePattern.Parse(words))))
        {
            world.Show(message, "-x");
        }
    }

    /// <summary>cut 1->2 [3->1 ...]: from now on what is sent this way is lost.</summary>
    public static void Cut(ScriptWorld world, ScriptWords words)
    {
        do
        {
            string[] ends = words.Next("a link such as 1->2").Split("->");
            world.Network.Cut((uint)ScriptWords.Number(ends[0]), (uint)ScriptWords.Number(ends[1]));
        }
        while (words.HasMore);
    }

    /// <summary>partition 1 | 2 3: every link between the sides is cut, both ways.</summary>
    public static void Partition(ScriptWorld world, ScriptWords words)
    {
        List<List<uint>> sides = [[]];
        while (words.HasMore)
        {
            if (words.Take("|"))
            {
                sides.Add([]);
            }
            else
            {
                sides[^1].Add((uint)ScriptWords.Number(words.Next("a node")));
            }
        }

        foreach (List<uint> side in sides)
        {
            foreach (uint from in side)
            {
                foreach (uint to in sides.Where(s => s != side).SelectMany(s => s))
                {
                    world.Network.Cut(from, to);
                }
            }
        }
    }

    public static void Heal(ScriptWorld world, ScriptWords words) => world.Network.Heal();

    /// <summary>stabilize: everything is delivered and done until nothing is left, in no time.</summary>
    public static void Stabilize(ScriptWorld world, ScriptWords words) => world.Settle();

    /// <summary>unreachable N M: N is told that its messages to M do not arrive.</summary>
    public static void Unreachable(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        ReplicaId peer = ScriptWords.Replica(words.Next("whom it cannot reach"));
        replica.Feed(now => RaftInput.Unreachable(now, peer));
    }

    private static List<RaftMessage> Some(List<RaftMessage> messages) =>
        messages.Count > 0 ? messages : throw ScriptWords.Wrong("no such message is on its way");
}
