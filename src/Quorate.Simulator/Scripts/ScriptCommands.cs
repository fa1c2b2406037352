namespace Quorate.Simulator.Scripts;

/// <summary>The commands of scripts by name. What each does is in tests/scripts/README.md.</summary>
internal static class ScriptCommands
{
    private static readonly SortedDictionary<string, Command> Known = new(StringComparer.Ordinal)
    {
        ["group"] = GroupCommands.Group,
        ["given"] = GroupCommands.Given,
        ["elect"] = GroupCommands.Elect,
        ["propose"] = GroupCommands.Propose,
        ["read"] = GroupCommands.Read,
        ["membership"] = GroupCommands.ChangeMembership,
        ["transfer"] = GroupCommands.Transfer,
        ["campaign"] = TimeCommands.Campaign,
        ["tick"] = TimeCommands.Tick,
        ["advance"] = TimeCommands.Advance,
        ["wait"] = TimeCommands.Wait,
        ["run"] = TimeCommands.Run,
        ["clock"] = TimeCommands.Clock,
        ["pause"] = TimeCommands.Pause,
        ["resume"] = TimeCommands.Resume,
        ["wake"] = TimeCommands.Wake,
        ["deliver"] = NetworkCommands.Deliver,
        ["duplicate"] = NetworkCommands.Duplicate,
        ["hold"] = NetworkCommands.Hold,
        ["release"] = NetworkCommands.Release,
        ["drop"] = NetworkCommands.Drop,
        ["cut"] = NetworkCommands.Cut,
        ["partition"] = NetworkCommands.Partition,
        ["heal"] = NetworkCommands.Heal,
        ["stabilize"] = NetworkCommands.Stabilize,
        ["unreachable"] = NetworkCommands.Unreachable,
        ["late"] = HostCommands.Late,
        ["prompt"] = HostCommands.Prompt,
        ["persist"] = HostCommands.Persist,
        ["apply"] = HostCommands.Apply,
        ["fetch"] = HostCommands.Fetch,
        ["install"] = HostCommands.Install,
        ["checkpoint"] = HostCommands.Checkpoint,
        ["save"] = HostCommands.Save,
        ["crash"] = HostCommands.Crash,
        ["lose"] = HostCommands.LosePower,
        ["restart"] = HostCommands.Restart,
        ["wipe"] = HostCommands.Wipe,
        ["state"] = LookCommands.State,
        ["log"] = LookCommands.Log,
        ["data"] = LookCommands.Data,
        ["inflight"] = LookCommands.InFlight,
        ["quiet"] = (world, _) => world.Out.Volume = ScriptVolume.Quiet,
        ["normal"] = (world, _) => world.Out.Volume = ScriptVolume.Normal,
        ["loud"] = (world, _) => world.Out.Volume = ScriptVolume.Loud,
    };

    private delegate void Command(ScriptWorld world, ScriptWords words);

    public static void Run(ScriptWorld world, string line)
    {
        var words = new ScriptWords(line);
        if (!Known.TryGetValue(words.Name, out Command? command))
        {
            throw ScriptWords.Wrong($"there is no command '{words.Name}'");
        }

        command(world, words);
        words.ExpectEnd();
    }
}
