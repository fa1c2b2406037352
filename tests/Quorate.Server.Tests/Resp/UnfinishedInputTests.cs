using System.Net.Sockets;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>Commands that are begun and not ended, by many clients (pitfall S6).</summary>
public sealed class UnfinishedInputTests
{
    private const string Value = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000\r\n";

    private static readonly RespSettings Small = new()
    {
        LargeCommandBytesMax = 1 << 20, InputStallMilliseconds = 500, InputWaitMilliseconds = 2000,
    };

    /// <summary>Nobody is closed for standing still, so that a test may, on a busy machine.</summary>
    private static readonly RespSettings Lenient = Small with { InputStallMilliseconds = 3_600_000 };

    /// <summary>Those that sleep go, and who waited behind them is served; small commands never wait.</summary>
    [Fact]
    public async Task Who_leaves_commands_unfinished_is_closed_when_others_need_the_room()
    {
        await using RespHost host = await RespHost.StartAsync(settings: Small);
        using RawClient other = host.Connect();
        List<RawClient> sleepers = [];
        for (int i = 0; i < 20; i++)
        {
            sleepers.Add(host.Connect());
            Send(sleepers[i], Value + new string('x', 200_000));
            Assert.Equal("+OK\r\n", other.Run($"SET small {i}"));
        }

        // It may be told to come again while many wait before it, but not for ever.
        string reply = "";
        await Soon.Is(
            () =>
            {
                reply = other.Run(["SET", "large", new string('y', 300_000)]);
                Assert.True(reply == "+OK\r\n" || reply.StartsWith("-OOM", StringComparison.Ordinal), reply);
                return reply == "+OK\r\n";
            },
            "who waited is served");
        Assert.True(host.Endpoint.Shared.Counters.UnfinishedClientsCut > 0, "nobody was cut");
        Assert.True(host.Endpoint.Shared.Budget.Taken <= Small.LargeCommandBytesMax);
        sleepers.ForEach(client => client.Dispose());
        await NothingIsTaken(host);
    }

    /// <summary>However many there are, each is only slow: nobody is closed or refused.</summary>
    [Fact]
    public async Task Large_commands_that_come_on_are_all_done()
    {
        await using RespHost host = await RespHost.StartAsync(
            settings: Small with { InputStallMilliseconds = 60_000, InputWaitMilliseconds = 60_000 });
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() =>
        {
            using RawClient client = host.Connect();
            for (int round = 0; round < 5; round++)
            {
                Assert.Equal("+OK\r\n", client.Run(["SET", $"large{i}", new string('z', 400_000)]));
            }
        })));
        RespCounters counters = host.Endpoint.Shared.Counters;
        Assert.Equal((0, 0), (counters.UnfinishedClientsCut, counters.InputRefused));
        await NothingIsTaken(host);
    }

    /// <summary>Whoever waits for the process to have memory holds up no thread, and nobody else.</summary>
    [Fact]
    public async Task What_the_heap_has_no_room_for_waits_and_is_refused_in_the_end()
    {
        await using RespHost host = await RespHost.StartAsync(settings: Lenient);
        int asked = 0;
        bool hasRoom = false;
        host.Endpoint.Shared.Budget.HeapHasRoom = _ =>
        {
            Interlocked.Increment(ref asked);
            return Volatile.Read(ref hasRoom);
        };
        using RawClient large = host.Connect();
        Send(large, "*3\r\n$3\r\nSET\r\n$1\r\ns\r\n$1\r\n1\r\n" + Value + new string('x', 500_000) + "\r\n");
        using RawClient other = host.Connect();
        Assert.Equal("+OK\r\n", other.Run("SET small 1"));
        Assert.Equal("+OK\r\n", large.ReadReply());
        Assert.StartsWith("-OOM", large.ReadReply(), StringComparison.Ordinal);
        Assert.InRange(Volatile.Read(ref asked), 1, 1000);
        Volatile.Write(ref hasRoom, true);
        Assert.Equal("+OK\r\n", large.Run(["SET", "k", new string('y', 500_000)]));
        large.Dispose();
        await NothingIsTaken(host);
    }

    [Fact]
    public async Task What_waits_too_long_for_room_is_refused_and_its_connection_goes_on()
    {
        RespSettings settings = Lenient with { InputWaitMilliseconds = 300 };
        await using RespHost host = await RespHost.StartAsync(settings: settings);
        using RawClient sleeper = host.Connect();
        sleeper.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$900000\r\n" + new string('x', 800_000));
        await Soon.Is(() => host.Endpoint.Shared.Budget.Taken >= 800_000, "it is half there");

        using RawClient other = host.Connect();
        Assert.StartsWith(
            "-OOM too many large commands",
            other.Run(["SET", "l", new string('y', 400_000)]),
            StringComparison.Ordinal);
        Assert.Equal("$-1\r\n", other.Run("GET l"));
        Assert.Equal(1, host.Endpoint.Shared.Counters.InputRefused);
        sleeper.Send(new string('x', 100_000) + "\r\n");
        Assert.Equal("+OK\r\n", sleeper.ReadReply());
        await NothingIsTaken(host);
        Assert.Equal("+OK\r\n", other.Run(["SET", "l", new string('y', 400_000)]));
    }

    [Fact]
    public async Task What_waits_for_an_EXEC_counts_and_is_given_back()
    {
        await using RespHost host = await RespHost.StartAsync(settings: Lenient);
        List<RawClient> queuing = [];
        string[] set = ["SET", "k", new string('q', 60_000)];
        string? refused = null;
        for (int i = 0; i < 20 && refused is null; i++)
        {
            RawClient client = host.Connect();
            queuing.Add(client);
            Assert.Equal("+OK\r\n", client.Run("MULTI"));
            for (int line = 0; line < 3 && refused is null; line++)
            {
                string reply = client.Run(set);
                refused = reply == "+QUEUED\r\n" ? null : reply;
            }
        }

        Assert.NotNull(refused);
        Assert.StartsWith("-OOM too many commands wait", refused, StringComparison.Ordinal);
        Assert.StartsWith("-EXECABORT", queuing[^1].Run("EXEC"), StringComparison.Ordinal);
        Assert.True(host.Endpoint.Shared.Budget.Unfinished >= 600_000);
        Assert.Equal("*3\r\n", queuing[0].Run("EXEC")[..4]);
        Assert.Equal("+OK\r\n", queuing[1].Run("DISCARD"));
        Assert.Equal("+RESET\r\n", queuing[2].Run("RESET"));
        queuing.ForEach(client => client.Dispose());
        await NothingIsTaken(host);
    }

    [Fact]
    public async Task Keys_that_are_watched_count_and_are_given_back()
    {
        await using RespHost host = await RespHost.StartAsync(settings: Lenient);
        using RawClient client = host.Connect();
        string[] watch = ["WATCH", "{a}" + new string('w', 50_000)];
        string reply = "+OK\r\n";
        int watched = 0;
        for (; watched < 20 && reply == "+OK\r\n"; watched++)
        {
            reply = client.Run(watch);
        }

        Assert.StartsWith("-OOM", reply, StringComparison.Ordinal);
        Assert.InRange(watched, 10, 17);
        Assert.Equal("+OK\r\n", client.Run("UNWATCH"));
        await NothingIsTaken(host);
    }

    private static void Send(RawClient client, string bytes)
    {
        client.Socket.SendTimeout = 200;
        try
        {
            client.Send(bytes);
        }
        catch (IOException e) when (e.InnerException is SocketException)
        {
            // It is not read from any more, or closed already.
        }
    }

    private static async Task NothingIsTaken(RespHost host)
    {
        await Soon.Is(() => host.Endpoint.Shared.Budget.Taken == 0, "all is given back");
        await Soon.Is(() => host.Endpoint.Shared.Budget.Unfinished == 0, "nothing is unfinished");
    }
}
