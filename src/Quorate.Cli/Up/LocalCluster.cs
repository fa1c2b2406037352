using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Quorate.Server.Settings;
using Quorate.Storage;

namespace Quorate.Cli.Up;

/// <summary>The nodes that `quorate up` runs: started, waited for, followed, stopped.</summary>
internal sealed class LocalCluster : IDisposable
{
    /// <summary>A node that asks for it is started again after this, doubled with each end that follows soon.</summary>
    private static readonly TimeSpan RestartAfter = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RestartAfterMax = TimeSpan.FromSeconds(30);

    /// <summary>A node that has run for so long begins anew with its waits.</summary>
    private static readonly TimeSpan RanWell = TimeSpan.FromMinutes(1);

    /// <summary>What a node may take to hand over and to write its checkpoints.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly EventLines _output;
    private readonly ElectionBursts _bursts;
    private readonly List<LocalNode> _nodes = [];
    private volatile bool _isQuiet = true;

    /// <param name="more">Settings that all nodes get.</param>
    public LocalCluster(
        string folder, UpSettings settings, IReadOnlyList<KeyValuePair<string, string>> more, EventLines output)
    {
        _output = output;
        _bursts = new ElectionBursts(Tell);
        for (int number = 1; number <= settings.Nodes; number++)
        {
            _nodes.Add(new LocalNode(number, folder, settings, more, Said));
        }
    }

    public IReadOnlyList<LocalNode> Nodes => _nodes;

    /// <summary>What is wrong with what a node would be started with, in whatever place that was said.</summary>
    public string? SettingsProblem()
    {
        foreach (LocalNode node in _nodes)
        {
            bool isRight = SettingsReader.Read(
                node.Settings, Environment.GetEnvironmentVariables(), null, out string problem) is not null;
            if (!isRight)
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>What each node may take, in bytes; once <see cref="SettingsProblem"/> has found nothing.</summary>
    public long MemoryBytes => SettingsReader.Read(
        _nodes[0].Settings, Environment.GetEnvironmentVariables(), null, out _)?.MemoryBytes ?? 0;

    /// <summary>
    /// Whose folders are new or empty, in a cluster that has been there before: a sentence for the operator; else null.
    /// </summary>
    public string? NewFolders()
    {
        LocalNode[] fresh = [.. _nodes.Where(node => !node.IsFormed)];
        if (fresh.Length == _nodes.Count)
        {
            return "No node's folder holds any data, though this cluster was made before: a new and empty one is "
                + "founded. If the folders are elsewhere, stop now and put them back.";
        }

        string numbers = string.Join(" and ", fresh.Select(node => node.Number));
        return fresh.Length == 0
            ? null
            : $"The folder of node {numbers} is new, though this cluster is not: it joins as another node, and what "
                + "the one before it held is not made anew elsewhere. If that folder is only in another place, stop "
                + "now, put it back and start again.";
    }

    /// <summary>Why it can not be started; null when nothing is in the way.</summary>
    public string? Obstacle()
    {
        if (_nodes.Select(node => node.ForeignUp).FirstOrDefault(up => up is not null) is { } other)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"Another 'quorate up' (process {other}) has this folder and runs its nodes: Ctrl-C there, or "
                    + $"'kill {other}', stops them all.");
        }

        // As when an 'up' before was killed and could not stop them.
        (int Node, int Process)[] running =
        [
            .. _nodes.Where(node => node.ForeignProcess is not null)
                .Select(node => (node.Number, node.ForeignProcess!.Value)),
        ];
        if (running is [(int number, int process)])
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"Node {number} of this folder runs already: 'kill {process}' stops its process.");
        }

        if (running.Length > 1)
        {
            string numbers = string.Join(", ", running.Select(each => each.Node));
            string processes = string.Join(' ', running.Select(each => each.Process));
            return $"Nodes {numbers} of this folder run already: 'kill {processes}' stops their processes.";
        }

        foreach (LocalNode node in _nodes)
        {
            string? taken = PortObstacle(node, node.RespPort, "Redis clients", "--resp-port")
                ?? PortObstacle(node, node.HttpPort, "HTTP", "--http-port")
                ?? PortObstacle(node, node.PeerPort, "its peers", "--peer-port")
                ?? (node.ClusterPort == 0
                    ? null
                    : PortObstacle(node, node.ClusterPort, "clients that know clusters", "--cluster-port"));
            if (taken is not null)
            {
                return taken;
            }
        }

        return null;
    }

    public void Start()
    {
        foreach (LocalNode node in _nodes)
        {
            node.Start();
        }
    }

    /// <summary>
    /// Waits until each node says that it is ready; no problem then, else a sentence that says which one is not, and
    /// why, and what to exit with.
    /// </summary>
    public async Task<(string? Problem, ExitCode Code)> WaitUntilReady(TimeSpan time, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var waiting = new List<LocalNode>(_nodes);
        while (waiting.Count > 0 && clock.Elapsed < time && !stop.IsCancellationRequested)
        {
            foreach (LocalNode node in waiting.ToArray())
            {
                if (node.ExitCode is { } code)
                {
                    // All that it said has been read then.
                    await node.WaitForEnd(StopTime).ConfigureAwait(false);
                    _isQuiet = false;
                    return ($"node {node.Number} {HowItEnded(code)}; what it said stands above.{AdviceFor(node)}",
                        CodeFor(code));
                }

                if (await IsReady(node, stop).ConfigureAwait(false))
                {
                    waiting.Remove(node);
                }
            }

            await Task.Delay(LookAgain, CancellationToken.None).ConfigureAwait(false);
        }

        _isQuiet = false;
        return waiting.Count == 0 || stop.IsCancellationRequested
            ? (null, ExitCode.Ok)
            : ($"node {waiting[0].Number} is not ready after {time.TotalSeconds:F0} s: see "
                + $"http://127.0.0.1:{waiting[0].HttpPort}/health/ready.", ExitCode.Unavailable);
    }

    /// <summary>Tells of each node that ends, and starts it again where that is asked for, until stopped.</summary>
    public async Task Follow(bool restart, CancellationToken stop)
    {
        var all = _nodes.Select(node => FollowNode(node, restart, stop));
        await Task.WhenAll(all).ConfigureAwait(false);
    }

    /// <summary>Stops all nodes, well if they can; true when each did.</summary>
    /// <param name="again">When it ends, those that have not ended are killed.</param>
    public async Task<bool> Stop(Task again)
    {
        foreach (LocalNode node in _nodes)
        {
            node.Stop();
        }

        bool wentWell = true;
        var clock = Stopwatch.StartNew();
        foreach (LocalNode node in _nodes)
        {
            TimeSpan left = StopTime - clock.Elapsed;
            Task<bool> end = node.WaitForEnd(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            await Task.WhenAny(end, again).ConfigureAwait(false);
            if (!end.IsCompleted || !await end.ConfigureAwait(false))
            {
                string why = again.IsCompleted
                    ? "was not waited for"
                    : string.Create(CultureInfo.InvariantCulture, $"did not stop within {StopTime.TotalSeconds:F0} s");
                Tell($"node {node.Number} {why} and was killed; nothing acknowledged is lost.");
                node.KillNow();
                wentWell = false;
            }
        }

        return wentWell;
    }

    public void Dispose()
    {
        foreach (LocalNode node in _nodes)
        {
            node.Dispose();
        }

        _bursts.Dispose();
        _http.Dispose();
    }

    public void Tell(string sentence) => Tell(DateTimeOffset.Now, sentence);

    /// <summary>A line of a node, under the time that it names itself if it does.</summary>
    internal static (DateTimeOffset? Time, string Text) Parse(string line)
    {
        int end = line.IndexOf(' ', StringComparison.Ordinal);
        bool isTimed = end > 0 && DateTimeOffset.TryParseExact(
            line.AsSpan(0, end), EventLines.TimeFormat, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out _);
        if (isTimed)
        {
            return (DateTimeOffset.ParseExact(
                line.AsSpan(0, end), EventLines.TimeFormat, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal), line[(end + 1)..]);
        }

        const string Program = "quorate: ";
        return (null, line.StartsWith(Program, StringComparison.Ordinal) ? line[Program.Length..] : line);
    }

    private static string HowItEnded(int code) => code > 128 && !Enum.IsDefined((ExitCode)code)
        ? string.Create(CultureInfo.InvariantCulture, $"was killed by signal {code - 128}")
        : string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}");

    /// <summary>Its own exit code, where that says something (docs/operating).</summary>
    private static ExitCode CodeFor(int code) =>
        (ExitCode)code is not (ExitCode.Ok or ExitCode.Failed) && Enum.IsDefined((ExitCode)code)
            ? (ExitCode)code
            : ExitCode.Unavailable;

    /// <summary>What the node's own word of a damaged folder lacks: how many other copies there are here.</summary>
    private string AdviceFor(LocalNode node) =>
        node.LastLine.Contains(FolderAdvice.Sentence, StringComparison.Ordinal) && _nodes.Count < 3
            ? " No other node here holds all that it held, so do not empty its folder."
            : "";

    private void Tell(DateTimeOffset time, string sentence) => _output.Say(
        string.Create(CultureInfo.InvariantCulture, $"{time.ToLocalTime():HH:mm:ss.fff} {sentence}"));

    private async Task FollowNode(LocalNode node, bool restart, CancellationToken stop)
    {
        TimeSpan wait = RestartAfter;
        while (true)
        {
            var ran = Stopwatch.StartNew();
            while (!await node.WaitForEnd(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false))
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }
            }

            if (stop.IsCancellationRequested)
            {
                return;
            }

            int code = node.ExitCode ?? 0;
            string how = HowItEnded(code);
            if (!restart)
            {
                Tell($"node {node.Number} {how}.{AdviceFor(node)} Start it again: "
                    + Executable.Line(node.Arguments));
                return;
            }

            wait = ran.Elapsed > RanWell ? RestartAfter : wait;
            Tell($"node {node.Number} {how}; it is started again in {wait.TotalSeconds:F0} s.");
            try
            {
                await Task.Delay(wait, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            wait = wait * 2 < RestartAfterMax ? wait * 2 : RestartAfterMax;
            node.Start();
            Tell($"node {node.Number} runs as process {node.ProcessId}.");
        }
    }

    private async Task<bool> IsReady(LocalNode node, CancellationToken stop)
    {
        try
        {
            var address = new Uri($"http://127.0.0.1:{node.HttpPort}/health/ready");
            using HttpResponseMessage response = await _http.GetAsync(address, stop).ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private void Said(LocalNode node, string line)
    {
        // While all of them start, only what goes wrong is worth a line.
        if (!_isQuiet || node.ExitCode is not null || line.StartsWith("quorate", StringComparison.Ordinal))
        {
            (DateTimeOffset? time, string text) = Parse(line);
            _bursts.Tell(node.Number, time ?? DateTimeOffset.Now, text);
        }
    }

    private static string? PortObstacle(LocalNode node, int port, string what, string option) => IsTaken(port)
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"Port {port}, on which node {node.Number} listens for {what}, is taken: stop the program that listens "
                + $"there, or choose other ports by {option}.")
        : null;

    private static bool IsTaken(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
