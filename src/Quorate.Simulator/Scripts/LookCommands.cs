using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>Commands that look and change nothing.</summary>
internal static class LookCommands
{
    /// <summary>state [N ...]: role, term, vote, leader, indices, membership and lease.</summary>
    public static void State(ScriptWorld world, ScriptWords words) => Each(world, words, ShowState);

    /// <summary>log [N ...]: the log as written, and how far it is durable when that is less.</summary>
    public static void Log(ScriptWorld world, ScriptWords words) => Each(world, words, ShowLog);

    /// <summary>data [N ...]: everything the state machine was ever told.</summary>
    public static void Data(ScriptWorld world, ScriptWords words) =>
        Each(world, words, ShowData);

    /// <summary>inflight: the messages on their way, and those that are held.</summary>
    public static void InFlight(ScriptWorld world, ScriptWords words)
    {
        foreach (RaftMessage message in world.Network.InFlight)
        {
            world.Show(message, "->");
        }

        foreach (RaftMessage message in world.Network.Held)
        {
            world.Show(message, "..");
        }
    }

    public static void ShowLog(ScriptWorld world, ScriptReplica replica)
    {
        LogImage log = replica.Disk.Written;
        string before = log.Base == LogIndex.Zero ? "" : $" (after {log.Base}@{log.BaseTerm})";
        string durable = replica.Disk.Outstanding.Any() ? $" (durable to {replica.Disk.Durable.Last})" : "";
        world.Out.Fact($"{replica.Id} log{before}: {ScriptPrinter.Describe(log.Entries)}{durable}".TrimEnd());
    }

    private static void ShowData(ScriptWorld world, ScriptReplica replica) =>
        world.Out.Fact($"{replica.Id} applied {replica.Applied}: {string.Join(' ', replica.Register.Data)}".TrimEnd());

    private static void ShowState(ScriptWorld world, ScriptReplica replica)
    {
        if (replica.Group is not RaftGroup group)
        {
            world.Out.Fact($"{replica.Id} is down");
            return;
        }

        string who = $"{group.Role} term {group.Term} vote {group.Vote} leader {group.Leader}";
        string indices = $"commit {group.CommitIndex} applied {group.AppliedIndex} last {group.LastIndex}";
        string lease = group.LeaseUntil > replica.Clock.Now ? $" lease {group.LeaseUntil - replica.Clock.Now}" : "";
        string sleep = group.IsAsleep ? " asleep" : "";
        world.Out.Fact($"{group.Id} {who} {indices} {group.Membership}{lease}{sleep}");
    }

    private static void Each(ScriptWorld world, ScriptWords words, Action<ScriptWorld, ScriptReplica> show)
    {
        if (!words.HasMore)
        {
            foreach (ScriptReplica replica in world.Replicas)
            {
                show(world, replica);
            }
        }

        while (words.HasMore)
        {
            show(world, world.Node(words.Next("a node")));
        }
    }
}
