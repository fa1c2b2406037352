using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;

namespace Quorate.Cli.Up;

/// <summary>`quorate up`: a cluster on this machine, one process a node, in one folder.</summary>
internal static class UpCommand
{
    private const int NodesUnlessSaid = 3;

    private const string MasterKeyFile = "master.key";

    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var nodes = new Option<int?>("--nodes") { Description = "How many; 3 unless said.", HelpName = "number" };
        var data = new Option<string>("--data")
        {
            Description = "The folder of all their data.",
            DefaultValueFactory = _ => "./quorate-data",
            HelpName = "folder",
        };
        Option<int?> resp = Port("--resp-port", "Redis clients", 7401);
        Option<int?> http = Port("--http-port", "HTTP", 7501);
        Option<int?> peer = Port("--peer-port", "the nodes among themselves", 7601);
        var cluster = new Option<int?>("--cluster-port")
        {
            Description = "The first node's port for Redis clients that know clusters, the others count up; none "
                + "unless said.",
            HelpName = "port",
        };
        var zones = new Option<string?>("--zones")
        {
            Description = "Zones of the nodes in turn; each in one of its own unless said.",
            HelpName = "name,...",
        };
        var memory = new Option<string?>("--memory")
        {
            Description = "Memory of each node; half of the machine's, divided among them, unless said.",
            HelpName = "size",
        };
        var restart = new Option<bool>("--restart") { Description = "Start a node again that has ended." };
        var up = new Command("up", "Start a cluster on this machine and follow it; Ctrl-C stops it.")
        {
            nodes, data, resp, http, peer, cluster, zones, memory, restart,
        };
        up.SetAction(async (parsed, stop) =>
        {
            string folder = parsed.GetValue(data)!;
            var wanted = new Wanted(
                parsed.GetValue(nodes),
                parsed.GetValue(resp),
                parsed.GetValue(http),
                parsed.GetValue(peer),
                parsed.GetValue(cluster),
                parsed.GetValue(zones)?.Split(',', StringSplitOptions.TrimEntries));
            if (Settle(folder, wanted, out string problem) is not { } settings)
            {
                return Refuse(ExitCode.Usage, problem);
            }

            return await Run(folder, settings, parsed.GetValue(memory), parsed.GetValue(restart), stop)
                .ConfigureAwait(false);
        });
        return up;
    }

    /// <summary>Joins what the folder says to what was asked for; null with a sentence when they contradict.</summary>
    private static UpSettings? Settle(string folder, Wanted wanted, out string problem)
    {
        UpSettings? made = UpSettings.Read(folder, out string? unreadable);
        problem = unreadable ?? "";
        if (unreadable is not null)
        {
            return null;
        }

        int count = wanted.Nodes ?? made?.Nodes ?? NodesUnlessSaid;
        if (count is < 1 or > UpSettings.NodesMax)
        {
            problem = $"--nodes takes a number from 1 to {UpSettings.NodesMax}.";
            return null;
        }

        if (made is not null && count != made.Nodes)
        {
            problem = $"the cluster in {folder} has {made.Nodes} nodes, not {count}: leave --nodes away, or name "
                + "another folder by --data.";
            return null;
        }

        string[]? zones = wanted.Zones;
        if (zones?.Contains("") == true)
        {
            problem = "--zones: a name is empty; say them with a comma between each two, as in a,b,c.";
            return null;
        }

        if (made is not null && zones is not null && !zones.SequenceEqual(made.Zones, StringComparer.Ordinal))
        {
            problem = $"the nodes in {folder} are in the zones {string.Join(',', made.Zones)}: leave --zones away.";
            return null;
        }

        return new UpSettings(
            count,
            wanted.Resp ?? made?.RespPort ?? 7401,
            wanted.Http ?? made?.HttpPort ?? 7501,
            wanted.Peer ?? made?.PeerPort ?? 7601,
            zones ?? made?.Zones ?? [],
            wanted.Cluster ?? made?.ClusterPort ?? 0);
    }

    private static async Task<int> Run(
        string folder, UpSettings settings, string? memory, bool restart, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        string? share = memory ?? ShareOfMemory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, settings.Nodes);
        if (share is null)
        {
            return Refuse(ExitCode.Unavailable, TooLittleMemory(settings.Nodes));
        }

        string key = Path.Combine(folder, MasterKeyFile);
        using var output = new EventLines(StandardStream.Output.Write);
        using var cluster = new LocalCluster(
            folder, settings, [new("memory", share), new("master-key-file", key)], output);
        long machineBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        string? wrong = settings.PortProblem() ?? cluster.SettingsProblem()
            ?? TooMuchMemory(cluster.MemoryBytes, machineBytes) ?? LostKey(folder, key, cluster);
        if (wrong is not null)
        {
            return Refuse(ExitCode.Usage, wrong);
        }

        if (cluster.Obstacle() is { } obstacle)
        {
            return Refuse(ExitCode.Unavailable, obstacle);
        }

        string? news = File.Exists(Path.Combine(folder, UpSettings.FileName)) ? cluster.NewFolders() : null;
        if (!TryMake(folder, key, settings, out bool madeKey, out string problem))
        {
            return Refuse(ExitCode.Unavailable, problem);
        }

        using var signals = new StopSignals(stop);
        output.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"Starting {settings.Nodes} {(settings.Nodes == 1 ? "node" : "nodes")} in {folder}, each with {share}."));
        if (cluster.MemoryBytes * settings.Nodes > machineBytes)
        {
            output.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"Together that is more than the {machineBytes >> 20} MiB that this machine or container has: when "
                    + $"they need it all, the system ends some of them. Less by --memory is safer."));
        }

        if (madeKey)
        {
            output.Say($"The key of encrypted keyspaces is in {key}; keep a copy, without it they are lost.");
        }

        if (news is not null)
        {
            output.Say(news);
        }

        return (int)await Run(folder, cluster, restart, clock, output, signals).ConfigureAwait(false);
    }

    private static async Task<ExitCode> Run(
        string folder, LocalCluster cluster, bool restart, Stopwatch clock, EventLines output, StopSignals signals)
    {
        cluster.Start();
        (string? problem, ExitCode code) = await cluster.WaitUntilReady(ReadyTime, signals.Token).ConfigureAwait(false);
        if (problem is null && !signals.Token.IsCancellationRequested)
        {
            output.Say(Welcome(folder, cluster, clock.Elapsed));
            await cluster.Follow(restart, signals.Token).ConfigureAwait(false);
            await UntilStopped(signals.Token).ConfigureAwait(false);
        }

        output.Say("Stopping.");
        bool wentWell = await cluster.Stop(signals.Again).ConfigureAwait(false);
        if (problem is not null)
        {
            Refuse(code, problem);
            return code;
        }

        return signals.Again.IsCompleted ? ExitCode.Interrupted : wentWell ? ExitCode.Ok : ExitCode.Failed;
    }

    private static int Refuse(ExitCode code, string problem)
    {
        Console.Error.WriteLine($"quorate up: {problem}");
        return (int)code;
    }

    /// <summary>
    /// Makes the folder, the key where there is none, and what a later start reads; or says what failed.
    /// </summary>
    private static bool TryMake(
        string folder, string key, UpSettings settings, out bool madeKey, out string problem)
    {
        madeKey = false;
        problem = "";
        try
        {
            Directory.CreateDirectory(folder);
            madeKey = MakeMasterKey(key);
            settings.Write(folder);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"the folder {Path.GetFullPath(folder)} cannot be made or written: {e.Message.TrimEnd('.')}. "
                + "Name another by --data.";
            return false;
        }
    }

    private static string Welcome(string folder, LocalCluster cluster, TimeSpan time)
    {
        var lines = new List<string> { "" };
        foreach (LocalNode node in cluster.Nodes)
        {
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"  node {node.Number}  redis 127.0.0.1:{node.RespPort}  http 127.0.0.1:{node.HttpPort}  "
                    + $"zone {node.Zone}  process {node.ProcessId}"));
        }

        LocalNode first = cluster.Nodes[0];
        LocalNode last = cluster.Nodes[^1];
        lines.Add("");
        lines.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"Ready after {time.TotalSeconds:F1} s: every partition has a leader. Try, in another terminal:"));
        lines.Add("");
        lines.Add($"  redis-cli -p {first.RespPort} SET greeting hello");
        lines.Add($"  redis-cli -p {last.RespPort} GET greeting");
        lines.Add(cluster.Nodes.Count > 2
            ? $"  kill -9 $(cat {Path.Combine(folder, "node-1", "pid")}); redis-cli -p {last.RespPort} GET greeting"
            : $"  ./quorate bench --hosts 127.0.0.1:{first.RespPort} --seconds 5");
        lines.Add("");
        lines.Add("Ctrl-C stops the cluster; `./quorate up` starts it again with its data. What happens stands below.");
        return string.Join(Environment.NewLine, lines);
    }

    private static async Task UntilStopped(CancellationToken stop)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // That is what was waited for.
        }
    }

    private static bool MakeMasterKey(string path)
    {
        if (File.Exists(path))
        {
            return false;
        }

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new StreamWriter(path, options);
        file.WriteLine(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        return true;
    }

    /// <summary>
    /// Half of what the machine or the container has, divided among the nodes; more where that holds no node and all of
    /// it holds them; null where it does not.
    /// </summary>
    internal static string? ShareOfMemory(long availableBytes, int nodes)
    {
        long bytes = Math.Max(MemoryPlan.BytesMin, availableBytes / 2 / nodes);
        return bytes * nodes > availableBytes
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20}MiB");
    }

    /// <summary>Why no node can have that much, in bytes; null when one could.</summary>
    internal static string? TooMuchMemory(long nodeBytes, long machineBytes) => nodeBytes <= machineBytes
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"--memory: {nodeBytes >> 20} MiB for each node is more than the {machineBytes >> 20} MiB that this "
                + $"machine or container has. Say less, or leave --memory away.");

    /// <summary>
    /// Why there must not be a new key: what is there may be encrypted by the one that is gone. Null when all is new.
    /// </summary>
    private static string? LostKey(string folder, string key, LocalCluster cluster)
    {
        string settings = Path.Combine(folder, UpSettings.FileName);
        LocalNode? old = cluster.Nodes.FirstOrDefault(
            node => Directory.Exists(node.Folder) && Directory.EnumerateFileSystemEntries(node.Folder).Any());
        string? sign = File.Exists(settings) ? settings : old?.Folder;
        return sign is null || File.Exists(key)
            ? null
            : $"the file {key} is missing, though {sign} shows that this cluster was made before: put a copy of it "
                + "back, another key opens nothing of it; or name another folder by --data for a new cluster.";
    }

    private static string TooLittleMemory(int nodes) => string.Create(
        CultureInfo.InvariantCulture,
        $"too little memory for {nodes} nodes: each takes {MemoryPlan.BytesMin >> 20} MiB at least. Start "
            + $"fewer (--nodes), or say --memory {MemoryPlan.BytesMin >> 20}MiB to try all the same.");

    private static Option<int?> Port(string name, string whose, int unlessSaid) => new(name)
    {
        Description = $"For {whose}: the first node's port, the others count up; {unlessSaid} unless said.",
        HelpName = "port",
    };

    private sealed record Wanted(int? Nodes, int? Resp, int? Http, int? Peer, int? Cluster, string[]? Zones);

    /// <summary>Ctrl-C and SIGTERM, as one token; the process goes on until it has stopped its nodes.</summary>
    private sealed class StopSignals : IDisposable
    {
        /// <summary>Within this a second signal is taken for an echo of the first.</summary>
        private static readonly TimeSpan Echo = TimeSpan.FromSeconds(1);

        private readonly CancellationTokenSource _source;
        private readonly PosixSignalRegistration[] _registrations;
        private readonly TaskCompletionSource _again = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _toldAt;

        public StopSignals(CancellationToken stop)
        {
            _source = CancellationTokenSource.CreateLinkedTokenSource(stop);
            _registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
                .Select(signal => PosixSignalRegistration.Create(signal, context =>
                {
                    context.Cancel = true;
                    Take();
                }))];
        }

        /// <summary>Ends when a second signal has come: nobody wants to wait any longer.</summary>
        public Task Again => _again.Task;

        public CancellationToken Token => _source.Token;

        private void Take()
        {
            long before = Interlocked.CompareExchange(ref _toldAt, Stopwatch.GetTimestamp(), 0);
            if (before == 0)
            {
                _source.Cancel();
            }
            else if (Stopwatch.GetElapsedTime(before) > Echo)
            {
                _again.TrySetResult();
            }
        }

        public void Dispose()
        {
            foreach (PosixSignalRegistration registration in _registrations)
            {
                registration.Dispose();
            }

            _source.Dispose();
        }
    }
}
