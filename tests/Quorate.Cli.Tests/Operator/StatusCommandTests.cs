using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Cli.Tests.Operator;

/// <summary>`quorate status` beside a node that says what a test wants.</summary>
public sealed class StatusCommandTests
{
    /// <summary>A hand-over of a leadership is over before anybody could do something about it.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(int.MaxValue, 1)]
    public async Task What_is_wrong_for_a_moment_alone_is_no_problem(int wrongAnswers, int code)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task answering = Answer(listener, port, wrongAnswers, over.Token);
        int end = await Task.Run(
            () => QuorateCommand.Run(
                ["status", "--json", "--http", $"127.0.0.1:{port}"], TextWriter.Null, TextWriter.Null),
            TestContext.Current.CancellationToken);
        Assert.Equal(code, end);
        await over.CancelAsync();
        await answering;
    }

    private static async Task Answer(TcpListener listener, int port, int wrongAnswers, CancellationToken stop)
    {
        try
        {
            for (int i = 0; ; i++)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync(stop);
                NetworkStream stream = client.GetStream();
                byte[] request = new byte[4096];
                Assert.NotEqual(0, await stream.ReadAsync(request, stop));
                string alarms = i < wrongAnswers ? "\"Of 2 partitions that this node holds no leader is known.\"" : "";
                string body = $$$"""
                    {"process": 1, "report": {"self": 1, "cluster": "00", "metadataVersion": 1, "metadataLeader": null,
                     "nodes": [{"id": 1, "state": "active", "httpAddress": "127.0.0.1:{{{port}}}"}],
                     "keyspaces": [], "partitions": [], "alarms": [{{{alarms}}}]}}
                    """;
                string head = $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head + body), stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
