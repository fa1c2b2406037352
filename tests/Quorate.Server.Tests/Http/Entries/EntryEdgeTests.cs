using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>What clients send that is almost right, and what a node answers where nothing is.</summary>
public sealed class EntryEdgeTests
{
    [Theory]
    [InlineData("-1")]
    [InlineData("%2500")]
    [InlineData("a")]
    [InlineData("AAAAA")]
    [InlineData("=")]
    [InlineData("%C3%BC")]
    public async Task What_is_no_cursor_is_a_problem(string cursor)
    {
        await using EntryHost host = await EntryHost.Start();
        IsProblem(400, "invalid", await host.Ask("GET", $"/entries?cursor={cursor}"));
    }

    [Fact]
    public async Task No_cursor_is_a_fault_and_0_begins_as_it_does_for_SCAN()
    {
        await using EntryHost host = await EntryHost.Start();
        await host.Ask("POST", "/entry", "{\"key\":\"k\",\"value\":1}");
        Assert.Equal(1, (await host.Value("/entries?cursor=0")).GetProperty("entries").GetArrayLength());

        var random = new Random(19100);
        byte[] bytes = new byte[40];
        for (int i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            int length = random.Next(1, bytes.Length);
            string cursor = Uri.EscapeDataString(random.Next(2) == 0
                ? Encoding.Latin1.GetString(bytes, 0, length)
                : Base64Url.EncodeToString(bytes.AsSpan(0, length)));
            IsProblem(400, "invalid", await host.Ask("GET", $"/entries?cursor={cursor}"));
        }
    }

    [Fact]
    public async Task A_fault_of_the_node_is_a_problem_and_is_told()
    {
        await using EntryHost host = await EntryHost.Start();
        host.Gateway.Instead = _ => throw new InvalidOperationException("spoilt on purpose");
        IsProblem(500, "fault", await host.Ask("GET", "/entry/k"));
        Assert.Contains("spoilt on purpose", Assert.Single(host.Faults), StringComparison.Ordinal);
        host.Gateway.Instead = null;
        Assert.Equal(404, (await host.Ask("GET", "/entry/k")).Status);
    }

    [Theory]
    [InlineData("{\"key\":\"k\",\"value\":2,\"metadata\":{\"valueversion\":\"1-1-1\"}}")]
    [InlineData("{\"key\":\"k\",\"value\":2,\"metadata\":{\"TTL\":5}}")]
    [InlineData("{\"key\":\"k\",\"value\":2,\"metadata\":{\"ttl\":0}}")]
    [InlineData("{\"key\":\"k\",\"value\":2,\"metadata\":{\"ttl\":\"30s\"}}")]
    [InlineData("{\"key\":\"k\",\"value\":2,\"metadata\":{\"ttl\":1.5}}")]
    [InlineData("{\"key\":\"k\",\"value\":2,\"metadata\":{\"hash\":5}}")]
    public async Task What_nobody_knows_in_the_metadata_is_refused(string body)
    {
        await using EntryHost host = await EntryHost.Start();
        Assert.Equal(200, (await host.Ask("POST", "/entry", "{\"key\":\"k\",\"value\":1}")).Status);
        IsProblem(400, "invalid", await host.Ask("POST", "/entry", body));
        IsProblem(400, "invalid", await host.Ask("POST", "/entries", $"[{body}]"));
        Assert.Equal("1", (await host.Value("/entry/k")).GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task An_answer_posted_again_keeps_its_expiry()
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply put = await host.Ask("POST", "/entry?ttl=60s", "{\"key\":\"k\",\"value\":[1]}");
        Assert.InRange(Ttl(put.Json), 59_000, 60_000);
        EntryReply got = await host.Ask("GET", "/entry/k");
        Assert.InRange(Ttl(got.Json), 1, 60_000);

        Assert.Equal(200, (await host.Ask("POST", "/entry", got.Text)).Status);
        Assert.InRange(Ttl(await host.Value("/entry/k")), 1, 60_000);
        await host.Ask("POST", "/entry", "{\"key\":\"k\",\"value\":[1]}");
        Assert.Equal(-1, Ttl(await host.Value("/entry/k")));
        EntryReply batch = await host.Ask(
            "POST", "/entries", "[{\"key\":\"k\",\"value\":2,\"metadata\":{\"ttl\":9000}}]");
        Assert.Equal(200, batch.Status);
        Assert.InRange(Ttl(await host.Value("/entry/k")), 1, 9000);
        Assert.InRange(Ttl(batch.Json.GetProperty("entries")[0]), 1, 9000);

        // What the address says was said by hand.
        EntryReply longer = await host.Ask("POST", "/entry?ttl=1h", (await host.Ask("GET", "/entry/k")).Text);
        Assert.InRange(Ttl(longer.Json), 60_001, 3_600_000);
    }

    [Theory]
    [InlineData("/entry/k")]
    [InlineData("/keyspaces/default")]
    public async Task A_body_of_a_DELETE_is_refused_not_passed_over(string path)
    {
        await using EntryHost host = await EntryHost.Start();
        await host.Ask("POST", "/entry", "{\"key\":\"k\",\"value\":1}");
        IsProblem(400, "invalid", await host.Ask("DELETE", path, "{\"metadata\":{\"valueVersion\":\"1-1-1\"}}"));
        Assert.Equal(200, (await host.Ask("GET", "/entry/k")).Status);
    }

    [Fact]
    public async Task A_lock_is_granted_once()
    {
        await using EntryHost host = await EntryHost.Start();
        const string header = "{\"key\":\"lock\",\"value\":\"held\"}";
        const string version = "{\"key\":\"other\",\"value\":\"held\",\"metadata\":{\"valueVersion\":\"0\"}}";
        EntryReply first = await host.Ask("POST", "/entry", header, "If-None-Match: *");
        EntryReply second = await host.Ask("POST", "/entry", header, "If-None-Match: *");
        Assert.Equal([200, 412], [first.Status, second.Status]);
        Assert.Equal(first.Version, second.Version);

        Assert.Equal(200, (await host.Ask("POST", "/entry", version)).Status);
        Assert.Equal(409, (await host.Ask("POST", "/entry", version)).Status);
    }

    [Fact]
    public async Task What_was_sent_twice_is_one_write_only_where_the_expiry_is_the_same()
    {
        await using EntryHost host = await EntryHost.Start();
        string first = (await host.Ask("POST", "/entry", "{\"key\":\"k\",\"value\":\"a\"}")).Version;
        string body = $"{{\"key\":\"k\",\"value\":\"b\",\"metadata\":{{\"valueVersion\":\"{first}\"}}}}";
        Assert.Equal(200, (await host.Ask("POST", "/entry", body)).Status);
        Assert.Equal(200, (await host.Ask("POST", "/entry", body)).Status);
        Assert.Equal(200, (await host.Ask("POST", "/entry?ttl=keep", body)).Status);

        // It asks for an expiry that does not stand.
        Assert.Equal(409, (await host.Ask("POST", "/entry?ttl=60s", body)).Status);
        string second = (await host.Ask("GET", "/entry/k")).Version;
        string expiring = body.Replace(first, second, StringComparison.Ordinal);
        Assert.Equal(200, (await host.Ask("POST", "/entry?ttl=60s", expiring)).Status);

        // It asks for none where one stands, or for a later one.
        Assert.Equal(409, (await host.Ask("POST", "/entry", expiring)).Status);
        Assert.Equal(409, (await host.Ask("POST", "/entry?ttl=2h", expiring)).Status);
        Assert.Equal(200, (await host.Ask("POST", "/entry?ttl=keep", expiring)).Status);
    }

    [Theory]
    [InlineData('k', "/entry/")]
    [InlineData(' ', "/entry/")]
    [InlineData('k', "/entry?key=")]
    public async Task The_longest_key_can_be_named_in_the_address(char letter, string before)
    {
        await using EntryHost host = await EntryHost.Start();
        string key = new(letter, 64 * 1024);
        Assert.Equal(200, (await host.Ask("POST", "/entry", $"{{\"key\":\"{key}\",\"value\":1}}")).Status);
        string path = before + Uri.EscapeDataString(key);
        Assert.Equal("1", (await host.Value(path)).GetProperty("value").GetRawText());
        Assert.Equal(200, (await host.Ask("DELETE", path)).Status);
        IsProblem(413, "too-large", await host.Ask("GET", "/entry/k" + key.Replace(' ', '+')));
    }

    [Theory]
    [InlineData("GET", "/", 404, "not-found")]
    [InlineData("GET", "/nothing", 404, "not-found")]
    [InlineData("GET", "/nothing.html", 404, "not-found")]
    [InlineData("POST", "/keyspaces/a/b", 404, "not-found")]
    [InlineData("GET", "/entry/..", 400, "invalid")]
    [InlineData("GET", "/entry/%2e%2e/%2e%2e", 400, "invalid")]
    [InlineData("POST", "/keyspaces/none", 405, "method")]
    public async Task Where_nothing_is_a_problem_is_answered(string method, string path, int status, string type)
    {
        await using EntryHost host = await EntryHost.Start();
        IsProblem(status, type, await host.Ask(method, path, method == "GET" ? null : "{}"));
        IsProblem(421, "host", await host.Ask("GET", "/nothing", null, "Host: evil.example"));
    }

    [Fact]
    public async Task The_server_as_a_whole_says_what_it_can_do()
    {
        await using EntryHost host = await EntryHost.Start();
        using var client = new TcpClient();
        await client.ConnectAsync(host.Address.Host, host.Address.Port, TestContext.Current.CancellationToken);
        using NetworkStream stream = client.GetStream();
        await stream.WriteAsync(
            "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray(),
            TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        string answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 204 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nAllow: GET, HEAD, POST, PATCH, DELETE, OPTIONS\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_watches_reads_and_is_told_of_faults_too()
    {
        await using EntryHost host = await EntryHost.Start();
        Assert.Equal("seen", (await host.Ask("GET", "/watched", null, "Host: any.example")).Text);
        IsProblem(405, "method", await host.Ask("POST", "/watched", "{}"));
        IsProblem(500, "fault", await host.Ask("GET", "/watched?x"));
        Assert.Single(host.Faults);
    }

    [Fact]
    public async Task Another_key_in_the_body_than_in_the_address_is_refused()
    {
        await using EntryHost host = await EntryHost.Start();
        IsProblem(400, "invalid", await host.Ask("POST", "/entry/a", "{\"key\":\"b\",\"value\":1}"));
        Assert.Equal(404, (await host.Ask("GET", "/entry/b")).Status);
        Assert.Equal(200, (await host.Ask("POST", "/entry/%61", "{\"key\":\"a\",\"value\":1}")).Status);
    }

    [Fact]
    public async Task A_read_asks_for_a_version_and_codings_are_refused()
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply put = await host.Ask("POST", "/entry", "{\"key\":\"k\",\"value\":1}");
        EntryReply other = await host.Ask("GET", "/entry/k", null, "If-Match: \"x\"");
        IsProblem(412, "version", other);
        Assert.Equal(put.Version, other.Version);
        Assert.Equal(200, (await host.Ask("GET", "/entry/k", null, $"If-Match: \"x\", {put.Tag}")).Status);
        Assert.Equal(200, (await host.Ask("GET", "/entry/k", null, "If-Match: *")).Status);
        IsProblem(415, "encoding", await host.Ask(
            "POST", "/entry", "{\"key\":\"k\",\"value\":2}", "Content-Encoding: gzip"));
        Assert.Equal(200, (await host.Ask(
            "POST", "/entry", "{\"key\":\"k\",\"value\":2}", "Content-Encoding: identity")).Status);
    }

    [Fact]
    public async Task A_keyspace_keeps_its_name_and_none_is_named_as_a_database_is_numbered()
    {
        await using EntryHost host = await EntryHost.Start();
        Assert.Equal(201, (await host.Ask("POST", "/keyspaces", "{\"name\":\"s\"}")).Status);
        IsProblem(400, "invalid", await host.Ask("PATCH", "/keyspaces/s", "{\"name\":\"t\",\"ttl\":5}"));
        Assert.Equal(0, (await host.Value("/keyspaces/s")).GetProperty("ttl").GetInt32());
        Assert.Equal(200, (await host.Ask("PATCH", "/keyspaces/s", "{\"name\":\"s\",\"ttl\":5}")).Status);
        foreach (string name in (string[])["0", "1", "15"])
        {
            IsProblem(400, "invalid", await host.Ask("POST", "/keyspaces", $"{{\"name\":\"{name}\"}}"));
        }
    }

    [Theory]
    [InlineData(true, "cluster-down")]
    [InlineData(false, "loading")]
    public async Task A_node_that_knows_no_keyspaces_does_not_say_that_there_are_none(bool isUnjoined, string type)
    {
        await using EntryHost host = await EntryHost.Start();
        host.IsUnjoined = isUnjoined;
        host.Gateway.View = new ClusterView(new NodeId(1), new MetadataState());
        foreach (string path in (string[])["/keyspaces", "/keyspaces/default", "/entry/k", "/entries"])
        {
            EntryReply reply = await host.Ask("GET", path);
            IsProblem(503, type, reply);

            // A moment's patience helps only where the node is about to know.
            Assert.Equal(isUnjoined ? "" : "1", reply.RetryAfter);
        }
    }

    [Fact]
    public async Task A_sorted_set_is_answered_as_it_is_kept()
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply put = await host.Ask(
            "POST", "/entry",
            "{\"key\":\"z\",\"type\":\"zset\","
                + "\"value\":{\"a\":-0,\"b\":1e-400,\"c\":0.1000000000000000055,\"d\":\"inf\"}}");
        Assert.Equal("{\"a\":0,\"b\":0,\"c\":0.1,\"d\":\"inf\"}", put.Json.GetProperty("value").GetRawText());
        JsonElement got = await host.Value("/entry/z");
        Assert.Equal(got.GetProperty("value").GetRawText(), put.Json.GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task A_batch_says_which_of_its_entries_is_none()
    {
        await using EntryHost host = await EntryHost.Start();
        EntryReply wrong = await host.Ask("POST", "/entries", "[{\"key\":\"a\",\"value\":1},{\"key\":\"b\"}]");
        Assert.StartsWith(
            "entries[1]: ", wrong.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        EntryReply kept = await host.Ask("POST", "/entries", "[{\"key\":\"a\",\"value\":1,\"delete\":false}]");
        Assert.Equal(200, kept.Json.GetProperty("entries")[0].GetProperty("status").GetInt32());
        foreach (string item in (string[])
            ["{\"key\":\"a\",\"delete\":1}", "{\"key\":\"a\",\"delete\":true,\"value\":1}", "5",
                "{\"key\":\"a\",\"delete\":true,\"valueVersion\":\"0\"}"])
        {
            IsProblem(400, "invalid", await host.Ask("POST", "/entries", $"[{item}]"));
        }

        Assert.Equal(200, (await host.Ask("GET", "/entry/a")).Status);
        string deeper = new string('[', 129) + new string(']', 129);
        Assert.Contains("128", (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":{deeper}}}")).Text,
            StringComparison.Ordinal);
        deeper = new string('[', 150) + new string(']', 150);
        Assert.Contains("128 levels", (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":{deeper}}}")).Text,
            StringComparison.Ordinal);
    }

    private static long Ttl(JsonElement entry) =>
        entry.GetProperty("metadata").TryGetProperty("ttl", out JsonElement ttl) ? ttl.GetInt64() : -1;

    private static void IsProblem(int status, string type, EntryReply reply)
    {
        Assert.Equal((status, "application/problem+json"), (reply.Status, reply.Type));
        Assert.Equal("urn:quorate:" + type, reply.Json.GetProperty("type").GetString());
        Assert.Equal(status, reply.Json.GetProperty("status").GetInt32());
        Assert.NotEmpty(reply.Json.GetProperty("detail").GetString()!);
    }
}
