using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>Commands about time: whose timers run, whose process is stopped, how fast clocks go.</summary>
internal static class TimeCommands
{
    /// <summary>campaign N: common time passes and N alone is ticked until it asks for votes.</summary>
    public static void Campaign(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        if (!LetCampaign(world, replica))
        {
            world.Out.Fact($"{replica.Id} does not campaign");
        }
    }

    public static bool LetCampaign(ScriptWorld world, ScriptReplica replica)
    {
        RaftGroup group = replica.Group!;
        int askedBefore = replica.VotesAsked;
        Term termBefore = group.Term;
        bool campaigned = false;
        Duration patience = world.Settings.TickInterval * (4L * world.Settings.ElectionTicks);
        world.Pass(patience, r => r == replica, () =>
        {
            campaigned = replica.VotesAsked != askedBefore || (group.Role == Role.Leader && group.Term != termBefore);
            return !campaigned;
        });
        return campaigned;
    }

    /// <summary>tick N [count]: common time passes by that many tick intervals, and N alone is ticked.</summary>
    public static void Tick(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        long count = (long)ScriptWords.Number(words.TryNext() ?? "1");
        world.Pass(world.Settings.TickInterval * count, r => r == replica, () => true);
    }

    /// <summary>advance 100ms: common time passes, all are ticked, nothing is delivered.</summary>
    public static void Advance(ScriptWorld world, ScriptWords words) =>
        world.Pass(ScriptWords.Time(words.Next("a time")), _ => true, () => true);

    /// <summary>
    /// wait 100ms: common time passes, nobody is ticked, nothing is delivered: all processes are held up.
    /// </summary>
    public static void Wait(ScriptWorld world, ScriptWords words) =>
        world.Pass(ScriptWords.Time(words.Next("a time")), _ => false, () => true);

    /// <summary>run 100ms: common time passes, all are ticked, and after each tick everything is delivered.</summary>
    public static void Run(ScriptWorld world, ScriptWords words)
    {
        world.Out.HidesHeartbeats = world.Out.Volume != ScriptVolume.Loud;
        world.Settle();
        world.Pass(ScriptWords.Time(words.Next("a time")), _ => true, () =>
        {
            world.Settle();
            return true;
        });
        world.Out.HidesHeartbeats = false;
    }

    /// <summary>clock N rate=1.02: from now on N's clock runs that much faster than common time.</summary>
    public static void Clock(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Node(words.Next("a node"));
        string rate = words.Option("rate") ?? throw ScriptWords.Wrong("'clock' wants rate=");
        replica.Clock.RatePpm = (long)(decimal.Parse(rate, CultureInfo.InvariantCulture) * 1_000_000);
    }

    /// <summary>pause N [M ...]: the process takes in nothing, as under SIGSTOP; its clock goes on.</summary>
    public static void Pause(ScriptWorld world, ScriptWords words) => Hold(world, words, isPaused: true);

    public static void Resume(ScriptWorld world, ScriptWords words) => Hold(world, words, isPaused: false);

    /// <summary>wake N: N's node has news that a sleeping group cannot hear.</summary>
    public static void Wake(ScriptWorld world, ScriptWords words) =>
        world.Running(words.Next("a node")).Feed(RaftInput.Wake);

    private static void Hold(ScriptWorld world, ScriptWords words, bool isPaused)
    {
        do
        {
            world.Running(words.Next("a node")).IsPaused = isPaused;
        }
        while (words.HasMore);
    }
}
