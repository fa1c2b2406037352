using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>A node as a real process: `quorate serve`, with a folder and three ports of its own.</summary>
internal sealed class ServedNode : IDisposable
{
    /// <summary>The executable that is tested.</summary>
    public static readonly string Program = Find();

    private static readonly string[] SmallMemory = ["--memory", "512MiB"];
    private static readonly string[] ErrorsForLater = ["-CLUSTERDOWN ", "-TRYAGAIN ", "-LOADING ", "-REFUSED "];

    private readonly StringBuilder _said = new();
    private readonly string[] _arguments;
    private readonly IPAddress _address;
    private Process? _process;

    /// <param name="folder">Of its data.</param>
    /// <param name="ports">For Redis clients, for HTTP, for the other nodes.</param>
    public ServedNode(string folder, int[] ports, params string[] more)
        : this(folder, IPAddress.Loopback, ports, more)
    {
    }

    public ServedNode(string folder, IPAddress address, int[] ports, params string[] more)
    {
        Folder = folder;
        _address = address;
        (RespPort, HttpPort, PeerPort) = (ports[0], ports[1], ports[2]);
        _arguments =
        [
            "serve", "--data", folder, "--resp-port", Text(RespPort), "--http-port", Text(HttpPort), "--peer-port",
            Text(PeerPort), .. more.Contains("--memory", StringComparer.Ordinal) ? [] : SmallMemory, .. more,
        ];
    }

    public string Folder { get; }

    /// <summary>A program and its arguments that starts the node, instead of the node itself.</summary>
    public string[] Launcher { get; set; } = [];

    /// <summary>Variables of its environment besides those of the tests.</summary>
    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public IPEndPoint Resp => new(_address, RespPort);

    public int RespPort { get; }

    public int HttpPort { get; }

    public int PeerPort { get; }

    public int ProcessId => _process!.Id;

    /// <summary>All that it printed since it was made.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    public void Start()
    {
        string[] words = [.. Launcher, Program, .. _arguments];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };

        // What says how long the tests run is no setting of a node.
        foreach (string name in LongRun.Variables)
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        _process?.Dispose();
        _process = new Process { StartInfo = start };
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", Text(ProcessId)]);
        kill.WaitForExit();
    }

    /// <summary>
    /// Goes on signalling until it has ended: which of the signals is the second one that counts is its affair, and the
    /// test need not be in time.
    /// </summary>
    public void SignalUntilEnd(string name) => Tools.SignalUntilEnd(name, ProcessId);

    /// <summary>Waits for its end; its exit code.</summary>
    /// <param name="time">How long, where that is what is tested.</param>
    public int WaitForEnd(TimeSpan? time = null)
    {
        Assert.True(_process!.WaitForExit(time ?? Soon.Patience), $"it does not end; it said: {Said}");

        // All that it printed has come, too.
        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>What a page of its HTTP port says; null when nobody answers.</summary>
    public async Task<(HttpStatusCode Code, string Text)?> Get(string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri($"http://{_address}:{HttpPort}{path}"));
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="Get"/>, of a node that runs: it answers, though perhaps not at once.</summary>
    public async Task<(HttpStatusCode Code, string Text)> Page(string path)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (await Get(path) is { } page)
            {
                return page;
            }

            Assert.True(clock.Elapsed < Soon.Patience, $"it does not answer {path}; it said: {Said}");
        }
    }

    /// <summary>As <see cref="Report"/>, of a node that runs and is in a cluster.</summary>
    public async Task<JsonElement> Reported()
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (await Report() is { } report)
            {
                return report;
            }

            Assert.True(clock.Elapsed < Soon.Patience, $"it reports nothing; it said: {Said}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until it says that clients may come.</summary>
    public async Task UntilReady()
    {
        var clock = Stopwatch.StartNew();
        while (await Get("/health/ready") is not { Code: HttpStatusCode.OK })
        {
            Assert.True(
                clock.Elapsed < Soon.Patience && !_process!.HasExited, $"it is not ready; it said: {Said}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What it reports about the cluster; null when it does not, or is in none yet.</summary>
    public async Task<JsonElement?> Report()
    {
        if (await Get("/status") is not { Code: HttpStatusCode.OK } page)
        {
            return null;
        }

        using JsonDocument status = JsonDocument.Parse(page.Text);
        return status.RootElement.TryGetProperty("report", out JsonElement report)
            && report.ValueKind == JsonValueKind.Object ? report.Clone() : null;
    }

    /// <summary>A connection of a client, that stays open.</summary>
    public RespSession Connect(TimeSpan? patience = null) => new(Resp, patience);

    /// <summary>Asks on a connection of its own; null when the connection breaks.</summary>
    public string? Ask(params string[] words)
    {
        try
        {
            using RespSession session = Connect();
            return session.TryCall(words);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>
    /// Asks on a connection of its own, again while it is told that surely nothing was done: on a busy machine leaders
    /// change at any moment. Null when the connection breaks.
    /// </summary>
    public async Task<string?> Do(params string[] words)
    {
        string? reply = null;
        await Soon.Is(
            () =>
            {
                reply = Ask(words);
                return !IsForLater(reply);
            },
            $"{string.Join(' ', words)} is done or refused for good");
        return reply;
    }

    /// <summary>As <see cref="Do"/>, of a keyspace.</summary>
    public async Task<string?> DoOf(string keyspace, params string[] words)
    {
        string? reply = null;
        await Soon.Is(
            () =>
            {
                reply = AskOf(keyspace, words);
                return !IsForLater(reply);
            },
            $"{string.Join(' ', words)} is done or refused for good");
        return reply;
    }

    /// <summary>It says that nothing was done and that a later try may have more luck.</summary>
    public static bool IsForLater(string? reply) => reply is not null
        && ErrorsForLater.Any(error => reply.StartsWith(error, StringComparison.Ordinal));

    /// <summary>Asks on a connection of its own, of a keyspace; null when the connection breaks.</summary>
    public string? AskOf(string keyspace, params string[] words)
    {
        try
        {
            using RespSession session = ConnectTo(keyspace);
            return session.TryCall(words);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    /// <summary>A connection that has chosen a keyspace.</summary>
    public RespSession ConnectTo(string keyspace, TimeSpan? patience = null)
    {
        RespSession session = Connect(patience);
        try
        {
            string chosen = session.Call("KEYSPACE", "USE", keyspace);
            return chosen == "+OK" ? session : throw new IOException($"KEYSPACE USE {keyspace}: {chosen}");
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>What the process has in memory, in bytes.</summary>
    public long ResidentBytes()
    {
        string line = File.ReadLines($"/proc/{Text(ProcessId)}/status")
            .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line["VmRSS:".Length..^"kB".Length], CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Signal("CONT");
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process?.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The executable is built beside this assembly, under the same name of configuration.</summary>
    private static string Find()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string program = Path.Combine(here.Parent!.Parent!.FullName, "Quorate.Cli", here.Name, "quorate");
        return File.Exists(program) ? program : throw new FileNotFoundException($"{program} is not built.");
    }

    private void Hear(string? line)
    {
        if (line is not null)
        {
            lock (_said)
            {
                _said.AppendLine(line);
            }
        }
    }
}
