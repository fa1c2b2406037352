namespace Quorate.Server.Tests.Resp;

/// <summary>Clients on real sockets.</summary>
public sealed class RespEndpointTests
{
    [Fact]
    public async Task A_client_sets_and_gets_over_a_socket()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();

        Assert.Equal("+PONG\r\n", client.Run("PING"));
        Assert.Equal("+OK\r\n", client.Run("SET a 1"));
        Assert.Equal("$1\r\n1\r\n", client.Run("GET a"));
        Assert.Equal("$-1\r\n", client.Run("GET b"));
        Assert.Equal(":2\r\n", client.Run("INCR a"));
    }

    [Fact]
    public async Task Pipelined_commands_are_handed_over_together_and_answered_in_order()
    {
        await using RespHost host = await RespHost.StartAsync();
        host.Gateway.Late = true;
        using RawClient client = host.Connect();

        string[] replies = client.RunAll(
            [
                .. Enumerable.Range(0, 100).Select(i => $"SET k{i} {i}"),
                .. Enumerable.Range(0, 100).Select(i => $"GET k{i}"),
            ]);

        Assert.All(replies.Take(100), reply => Assert.Equal("+OK\r\n", reply));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"${$"{i}".Length}\r\n{i}\r\n"), replies.Skip(100));
        Assert.True(host.Gateway.Batches[0] > 1, "a packet of commands is one batch");
    }

    [Fact]
    public async Task Malformed_bytes_are_answered_and_end_the_connection()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();

        client.Send("*1\r\n$4\r\nPING\r\n*1\r\n:3\r\n");

        Assert.Equal("+PONG\r\n", client.ReadReply());
        Assert.Equal("-ERR Protocol error: expected '$', got ':'\r\n", client.ReadReply());
        Assert.True(client.IsClosed());
    }

    [Fact]
    public async Task What_was_asked_before_the_client_stopped_sending_is_answered()
    {
        await using RespHost host = await RespHost.StartAsync();
        host.Gateway.Late = true;
        using RawClient client = host.Connect();

        client.Send(RawClient.Encode("SET", "a", "1") + RawClient.Encode("GET", "a"));
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        Assert.Equal("+OK\r\n", client.ReadReply());
        Assert.Equal("$1\r\n1\r\n", client.ReadReply());
        Assert.True(client.IsClosed());
    }
}
