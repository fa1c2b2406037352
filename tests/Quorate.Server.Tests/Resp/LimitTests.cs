using System.Globalization;
using System.Net.Sockets;
using Quorate.Protocol;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>What clients may take of a node, and what they get when it stops (pitfalls S6 and S7).</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task A_client_that_never_reads_is_cut_and_takes_no_memory_meanwhile()
    {
        var settings = new RespSettings { ReplyBytesWaitingMax = 1 << 20, ReplyStallMilliseconds = 1500 };
        await using RespHost host = await RespHost.StartAsync(settings: settings);
        using RawClient client = host.Connect();
        client.Run(["SET", "big", new string('x', 100_000)]);
        client.Run("GET big");
        client.Socket.SendTimeout = 500;
        string gets = string.Concat(Enumerable.Repeat(RawClient.Encode("GET", "big"), 1000));
        try
        {
            // 100 MB of replies are asked for with each packet.
            for (int i = 0; i < 1000; i++)
            {
                client.Send(gets);
            }
        }
        catch (IOException)
        {
            // It is not read from any more, or cut already.
        }

        RespPipe? pipe = host.Endpoint.Shared.Connections.Values.SingleOrDefault();
        Assert.True((pipe?.Connection.ReplyBytesWaiting ?? 0) <= 2 << 20, "what waits for it is bounded");
        await Soon.Is(() => host.Endpoint.ConnectionCount == 0, "it is cut");
        Assert.Equal(1, host.Endpoint.Shared.Counters.SlowClientsCut);
    }

    /// <summary>Each stays below its own bound; all together would take thirty times what all may.</summary>
    [Fact]
    public async Task Many_clients_that_never_read_share_one_bound_and_the_heaviest_are_cut()
    {
        const int BytesMax = 1 << 20;
        var settings = new RespSettings
        {
            ReplyBytesWaitingMax = BytesMax, RepliesBytesMax = BytesMax, PressedStallMilliseconds = 200,
        };
        await using RespHost host = await RespHost.StartAsync(settings: settings);
        using RawClient other = host.Connect();
        other.Run(["SET", "big", new string('x', 100_000)]);
        string gets = string.Concat(Enumerable.Repeat(RawClient.Encode("GET", "big"), 300));
        List<RawClient> deaf = [];
        long most = 0;
        for (int i = 0; i < 30; i++)
        {
            RawClient client = host.Connect();
            deaf.Add(client);
            client.Socket.SendTimeout = 200;
            try
            {
                client.Send(gets);
            }
            catch (IOException)
            {
                // It is not read from any more, or cut already.
            }

            Assert.Equal("+OK\r\n", other.Run($"SET small {i}"));
            Assert.Equal($":{i + 1}\r\n", other.Run("INCR small"));
            most = Math.Max(most, host.Endpoint.ReplyBytesWaiting);
        }

        await Soon.Is(
            () =>
            {
                most = Math.Max(most, host.Endpoint.ReplyBytesWaiting);
                return host.Endpoint.Shared.Counters.PressedClientsCut > 0;
            },
            "those that hold most are cut");
        Assert.True(most <= BytesMax * 3 / 2, $"{most} bytes of replies waited");
        deaf.ForEach(client => client.Dispose());
        await Soon.Is(() => host.Endpoint.ReplyBytesWaiting == 0, "no reply waits for those who are gone");
        Assert.Equal(100_000, other.Run("GET big").Length - "$100000\r\n\r\n".Length);
    }

    [Fact]
    public async Task A_slow_reader_gets_everything_in_order()
    {
        var settings = new RespSettings { ReplyBytesWaitingMax = 1 << 20 };
        await using RespHost host = await RespHost.StartAsync(settings: settings);
        using RawClient client = host.Connect();
        Task sending = Task.Run(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                string index = i.ToString(CultureInfo.InvariantCulture);
                client.Send(
                    RawClient.Encode("SET", "k", index + new string('x', 50_000)) + RawClient.Encode("GET", "k"));
            }
        }, TestContext.Current.CancellationToken);
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal("+OK\r\n", client.ReadReply());
            string index = i.ToString(CultureInfo.InvariantCulture);
            Assert.Equal($"${50_000 + index.Length}\r\n{index}{new string('x', 50_000)}\r\n", client.ReadReply());
        }

        await sending;
    }

    [Fact]
    public async Task An_argument_that_is_too_large_is_refused_and_the_connection_goes_on()
    {
        var settings = new RespSettings { Limits = new RespLimits { WordBytesMax = 100_000 } };
        await using RespHost host = await RespHost.StartAsync(settings: settings);
        using RawClient client = host.Connect();

        Assert.Equal(
            "-ERR argument 2 of the command has 100001 bytes, more than the 100000 allowed; nothing was done\r\n",
            client.Run(["SET", "k", new string('x', 100_001)]));
        Assert.Equal("+OK\r\n", client.Run(["SET", "k", new string('x', 100_000)]));
        Assert.StartsWith(
            "-ERR the key exceeds",
            client.Run(["SET", new string('k', 65_537), "v"]),
            StringComparison.Ordinal);
        Assert.Equal(":100000\r\n", client.Run("STRLEN k"));
    }

    [Fact]
    public async Task Clients_that_leave_in_the_middle_give_back_what_their_commands_held()
    {
        await using RespHost host = await RespHost.StartAsync(new FakeGateway { Late = true, IsHeld = true });
        for (int i = 0; i < 5; i++)
        {
            using RawClient half = host.Connect();
            half.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000000\r\n" + new string('x', 2_000_000));
            using RawClient whole = host.Connect();
            whole.Send(RawClient.Encode("SET", "k", new string('x', 1_000_000)));
            int calls = i + 1;
            await Soon.Is(
                () => host.Gateway.Waiting == calls && host.Endpoint.Shared.Budget.Taken >= 3_000_000,
                "both have sent what they send");
        }

        host.Gateway.IsHeld = false;
        await Soon.Is(() => host.Endpoint.Shared.Budget.Taken == 0, "all is given back");
        await Soon.Is(() => host.Endpoint.ConnectionCount == 0, "they are known to be gone");
    }

    [Fact]
    public async Task One_connection_too_many_is_told_so_and_a_place_that_became_free_is_taken()
    {
        await using RespHost host = await RespHost.StartAsync(settings: new RespSettings { ConnectionsMax = 2 });
        using RawClient first = host.Connect();
        using RawClient second = host.Connect();
        Assert.Equal("+PONG\r\n", first.Run("PING"));
        Assert.Equal("+PONG\r\n", second.Run("PING"));
        using RawClient third = host.Connect();
        Assert.Equal("-ERR max number of clients reached\r\n", third.ReadReply());
        Assert.True(third.IsClosed());

        second.Run("QUIT");
        Assert.True(second.IsClosed());
        await Soon.Is(() => host.Endpoint.ConnectionCount == 1, "its place is free");
        using RawClient fourth = host.Connect();
        Assert.Equal("+PONG\r\n", fourth.Run("PING"));
    }

    [Fact]
    public async Task A_thousand_connections_are_served()
    {
        await using RespHost host = await RespHost.StartAsync(new FakeGateway { Late = true });
        RawClient[] clients = [.. Enumerable.Range(0, 1000).Select(_ => host.Connect())];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i].Send(RawClient.Encode("SET", $"k{i}", $"{i}") + RawClient.Encode("GET", $"k{i}"));
        }

        for (int i = 0; i < clients.Length; i++)
        {
            Assert.Equal("+OK\r\n", clients[i].ReadReply());
            Assert.Equal($"${$"{i}".Length}\r\n{i}\r\n", clients[i].ReadReply());
        }

        Assert.Equal(1000, host.Endpoint.ConnectionCount);
        foreach (RawClient client in clients)
        {
            client.Dispose();
        }
    }

    [Fact]
    public async Task A_stop_answers_what_was_begun_and_takes_no_more()
    {
        await using RespHost host = await RespHost.StartAsync(new FakeGateway { Late = true, IsHeld = true });
        using RawClient client = host.Connect();
        client.Send(RawClient.Encode("SET", "a", "1"));
        await Soon.Is(() => host.Gateway.Waiting == 1, "the call is out");

        Task stopping = host.StopAsync();
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.False(stopping.IsCompleted, "a call is still out");
        host.Gateway.IsHeld = false;

        Assert.Equal("+OK\r\n", client.ReadReply());
        Assert.True(client.IsClosed());
        await stopping;
        Assert.Throws<SocketException>(() => host.Connect());
    }
}
