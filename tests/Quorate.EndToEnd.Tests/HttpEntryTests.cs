using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>HTTP and the Redis protocol see each other's writes, of every type, at whatever node.</summary>
public sealed class HttpEntryTests
{
    [Fact]
    public async Task Http_and_resp_read_what_the_other_has_written()
    {
        using var cluster = new ServedCluster(3, "--request-deadline-ms", "60000");
        cluster.Start();
        await cluster.UntilReady();
        await HttpFirst(cluster);
        await RespFirst(cluster);
        await VersionsAndRepeats(cluster);
        await Expiries(cluster);
        await Sessions(cluster);
    }

    /// <summary>
    /// Each of these is let in by itself; together, with what the server reads ahead of them and with their answers,
    /// they are more than the node has.
    /// </summary>
    [Fact]
    public async Task A_small_node_outlives_large_bodies_and_answers()
    {
        using var cluster = new ServedCluster(1, "--memory", "256MiB");
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        string large = $"{{\"key\":\"large\",\"value\":\"{new string('x', 4_000_000)}\"}}";
        List<HttpStatusCode> codes = [];
        for (int round = 0; round < 3; round++)
        {
            codes.AddRange(await Task.WhenAll(Enumerable.Range(0, 40).Select(async i => i % 2 == 0
                ? (await SendOnce(node, HttpMethod.Post, "/entry", large)).Code
                : (await SendOnce(node, HttpMethod.Get, "/entry/large")).Code)));
        }

        Assert.All(codes, code => Assert.True(
            code is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable, $"{code}"));
        Assert.Contains(HttpStatusCode.OK, codes);
        (HttpStatusCode last, JsonElement json, _) = await Send(node, HttpMethod.Get, "/entry/large");
        Assert.Equal(HttpStatusCode.OK, last);
        Assert.Equal(4_000_000, json.GetProperty("value").GetString()!.Length);
    }

    private static async Task HttpFirst(ServedCluster cluster)
    {
        (string Value, string[] Read, string Seen)[] cases =
        [
            ("\"text\"", ["GET", "k"], "text"),
            ("5", ["INCR", "k"], ":6"),
            ("[1,\"two\",null]", ["LRANGE", "k", "0", "-1"], "[1, two, null]"),
            ("{\"a\":1,\"b\":\"x\"}", ["HGETALL", "k"], "[a, 1, b, x]"),
            ("{\"a\":[1,2]}", ["GET", "k"], "{\"a\":[1,2]}"),
            ("[]", ["GET", "k"], "[]"),
        ];
        foreach ((string value, string[] read, string seen) in cases)
        {
            (HttpStatusCode code, _, _) = await Send(
                cluster.Nodes[0], HttpMethod.Post, "/entry", $"{{\"key\":\"k\",\"value\":{value}}}");
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal(seen, await cluster.Nodes[1].Do(read));
        }

        await Put(cluster.Nodes[2], "{\"key\":\"k\",\"value\":[\"b\",\"a\"],\"type\":\"set\"}");
        Assert.Equal(":1", await cluster.Nodes[0].Do("SISMEMBER", "k", "a"));
        await Put(cluster.Nodes[2], "{\"key\":\"k\",\"value\":{\"m\":1.5},\"type\":\"zset\"}");
        Assert.Equal("1.5", await cluster.Nodes[0].Do("ZSCORE", "k", "m"));
    }

    private static async Task RespFirst(ServedCluster cluster)
    {
        (string[] Write, string Type, string Seen)[] cases =
        [
            (["SET", "r", "5"], "string", "\"5\""),
            (["APPEND", "r", "x"], "string", "\"5x\""),
            (["RPUSH", "r", "1", "two"], "list", "[\"1\",\"two\"]"),
            (["HSET", "r", "f", "1"], "hash", "{\"f\":\"1\"}"),
            (["SADD", "r", "b", "a"], "set", "[\"a\",\"b\"]"),
            (["ZADD", "r", "1.5", "m", "inf", "n"], "zset", "{\"m\":1.5,\"n\":\"inf\"}"),
            (["JSON.SET", "r", "$", "{\"a\":[1]}"], "json", "{\"a\":[1]}"),
        ];
        foreach ((string[] write, string type, string seen) in cases)
        {
            if (write[0] != "APPEND")
            {
                await cluster.Nodes[0].Do("DEL", "r");
            }

            await cluster.Nodes[0].Do(write);
            (HttpStatusCode code, JsonElement json, _) = await Send(cluster.Nodes[2], HttpMethod.Get, "/entry/r");
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal(type, json.GetProperty("type").GetString());
            Assert.Equal(seen, json.GetProperty("value").GetRawText());
            Assert.Equal(
                json.GetProperty("metadata").GetProperty("valueVersion").GetString(),
                await cluster.Nodes[1].Do("KEYVERSION", "r"));
        }
    }

    private static async Task VersionsAndRepeats(ServedCluster cluster)
    {
        string version = await Put(cluster.Nodes[0], "{\"key\":\"v\",\"value\":1}");
        await cluster.Nodes[1].Do("RPUSH", "other", "x");
        await cluster.Nodes[1].Do("SET", "v", "2");
        (HttpStatusCode code, JsonElement problem, _) = await Send(
            cluster.Nodes[2], HttpMethod.Post, "/entry",
            $"{{\"key\":\"v\",\"value\":3,\"metadata\":{{\"valueVersion\":\"{version}\"}}}}");
        Assert.Equal(HttpStatusCode.Conflict, code);
        Assert.Equal(
            await cluster.Nodes[0].Do("KEYVERSION", "v"),
            problem.GetProperty("metadata").GetProperty("valueVersion").GetString());

        // The same key at every node, and something else written in between: done once.
        for (int i = 0; i < 6; i++)
        {
            (code, JsonElement json, _) = await Send(
                cluster.Nodes[i % 3], HttpMethod.Post, "/entry", "{\"key\":\"once\",\"value\":1}",
                ("Idempotency-Key", "b1f0"));
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal("1", json.GetProperty("value").GetRawText());
            Assert.Equal($":{i + 2}", await cluster.Nodes[0].Do("INCR", "once"));
        }

        // A batch alike.
        for (int i = 0; i < 3; i++)
        {
            (code, JsonElement json, _) = await Send(
                cluster.Nodes[i], HttpMethod.Post, "/entries",
                "[{\"key\":\"o1\",\"value\":1},{\"key\":\"o2\",\"value\":2},{\"key\":\"o3\",\"value\":[3]}]",
                ("Idempotency-Key", "batch"));
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.All(json.GetProperty("entries").EnumerateArray(), each =>
                Assert.Equal(200, each.GetProperty("status").GetInt32()));
            await cluster.Nodes[0].Do("DEL", "o1");
            Assert.Equal($":{i + 2}", await cluster.Nodes[0].Do("RPUSH", "o3", "more"));
        }

        Assert.Equal(":0", await cluster.Nodes[0].Do("EXISTS", "o1"));
    }

    private static async Task Expiries(ServedCluster cluster)
    {
        await Send(cluster.Nodes[0], HttpMethod.Post, "/keyspaces", "{\"name\":\"short\",\"ttl\":100000}");
        await cluster.UntilSaysOf("short", cluster.Nodes[1], "+OK", "SET", "warm", "x");
        await Put(cluster.Nodes[1], "{\"key\":\"e\",\"value\":[1]}", "?keyspace=short");
        Assert.InRange(long.Parse((await cluster.Nodes[2].DoOf("short", "PTTL", "e"))![1..]), 1, 100_000);
        await Put(cluster.Nodes[1], "{\"key\":\"e\",\"value\":[1]}", "?keyspace=short&ttl=1d");
        Assert.InRange(long.Parse((await cluster.Nodes[2].DoOf("short", "PTTL", "e"))![1..]), 100_001, 86_400_000);
        Assert.Equal(":0", await cluster.Nodes[2].Do("EXISTS", "e"));
    }

    /// <summary>What a client carries from answer to question makes reads at any replica see its writes.</summary>
    private static async Task Sessions(ServedCluster cluster)
    {
        for (int i = 0; i < 60; i++)
        {
            (_, _, string seen) = await Send(
                cluster.Nodes[i % 3], HttpMethod.Post, "/entry", $"{{\"key\":\"s{i % 4}\",\"value\":{i}}}");
            Assert.NotEqual("", seen);
            (HttpStatusCode code, JsonElement json, _) = await Send(
                cluster.Nodes[(i + 1) % 3], HttpMethod.Get, $"/entry/s{i % 4}?read=session", null,
                ("Quorate-Seen", seen));
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal($"{i}", json.GetProperty("value").GetRawText());
        }
    }

    private static async Task<string> Put(ServedNode node, string body, string query = "")
    {
        (HttpStatusCode code, JsonElement json, _) = await Send(node, HttpMethod.Post, $"/entry{query}", body);
        Assert.Equal(HttpStatusCode.OK, code);
        return json.GetProperty("metadata").GetProperty("valueVersion").GetString()!;
    }

    /// <summary>Again while it is told that nothing was done: on a busy machine leaders change at any moment.</summary>
    private static async Task<(HttpStatusCode Code, JsonElement Json, string Seen)> Send(
        ServedNode node, HttpMethod method, string path, string? body = null,
        params (string Name, string Value)[] headers)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            (HttpStatusCode Code, JsonElement Json, string Seen) answer =
                await SendOnce(node, method, path, body, headers);
            if (answer.Code != HttpStatusCode.ServiceUnavailable || clock.Elapsed > Soon.Patience)
            {
                return answer;
            }
        }
    }

    private static async Task<(HttpStatusCode Code, JsonElement Json, string Seen)> SendOnce(
        ServedNode node, HttpMethod method, string path, string? body = null,
        params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient { Timeout = Soon.Patience };
        using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{node.HttpPort}{path}"));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        string seen = answer.Headers.TryGetValues("Quorate-Seen", out IEnumerable<string>? values)
            ? string.Join(", ", values)
            : "";
        return (answer.StatusCode, JsonDocument.Parse(text).RootElement, seen);
    }
}
