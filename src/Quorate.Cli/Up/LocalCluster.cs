using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

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
    private readonly TextWriter _output;
    private readonly List<LocalNode> _nodes = [];
    private readonly Lock _outputLock = new();
    private volatile bool _isQuiet = true;

    public LocalCluster(string folder, UpSettings settings, IReadOnlyList<string> more, TextWriter output)
    {
        _output = output;
        for (int number = 1; number <= settings.Nodes; number++)
        {
            _nodes.Add(new LocalNode(number, folder, settings, more, Said));
        }
    }

    public IReadOnlyList<LocalNode> Nodes => _nodes;

    /// <summary>Why it can not be started; null when nothing is in the way.</summary>
    public string? Obstacle()
    {
        foreach (LocalNode node in _nodes)
        {
            if (node.ForeignProcess is { } process)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Node {node.Number} of this folder runs already: 'kill {process}' stops its process.");
            }

            string? taken = PortObstacle(node, node.RespPort, "Redis clients", "--resp-port")
                ?? PortObstacle(node, node.HttpPort, "HTTP", "--http-port")
                ?? PortObstacle(node, node.PeerPort, "its peers", "--peer-port");
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
    /// Waits until each node says that it is ready; null then, else a sentence that says which one is not, and why.
    /// </summary>
    public async Task<string?> WaitUntilReady(TimeSpan time, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var waiting = new List<LocalNode>(_nodes);
        while (waiting.Count > 0 && clock.Elapsed < time && !stop.IsCancellationRequested)
        {
            foreach (LocalNode node in waiting.ToArray())
            {
                if (node.ExitCode is { } code)
                {
                    return $"node {node.Number} ended with exit code {code}; what it said stands above.";
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
            ? null
            : $"node {waiting[0].Number} is not ready after {time.TotalSeconds:F0} s: see "
                + $"http://127.0.0.1:{waiting[0].HttpPort}/health/ready.";
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

        _http.Dispose();
    }

    public void Tell(string sentence)
    {
        lock (_outputLock)
        {
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {sentence}"));
        }
    }

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

            string how = node.ExitCode is > 128 and var code
                ? $"was killed by signal {code - 128}"
                : $"ended with exit code {node.ExitCode}";
            if (!restart)
            {
                Tell($"node {node.Number} {how}. Start it again: {Executable.Line(node.Arguments)}");
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
            Tell($"node {node.Number}: {line}");
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
