using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
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
            nodes, data, resp, http, peer, zones, memory, restart,
        };
        up.SetAction(async (parsed, stop) =>
        {
            string folder = parsed.GetValue(data)!;
            var wanted = new Wanted(
                parsed.GetValue(nodes),
                parsed.GetValue(resp),
                parsed.GetValue(http),
                parsed.GetValue(peer),
                parsed.GetValue(zones)?.Split(',', StringSplitOptions.TrimEntries));
            if (Settle(folder, wanted, out string problem) is not { } settings)
            {
                await Console.Error.WriteLineAsync($"quorate up: {problem}").ConfigureAwait(false);
                return (int)ExitCode.Usage;
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
            zones ?? made?.Zones ?? []);
    }

    private static async Task<int> Run(
        string folder, UpSettings settings, string? memory, bool restart, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        Directory.CreateDirectory(folder);
        string key = Path.Combine(folder, MasterKeyFile);
        bool madeKey = MakeMasterKey(key);
        string? share = memory ?? ShareOfMemory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, settings.Nodes);
        if (share is null)
        {
            await Console.Error.WriteLineAsync(TooLittleMemory(settings.Nodes)).ConfigureAwait(false);
            return (int)ExitCode.Unavailable;
        }

        using var cluster = new LocalCluster(
            folder, settings, ["--memory", share, "--master-key-file", key], Console.Out);
        if (cluster.Obstacle() is { } obstacle)
        {
            await Console.Error.WriteLineAsync($"quorate up: {obstacle}").ConfigureAwait(false);
            return (int)ExitCode.Unavailable;
        }

        settings.Write(folder);
        using var signals = new StopSignals(stop);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Starting {settings.Nodes} {(settings.Nodes == 1 ? "node" : "nodes")} in {folder}, each with {share}."));
        if (madeKey)
        {
            Console.WriteLine($"The key of encrypted keyspaces is in {key}; keep a copy, without it they are lost.");
        }

        cluster.Start();
        string? problem = await cluster.WaitUntilReady(ReadyTime, signals.Token).ConfigureAwait(false);
        if (problem is null && !signals.Token.IsCancellationRequested)
        {
            Console.WriteLine(Welcome(folder, cluster, clock.Elapsed));
            await cluster.Follow(restart, signals.Token).ConfigureAwait(false);
            await UntilStopped(signals.Token).ConfigureAwait(false);
        }

        Console.WriteLine("Stopping.");
        bool wentWell = await cluster.Stop(signals.Again).ConfigureAwait(false);
        if (problem is not null)
        {
            await Console.Error.WriteLineAsync($"quorate up: {problem}").ConfigureAwait(false);
            return (int)ExitCode.Unavailable;
        }

        return signals.Again.IsCompleted ? (int)ExitCode.Interrupted
            : wentWell ? (int)ExitCode.Ok : (int)ExitCode.Failed;
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

    private static string TooLittleMemory(int nodes) => string.Create(
        CultureInfo.InvariantCulture,
        $"quorate up: too little memory for {nodes} nodes: each takes {MemoryPlan.BytesMin >> 20} MiB at least. Start "
            + $"fewer (--nodes), or say --memory {MemoryPlan.BytesMin >> 20}MiB to try all the same.");

    private static Option<int?> Port(string name, string whose, int unlessSaid) => new(name)
    {
        Description = $"For {whose}: the first node's port, the others count up; {unlessSaid} unless said.",
        HelpName = "port",
    };

    private sealed record Wanted(int? Nodes, int? Resp, int? Http, int? Peer, string[]? Zones);

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
