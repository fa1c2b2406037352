using Quorate.Core.Model;

namespace Quorate.Simulator.Scripts;

/// <summary>Commands about a replica's host: late work, checkpoints, deaths and restarts.</summary>
internal static class HostCommands
{
    /// <summary>
    /// late N persist [apply] [fetch] [install] [checkpoint]: such work waits from now on until it is told to be done.
    /// </summary>
    public static void Late(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Node(words.Next("a node"));
        replica.Late |= Work(words);
    }

    /// <summary>prompt N: nothing is late any more, and what is outstanding is done now.</summary>
    public static void Prompt(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Node(words.Next("a node"));
        replica.Late = LateWork.None;
        if (replica.IsUp)
        {
            replica.CatchUp();
        }
    }

    /// <summary>persist N [#sequence]: one outstanding write completes, the oldest unless one is named.</summary>
    public static void Persist(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        string? which = words.TryNext();
        replica.CompletePersist(which is null ? null : ScriptWords.Number(which.TrimStart('#')));
    }

    /// <summary>apply N: the range that is out is applied.</summary>
    public static void Apply(ScriptWorld world, ScriptWords words) =>
        world.Running(words.Next("a node")).CompleteApply();

    /// <summary>fetch N: what was asked of the log and of checkpoints is read.</summary>
    public static void Fetch(ScriptWorld world, ScriptWords words) =>
        world.Running(words.Next("a node")).CompleteFetches();

    /// <summary>install N [fail]: a received snapshot becomes durable, or cannot be stored.</summary>
    public static void Install(ScriptWorld world, ScriptWords words) =>
        world.Running(words.Next("a node")).CompleteInstall(fails: words.Take("fail"));

    /// <summary>
    /// checkpoint N [wanted]: N's state machine saves what it has applied, perhaps because the log wants the space.
    /// </summary>
    public static void Checkpoint(ScriptWorld world, ScriptWords words) =>
        world.Running(words.Next("a node")).SaveCheckpoint(words.Take("wanted"));

    /// <summary>save N: a checkpoint that was begun, and is late, becomes durable.</summary>
    public static void Save(ScriptWorld world, ScriptWords words) =>
        world.Running(words.Next("a node")).CompleteCheckpoint();

    /// <summary>
    /// crash N [kept=K]: the process dies; of its outstanding writes the first K (all) are in the page cache.
    /// </summary>
    public static void Crash(ScriptWorld world, ScriptWords words)
    {
        ScriptReplica replica = world.Running(words.Next("a node"));
        int kept = (int)ScriptWords.Number(words.Option("kept") ?? "1000000");
        replica.Stop();
        replica.Disk.LoseProcess(kept);
    }

    /// <summary>lose power N: the machine dies, and with it every write that is not durable.</summary>
    public static void LosePower(ScriptWorld world, ScriptWords words)
    {
        if (!words.Take("power"))
        {
            throw ScriptWords.Wrong("'lose' wants 'power' and a node");
        }

        do
        {
            ScriptReplica replica = world.Node(words.Next("a node"));
            replica.Stop();
            replica.Disk.LosePower();
        }
        while (words.HasMore);
    }

    /// <summary>restart N [M ...]: a new process opens N's disk.</summary>
    public static void Restart(ScriptWorld world, ScriptWords words)
    {
        do
        {
            ScriptReplica replica = world.Node(words.Next("a node"));
            if (replica.IsUp)
            {
                throw ScriptWords.Wrong($"{replica.Id} is up; crash it first");
            }

            replica.IsPaused = false;
            replica.Start();
        }
        while (words.HasMore);
    }

    /// <summary>wipe N: N comes back with an empty disk and a new incarnation.</summary>
    public static void Wipe(ScriptWorld world, ScriptWords words)
    {
        ReplicaId old = world.Node(words.Next("a node")).Id;
        world.Place(new(old.Node, old.Incarnation + 1), bootstrap: null).Start();
        world.Out.Fact($"{old} is gone, node {old.Node} starts {world.Node($"{old.Node}").Id} with an empty disk");
    }

    private static LateWork Work(ScriptWords words)
    {
        LateWork work = LateWork.None;
        do
        {
            work |= words.Next("what is late") switch
            {
                "persist" => LateWork.Persist,
                "apply" => LateWork.Apply,
                "fetch" => LateWork.Fetch,
                "install" => LateWork.Install,
                "checkpoint" => LateWork.Checkpoint,
                string other => throw ScriptWords.Wrong(
                    $"'{other}' cannot be late (persist, apply, fetch, install, checkpoint)"),
            };
        }
        while (words.HasMore);
        return work;
    }
}
