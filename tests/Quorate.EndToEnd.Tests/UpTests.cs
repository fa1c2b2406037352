using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>`quorate up` as a process, with the nodes that it starts.</summary>
public sealed class UpTests : IDisposable
{
    private const int Interrupted = 130;

    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-up-").FullName;
    private readonly StringBuilder _said = new();
    private int _resp;
    private int _http;
    private Process? _up;

    public void Dispose()
    {
        if (_up is { HasExited: false })
        {
            _up.Kill(entireProcessTree: true);
            _up.WaitForExit();
        }

        _up?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_killed_node_comes_back_by_itself_where_that_was_asked_for()
    {
        Start(3, "--restart");
        await UntilFollowed();
        await Until(() => Ask(1, "SET", "a", "1") == "+OK", "a write is done");
        int killed = ProcessOf(2);
        Signal("KILL", killed);
        await Until(() => Said.Contains("node 2 runs as process", StringComparison.Ordinal), "node 2 is started");
        Assert.Contains("node 2 was killed by signal 9", Said, StringComparison.Ordinal);
        await UntilReady(3);
        Assert.NotEqual(killed, ProcessOf(2));
        await Until(() => Ask(2, "GET", "a") == "1", "it has what was written");
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());
    }

    [Fact]
    public async Task The_command_that_is_printed_for_a_dead_node_starts_it_as_it_stands()
    {
        Start(3);
        await UntilFollowed();
        await Until(() => Ask(1, "SET", "a", "1") == "+OK", "a write is done");
        Signal("KILL", ProcessOf(3));
        const string Words = "Start it again: ";
        await Until(() => Said.Contains(Words, StringComparison.Ordinal), "the command is printed");
        string line = Said[(Said.IndexOf(Words, StringComparison.Ordinal) + Words.Length)..].Split('\n')[0];
        using var again = Process.Start(new ProcessStartInfo("sh", ["-c", line])
        {
            RedirectStandardError = true, UseShellExecute = false,
        })!;
        again.ErrorDataReceived += (_, _) => { };
        again.BeginErrorReadLine();
        await UntilReady(3);
        await Until(() => Ask(3, "GET", "a") == "1", "it has what was written");

        // Whoever has started it, the end of `up` is its end, too.
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());
        Assert.True(again.WaitForExit(Soon.Patience), "the node that was started by hand ends");
        Assert.Equal(0, again.ExitCode);
    }

    [Fact]
    public async Task Cluster_ports_are_opened_where_they_are_asked_for_and_stay_so()
    {
        int port = TestPorts.Take(1)[0];
        Start(1, "--cluster-port", Text(port));
        await UntilReady(1);
        Assert.Contains("cluster_state:ok", ClusterInfo(port), StringComparison.Ordinal);
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());

        // The folder says so.
        Start(1);
        await UntilReady(1);
        Assert.Contains("cluster_state:ok", ClusterInfo(port), StringComparison.Ordinal);
    }

    private static string ClusterInfo(int port)
    {
        using var session = new RespSession(new IPEndPoint(IPAddress.Loopback, port));
        return session.Call("CLUSTER", "INFO");
    }

    [Fact]
    public async Task Whoever_does_not_want_to_wait_says_so_twice()
    {
        Start(1);
        await UntilReady(1);
        Assert.Equal("+OK", Ask(1, "SET", "a", new string('x', 1 << 20)));
        using RespSession deaf = new(new(IPAddress.Loopback, _resp));
        for (int i = 0; i < 20; i++)
        {
            // What it does not read holds the node's stop up until the second signal comes.
            deaf.Send("GET", "a");
        }

        Tools.SignalUntilEnd("INT", _up!.Id);
        Assert.Equal(Interrupted, WaitForEnd());
        Assert.Contains("was not waited for", Said, StringComparison.Ordinal);
        Start(1);
        await UntilReady(1);
        Assert.Equal(":1048576", Ask(1, "STRLEN", "a"));
    }

    [Fact]
    public async Task What_happens_is_told_with_one_time_and_by_the_names_that_people_know()
    {
        Start(3);
        await UntilFollowed();

        // The others know that it leads something, so that they miss it.
        await Until(() => LedBy(1, 2).Intersect(LedBy(1, 3)).Any(), "node 1 leads a partition");
        Signal("KILL", ProcessOf(1));
        await Until(
            () => Said.Split('\n').Any(IsOfPartition), "an election is told");
        string line = Said.Split('\n').First(IsOfPartition);
        Assert.Matches(
            @"^\d\d:\d\d:\d\d\.\d{3} node [23]: election: Node \d leads "
                + @"(partition default/\d+ in term \d+|\d+ partitions) \(", line);

        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());

        static bool IsOfPartition(string line) => line.Contains("fell silent", StringComparison.Ordinal)
            && line.Contains("default/", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_cannot_start_ends_it_with_the_node_s_own_code()
    {
        Start(1);
        await UntilReady(1);
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());
        File.WriteAllText(Path.Combine(_folder, "node-1", "files", "cluster-map"), "of somebody else");
        Start(1);
        Assert.Equal(65, WaitForEnd());
        Assert.Contains("node 1 ended with exit code 65", Said, StringComparison.Ordinal);
        Assert.Contains("do not empty it", Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_master_key_is_no_reason_to_empty_a_folder()
    {
        Start(3);
        await UntilReady(3);
        await Until(
            () => Ask(1, "KEYSPACE", "CREATE", "secret", "ENCRYPT", "on", "PARTITIONS", "1")?[0] == '+',
            "an encrypted keyspace is made");
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());
        File.WriteAllText(Path.Combine(_folder, "master.key"), new string('a', 64));
        Start(3);
        Assert.Equal(65, WaitForEnd());
        Assert.Contains("does not open data key", Said, StringComparison.Ordinal);
        Assert.DoesNotContain("empty the folder", Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_one_is_told_who_has_the_folder()
    {
        Start(3);
        await UntilReady(3);
        (int code, string _, string error) = Tools.Run(ServedNode.Program, "up", "--data", _folder);
        Assert.Equal(69, code);
        Assert.StartsWith(
            $"quorate up: Another 'quorate up' (process {_up!.Id}) has this folder", error, StringComparison.Ordinal);

        // Nodes whose `up` is gone are stopped by themselves.
        Signal("KILL", _up!.Id);
        Assert.True(_up.WaitForExit(Soon.Patience));
        (code, _, error) = Tools.Run(ServedNode.Program, "up", "--data", _folder);
        int[] nodes = [ProcessOf(1), ProcessOf(2), ProcessOf(3)];
        Signal("KILL", nodes[1]);
        Signal("KILL", nodes[2]);
        Assert.Equal(69, code);
        Assert.StartsWith(
            $"quorate up: Nodes 1, 2, 3 of this folder run already: 'kill {string.Join(' ', nodes)}' stops", error,
            StringComparison.Ordinal);
        (code, _, error) = Tools.Run(ServedNode.Program, "up", "--data", _folder);
        Signal("KILL", nodes[0]);
        Assert.Equal(69, code);
        Assert.StartsWith("quorate up: Node 1 of this folder runs already: 'kill ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_new_in_an_old_cluster_is_told()
    {
        Start(3);
        await UntilReady(3);
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());
        Assert.DoesNotContain("is new", Said, StringComparison.Ordinal);
        Directory.Delete(Path.Combine(_folder, "node-2"), recursive: true);
        Start(3);
        await UntilReady(3);
        await Until(
            () => Said.Contains(
                "The folder of node 2 is new, though this cluster is not: it joins as another node",
                StringComparison.Ordinal),
            "it is told that a folder is new");
        Signal("INT", _up!.Id);
        Assert.Equal(0, WaitForEnd());
    }

    private string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    private void Start(int nodes, params string[] more)
    {
        if (_resp == 0)
        {
            _resp = TestPorts.Take(3 * nodes)[0];
            _http = _resp + nodes;
        }

        _up?.Dispose();
        _up = new Process
        {
            StartInfo = new(ServedNode.Program, [
                "up", "--data", _folder, "--nodes", Text(nodes), "--memory", "512MiB", "--resp-port", Text(_resp),
                "--http-port", Text(_http), "--peer-port", Text(_http + nodes), .. more,
            ])
            {
                RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            },
        };
        _up.OutputDataReceived += (_, line) => Hear(line.Data);
        _up.ErrorDataReceived += (_, line) => Hear(line.Data);
        _up.Start();
        _up.BeginOutputReadLine();
        _up.BeginErrorReadLine();
    }

    private string? Ask(int node, params string[] words)
    {
        using RespSession session = new(new(IPAddress.Loopback, _resp + node - 1));
        return session.TryCall(words);
    }

    /// <summary>The partitions of `default` that a node leads, as another knows it.</summary>
    private string[] LedBy(uint leader, int asked)
    {
        using var http = new HttpClient { Timeout = Soon.Patience };
        using HttpResponseMessage answer = http.Send(
            new(HttpMethod.Get, new Uri($"http://127.0.0.1:{_http + asked - 1}/status")));
        using JsonDocument status = JsonDocument.Parse(answer.Content.ReadAsStream());
        return
        [
            .. status.RootElement.GetProperty("report").GetProperty("partitions").EnumerateArray()
                .Where(partition => partition.GetProperty("leader") is { ValueKind: JsonValueKind.Number } known
                    && known.GetUInt32() == leader)
                .Select(partition => partition.GetProperty("name").GetString()!)
                .Where(name => name.StartsWith("default/", StringComparison.Ordinal)),
        ];
    }

    private int ProcessOf(int node) => int.Parse(
        File.ReadAllText(Path.Combine(_folder, $"node-{node}", "pid")), CultureInfo.InvariantCulture);

    private static void Signal(string name, int process) => Tools.Do("kill", $"-{name}", Text(process));

    private int WaitForEnd()
    {
        Assert.True(_up!.WaitForExit(Soon.Patience), $"it does not end; it said: {Said}");
        _up.WaitForExit();
        return _up.ExitCode;
    }

    /// <summary>Before that a node that dies is one that did not start.</summary>
    private Task UntilFollowed() =>
        Until(() => Said.Contains("Ready after", StringComparison.Ordinal), "it follows its nodes");

    private async Task UntilReady(int nodes)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        for (int node = 0; node < nodes; node++)
        {
            var ready = new Uri($"http://127.0.0.1:{_http + node}/health/ready");
            await Until(
                () =>
                {
                    try
                    {
                        using HttpResponseMessage answer = http.Send(new(HttpMethod.Get, ready));
                        return answer.StatusCode == HttpStatusCode.OK;
                    }
                    catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                    {
                        return false;
                    }
                },
                "every node is ready");
        }
    }

    private async Task Until(Func<bool> isSo, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(clock.Elapsed < Soon.Patience, $"not in {Soon.Patience}: {what}\n{Said}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
