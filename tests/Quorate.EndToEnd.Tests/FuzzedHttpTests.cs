using System.Net;
using System.Net.Sockets;
using System.Text;
using Quorate.Core.Model;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Spoilt HTTP to a served node: what comes is answered or cut, never by a 500, which would mean a fault of the node's
/// own, and the node serves on. QUORATE_FUZZED says how many requests, QUORATE_SEED which.
/// </summary>
public sealed class FuzzedHttpTests
{
    private const int AtOnce = 8;

    /// <summary>So long an answer is waited for: a request that is not whole has none, and the node waits for its rest.
    /// </summary>
    private const int PatienceMilliseconds = 1000;

    private static readonly string[] Heads =
    [
        "GET /entry/k", "GET /entry?key=k", "DELETE /entry/k", "POST /entry", "POST /entries", "GET /entries?count=5",
        "GET /entries?match=[a-&cursor=x", "GET /keyspaces", "POST /keyspaces", "PATCH /keyspaces/default",
        "GET /status", "GET /events?since=1", "GET /metrics", "GET /openapi.json", "GET /try", "GET /health/ready",
        "PUT /entry/k", "OPTIONS *", "GET /entry/%FF%00", "GET /entry/..%2F..", "GET /entry/k?read=session&ttl=5s",
        "GET /entries?cursor=0", "GET /entries?cursor=AAAAAQAAMA", "GET /entries?cursor=-1", "GET /", "GET /entry/..",
    ];

    private static readonly string[] Bodies =
    [
        "", "{\"key\":\"k\",\"value\":[1,\"a\",null,{\"b\":[]}],\"metadata\":{\"valueVersion\":\"1-5-0\"}}",
        "[{\"key\":\"a\",\"value\":1},{\"key\":\"b\",\"delete\":true}]", "{\"key\":\"k\",\"value\":{\"m\":1e400},"
            + "\"type\":\"zset\"}", "{\"key\":\"\\ud800\",\"value\":1}",
        "{\"name\":\"n\",\"partitions\":-1,\"ttl\":\"x\"}",
        "{\"key\":\"k\",\"value\":1,\"metadata\":{\"ttl\":900,\"hash\":\"\"}}",
        "{\"keyBase64\":\"////\",\"valueBase64\":{\"a\":\"!\"}}",
    ];

    private static readonly string[] Headers =
    [
        "Idempotency-Key: x", "If-Match: \"1-2-3\"", "If-Match: *", "If-None-Match: *", "Quorate-Seen: 1:1:1",
        "Expect: 100-continue", "Transfer-Encoding: chunked", "Content-Type: application/json", "Connection: close",
        "Content-Encoding: gzip", "Origin: http://elsewhere", "Accept: */*", "Upgrade: h2c", "Range: bytes=0-",
    ];

    [Fact]
    public async Task Spoilt_requests_are_answered_or_cut_and_the_node_serves_on()
    {
        int count = LongRun.Count("QUORATE_FUZZED", 400);
        ulong seed = (ulong)LongRun.Count("QUORATE_SEED", 1);
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        await cluster.UntilSays(node, "+OK", "SET", "before", "1");
        int[] answered = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(part => Task.Run(() =>
        {
            var chance = new SeededRandom((seed * 1000) + (ulong)part);
            return Enumerable.Range(0, count / AtOnce).Count(_ => Send(node, Draw(chance)));
        })));

        TestContext.Current.TestOutputHelper!.WriteLine($"{answered.Sum()} of {count} were answered");
        Assert.True(answered.Sum() > 0, "none was answered, so this shows nothing");
        await cluster.UntilReady();
        Assert.Equal("1", node.Ask("GET", "before"));
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/entry/before"))!.Value.Code);
        Assert.DoesNotContain("Unhandled", node.Said, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>True when it was answered; false when the node has cut the connection, or waits for more.</summary>
    private static bool Send(ServedNode node, byte[] request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true, ReceiveTimeout = PatienceMilliseconds, SendTimeout = PatienceMilliseconds,
        };
        socket.Connect(IPAddress.Loopback, node.HttpPort);
        byte[] answer = new byte[64];
        int length = 0;
        try
        {
            socket.Send(request);
            for (int read; length < answer.Length && (read = socket.Receive(answer.AsSpan(length))) > 0;)
            {
                length += read;
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown
            or SocketError.ConnectionAborted or SocketError.TimedOut or SocketError.WouldBlock)
        {
            // What has come is judged below.
        }

        string text = Encoding.Latin1.GetString(answer, 0, length);
        Assert.False(
            text.StartsWith("HTTP/1.1 500", StringComparison.Ordinal),
            $"{text.Split('\r')[0]}\nto\n{Encoding.Latin1.GetString(request)}");
        return length > 0;
    }

    private static byte[] Draw(SeededRandom chance)
    {
        string body = Pick(chance, Bodies);
        var text = new StringBuilder(Pick(chance, Heads)).Append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        for (long i = chance.Next(4); i > 0; i--)
        {
            text.Append(Pick(chance, Headers)).Append("\r\n");
        }

        long length = chance.Chance(100_000) ? chance.Next(100_000) : body.Length;
        text.Append($"Content-Length: {length}\r\n\r\n{body}");
        var bytes = new List<byte>(Encoding.Latin1.GetBytes(text.ToString()));
        for (long i = chance.Next(4); i > 0 && bytes.Count > 1; i--)
        {
            Spoil(bytes, chance);
        }

        return [.. bytes];
    }

    private static void Spoil(List<byte> bytes, SeededRandom chance)
    {
        int at = (int)chance.Next(bytes.Count);
        switch (chance.Next(5))
        {
            case 0:
                bytes[at] = (byte)chance.Next(256);
                break;
            case 1:
                bytes.Insert(at, (byte)chance.Next(256));
                break;
            case 2:
                bytes.RemoveAt(at);
                break;
            case 3:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                bytes.InsertRange(at, bytes.GetRange(0, (int)chance.Next(bytes.Count)));
                break;
        }
    }

    private static string Pick(SeededRandom chance, string[] of) => of[chance.Next(of.Length)];
}
