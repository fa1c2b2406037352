using System.Net;
using System.Net.Sockets;
using System.Text;
using Quorate.Cli.Resp;

namespace Quorate.Cli.Tests.Resp;

/// <summary>Replies of the Redis protocol 3 are read whole; what is none ends the connection.</summary>
public sealed class RespLinkTests
{
    [Theory]
    [InlineData("127.0.0.1:7401", "127.0.0.1", 7401)]
    [InlineData("7402", "127.0.0.1", 7402)]
    [InlineData("[::1]:1", "::1", 1)]
    [InlineData("node.example:65535", "node.example", 65535)]
    public void An_address_is_a_host_and_a_port(string address, string host, int port)
    {
        Assert.True(RespLink.TrySplit(address, out string foundHost, out int foundPort));
        Assert.Equal((host, port), (foundHost, foundPort));
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":1")]
    [InlineData("a:0")]
    [InlineData("a:65536")]
    [InlineData("a:+1")]
    public void Anything_else_is_none(string address) => Assert.False(RespLink.TrySplit(address, out _, out _));

    [Fact]
    public void Every_type_is_read()
    {
        (RespKind Kind, string Text)[] read =
        [
            .. Read("*12\r\n+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\rb\r\n$-1\r\n_\r\n,1.5\r\n#t\r\n(123\r\n!5\r\nERR x\r\n"
                + "=5\r\ntxt:a\r\n*-1\r\n").Items.Select(item => (item.Kind, item.Text)),
        ];
        Assert.Equal(
            [
                (RespKind.Simple, "OK"), (RespKind.Error, "ERR no"), (RespKind.Number, "-7"), (RespKind.Text, "a\rb"),
                (RespKind.Null, ""), (RespKind.Null, ""), (RespKind.Number, "1.5"), (RespKind.Simple, "true"),
                (RespKind.Number, "123"), (RespKind.Error, "ERR x"), (RespKind.Text, "a"), (RespKind.Null, ""),
            ],
            read);
        RespValue map = Read("%1\r\n+a\r\n~2\r\n:1\r\n:2\r\n");
        Assert.Equal((RespKind.Map, 2), (map.Kind, map.Items.Length));
        Assert.Equal((RespKind.Array, 2), (map.Items[1].Kind, map.Items[1].Items.Length));
    }

    [Fact]
    public void What_nobody_has_asked_for_is_told_apart()
    {
        List<string> pushed = [];
        using var link = new Answering(">2\r\n+message\r\n+hello\r\n+PONG\r\n>1\r\n+subscribe\r\n");
        link.Link.Pushed = push => pushed.Add(push.Items[^1].Text);
        Assert.Equal("PONG", link.Link.Call("PING").Text);
        Assert.Equal(["hello"], pushed);
        Assert.Equal(RespKind.Push, link.Link.Call("SUBSCRIBE", "c").Kind);
    }

    [Theory]
    [InlineData("nonsense\r\n")]
    [InlineData("$x\r\n")]
    [InlineData("$9999999999999\r\n")]
    [InlineData("*9999999999999\r\n")]
    [InlineData("$5\r\nab")]
    [InlineData("")]
    [InlineData("\r\n")]
    public void What_is_no_reply_ends_the_connection(string bytes) =>
        Assert.ThrowsAny<IOException>(() => Read(bytes));

    [Fact]
    public void Members_within_members_have_an_end() =>
        Assert.ThrowsAny<IOException>(() => Read(string.Concat(Enumerable.Repeat("*1\r\n", 100))));

    private static RespValue Read(string bytes)
    {
        using var answering = new Answering(bytes);
        return answering.Link.Call("ANY");
    }

    /// <summary>A server that says the same whatever it is asked, and then closes.</summary>
    private sealed class Answering : IDisposable
    {
        public Answering(string bytes)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            Task answers = Task.Run(async () =>
            {
                using TcpClient client = await listener.AcceptTcpClientAsync();
                NetworkStream stream = client.GetStream();
                await stream.WriteAsync(Encoding.Latin1.GetBytes("%0\r\n" + bytes));
                client.Client.Shutdown(SocketShutdown.Send);
                byte[] rest = new byte[4096];
                while (await stream.ReadAsync(rest) > 0)
                {
                }
            });
            Link = RespLink.Open(((IPEndPoint)listener.LocalEndpoint).ToString(), out string problem)!;
            Assert.Equal("", problem);
            Assert.NotNull(answers);
        }

        public RespLink Link { get; }

        public void Dispose() => Link.Dispose();
    }
}
