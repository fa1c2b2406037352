using System.Diagnostics;
using System.Net;

namespace Quorate.EndToEnd.Tests;

/// <summary>`quorate shell` at a terminal and with lines that are piped in.</summary>
public sealed class ShellTests
{
    private const string Up = "\x1b[A";

    [Fact]
    public async Task A_conversation_at_a_terminal()
    {
        using var cluster = new ServedCluster(1, "--expect", "1");
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        string address = $"127.0.0.1:{cluster.Nodes[0].RespPort}";
        string prompt = $"default@{address}> ";
        using (var terminal = new Terminal(cluster.Folder, ServedNode.Program, "shell", address))
        {
            await terminal.UntilShows("Connected to node 1 ");
            await terminal.UntilShows($" at {address}.");
            await terminal.UntilShows("EXIT");
            await terminal.UntilShows(prompt);
            await terminal.Say("KEYSPACE USE whole", "OK", "primary> ");
            await terminal.Say("GET a", "a -> Not found", "primary> ");
            await terminal.Say("PUT a 1", "OK a = 1", "primary> ");
            await terminal.Say("GET a", "a -> 1", "primary> ");
            await terminal.Say("PUT b \"some words\"", "OK b = some words", "primary> ");
            await terminal.Say("GET b", "b -> some words", "primary> ");
            await terminal.Say(Up, "b -> some words", "primary> ");
            await terminal.Say("ech\tx", "x", "primary> ");
            await terminal.Say("MULTI", "OK", "primary(multi)> ");
            await terminal.Say("DISCARD", "OK", "primary> ");
            terminal.Type("HSET h one 1 two 2\rHGETALL h\r");
            await terminal.UntilShows("─────");
            await terminal.UntilShows("two");
            await terminal.UntilShows("primary> ");
            terminal.Type("not this\u0003EXIT\r");
            Assert.Equal(0, terminal.WaitForEnd());
        }

        // What was typed before is still known.
        using var second = new Terminal(cluster.Folder, ServedNode.Program, "shell", address);
        await second.UntilShows(prompt);
        await second.Say("SELECT whole", "OK", "primary> ");
        second.Type(string.Concat(Enumerable.Repeat(Up, 8)) + "\r");
        await second.UntilShows("b -> some words");
        second.Type("\u0004");
        Assert.Equal(0, second.WaitForEnd());
    }

    [Fact]
    public async Task A_replica_s_prompt_says_what_it_is_and_it_reads_what_was_written()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        await cluster.UntilSaysOf("whole", cluster.Nodes[0], "+OK", "SET", "a", "1");
        int replicas = 0;
        foreach (ServedNode node in cluster.Nodes)
        {
            await cluster.UntilSaysOf("whole", node, "1", "GET", "a");
            using var terminal = new Terminal(
                cluster.Folder, ServedNode.Program, "shell", $"127.0.0.1:{node.RespPort}");
            await terminal.UntilShows("> ");
            terminal.Type("KEYSPACE USE whole\r");
            await terminal.UntilShows("OK\r\n");
            string prompt = await terminal.UntilShows("> ");
            replicas += prompt.Contains("replica", StringComparison.Ordinal) ? 1 : 0;
            terminal.Type("GET a\r");
            await terminal.UntilShows("a -> 1");
        }

        // A leader may be elected anew meanwhile.
        Assert.InRange(replicas, 1, 3);
    }

    [Fact]
    public async Task A_shell_says_when_its_node_dies_and_goes_on_when_it_is_there_again()
    {
        using var cluster = new ServedCluster(1, "--expect", "1");
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        string address = $"127.0.0.1:{node.RespPort}";
        using var terminal = new Terminal(cluster.Folder, ServedNode.Program, "shell", address);
        await terminal.UntilShows(address + "> ");
        await terminal.Say("PUT a 1", "OK a = 1", "> ");
        node.Kill();
        node.Start();
        await cluster.UntilReady();
        terminal.Type("GET a\r");
        await terminal.UntilShows("what was asked last may have been done, or not");
        await terminal.UntilShows("Connected again");
        await terminal.UntilShows("> ");
        await terminal.Say("GET a", "a -> 1", "> ");
        node.Kill();
        terminal.Type("GET a\r");
        await terminal.UntilShows("No node can be reached");
        Assert.Equal(69, terminal.WaitForEnd());
    }

    [Fact]
    public async Task A_replica_joins_by_a_word_and_shows_each_write_within_moments()
    {
        using var cluster = new ServedCluster(1, "--expect", "1");
        cluster.Start();
        await cluster.UntilReady();
        ServedNode primary = cluster.Nodes[0];
        int[] ports = TestPorts.Take(3);
        using var replica = new ServedNode(Path.Combine(cluster.Folder, "replica"), ports, "--replica");
        replica.Start();
        string prompt = $"127.0.0.1:{replica.RespPort}> ";
        await cluster.Until(
            () => Task.FromResult(
                replica.Ask("GET", "a")?.StartsWith("-CLUSTERDOWN", StringComparison.Ordinal) == true),
            "it says that it belongs to no cluster");
        await cluster.Until(
            async () => await replica.Get("/entry/a") is { Code: HttpStatusCode.ServiceUnavailable } problem
                && problem.Text.Contains("urn:quorate:cluster-down", StringComparison.Ordinal),
            "it says so over HTTP");
        await cluster.UntilSays(primary, "+OK", "SET", "a", "1");
        using var terminal = new Terminal(
            cluster.Folder, ServedNode.Program, "shell", $"127.0.0.1:{replica.RespPort}");
        await terminal.UntilShows(prompt);
        await terminal.Say("GET a", "a -> Not found", prompt);
        await terminal.Say($"JOIN 127.0.0.1:{primary.RespPort}", "Snapshot received", "> ");
        await terminal.Say("CONSISTENCY READ eventual", "OK", "> ");
        await terminal.Say("GET a", "a -> 1", "> ");
        Assert.Equal("+OK", primary.Ask("SET", "a", "2"));
        using RespSession session = replica.Connect();
        Assert.Equal("+OK", session.Call("CONSISTENCY", "READ", "eventual"));
        await cluster.Until(() => Task.FromResult(session.TryCall("GET", "a") == "2"), "the write has come");

        // Joining again is harmless, and after a start it is what it was.
        await terminal.Say($"JOIN 127.0.0.1:{primary.PeerPort}", "Snapshot received", "> ");
        terminal.Type("EXIT\r");
        Assert.Equal(0, terminal.WaitForEnd());
        replica.Signal("TERM");
        Assert.Equal(0, replica.WaitForEnd());
        replica.Start();
        await cluster.UntilSays(replica, "2", "GET", "a");
    }

    [Fact]
    public async Task Lines_that_are_piped_in_are_answered_in_turn()
    {
        using var cluster = new ServedCluster(1, "--expect", "1");
        cluster.Start();
        await cluster.UntilReady();
        string address = $"127.0.0.1:{cluster.Nodes[0].RespPort}";
        (int code, string output) = Pipe(address, "PUT a 1\nGET a\n\nget none\nINCR a\nexit\nPUT a 9\n");
        Assert.Equal((0, "OK a = 1\na -> 1\nnone -> Not found\n2\n"), (code, output));
        (code, output) = Pipe(address, "RPUSH l a\nINCR l\nLRANGE l 0 -1\nJOIN 127.0.0.1:1\n");
        Assert.Equal(1, code);
        Assert.StartsWith("1\n(error) WRONGTYPE", output, StringComparison.Ordinal);
        Assert.Contains("\n1) a\n(error) ERR this node was not started to be", output, StringComparison.Ordinal);
        Assert.Equal(69, Pipe($"127.0.0.1:{TestPorts.TakeOne()}", "PING\n").Code);
        Assert.Equal(64, Pipe("nowhere", "PING\n").Code);
    }

    private static (int Code, string Output) Pipe(string address, string lines)
    {
        using var shell = Process.Start(new ProcessStartInfo(ServedNode.Program, ["shell", address])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        shell.StandardInput.Write(lines);
        shell.StandardInput.Close();
        string output = shell.StandardOutput.ReadToEnd();
        Assert.True(shell.WaitForExit(Soon.Patience));
        return (shell.ExitCode, output);
    }
}
