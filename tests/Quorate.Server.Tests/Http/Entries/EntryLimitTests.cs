using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Server.Http.Entries;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>What requests over HTTP may bring and take.</summary>
public sealed class EntryLimitTests
{
    [Fact]
    public async Task A_read_for_whose_answer_there_is_no_room_is_refused_and_a_write_is_not()
    {
        var room = new ReplyRoom(100_000);
        room.Add(90_000);
        CallResult done = new(Outcome.Done, default, default, default, default, new byte[20_000]);
        var read = new EntryCall(room);
        var write = new EntryCall(room) { Writes = true };
        read.Complete(done);
        write.Complete(done);

        CallResult refused = await read.Ended;
        Assert.Equal(Outcome.Refused, refused.Outcome);
        Assert.True(refused.Reply.IsEmpty);
        Assert.Equal(Outcome.Done, (await write.Ended).Outcome);
        Assert.Equal(90_000 + 60_000, room.Held);
    }

    [Fact]
    public async Task Answers_count_no_longer_than_they_are_written()
    {
        await using EntryHost host = await EntryHost.Start();
        string large = new('x', 1_000_000);
        for (int i = 0; i < 100; i++)
        {
            // All that was counted for these together would be more than may wait.
            Assert.Equal(200, (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":\"{large}\"}}")).Status);
            Assert.Equal(200, (await host.Ask("GET", "/entry/k")).Status);
        }
    }

    [Fact]
    public async Task Bodies_have_a_bound()
    {
        await using EntryHost host = await EntryHost.Start();
        string fits = new('x', EntryLimits.BodyBytesMax - 100);
        string large = new('x', EntryLimits.BodyBytesMax);
        Assert.Equal(200, (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":\"{fits}\"}}")).Status);
        Assert.Equal(413, (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":\"{large}\"}}")).Status);
        string many = string.Join(",", Enumerable.Repeat("{\"key\":\"k\",\"value\":1}", 1001));
        Assert.Equal(413, (await host.Ask("POST", "/entries", $"[{many}]")).Status);
        string key = new('k', 65_537);
        Assert.Equal(413, (await host.Ask("POST", "/entry", $"{{\"key\":\"{key}\",\"value\":1}}")).Status);
        string deep = new string('[', 128) + new string(']', 128);
        string deeper = new string('[', 129) + new string(']', 129);
        Assert.Equal(200, (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":{deep}}}")).Status);
        Assert.Equal(400, (await host.Ask("POST", "/entry", $"{{\"key\":\"k\",\"value\":{deeper}}}")).Status);
    }

    /// <summary>Bodies and paths made from pieces that mean something, cut and mixed: nothing is a fault of
    /// ours.</summary>
    [Fact]
    public async Task Whatever_comes_is_answered_with_sense()
    {
        string[] pieces =
        [
            "{", "}", "[", "]", ",", ":", "\"key\"", "\"keyBase64\"", "\"value\"", "\"valueBase64\"", "\"type\"",
            "\"metadata\"", "\"valueVersion\"", "\"delete\"", "\"entries\"", "\"k\"", "\"0\"", "\"1-2-0\"", "\"list\"",
            "\"zset\"", "\"hash\"", "\"set\"", "\"json\"", "\"scalar\"", "\"string\"", "null", "true", "1", "-0",
            "1e999", "\"inf\"", "\"\\ud800\"", "\"\\u0000\"", "\"\u00ff\u00fe\"", "\"/w==\"", " ", "\0", "1.50", "\"\"",
        ];
        string[] bodies =
        [
            "{\"key\":\"k\",\"value\":V}", "{\"key\":\"k\",\"valueBase64\":V}",
            "{\"key\":\"k\",\"value\":V,\"type\":V}",
            "[{\"key\":V,\"value\":V}]", "{\"key\":\"k\",\"value\":{\"a\":V,\"b\":V}}", "V",
            "{\"key\":\"k\",\"value\":[V,V],\"metadata\":{\"valueVersion\":V}}", "{\"key\":\"k\",\"value\":{V:V}}",
            "{\"key\":\"k\",\"value\":{\"m\":V},\"type\":\"zset\"}", "{\"name\":V,\"ttl\":V}",
        ];
        string[] paths =
        [
            "/entry", "/entry/", "/entry/k", "/entry?key=k", "/entries", "/entries?cursor=", "/entries?count=5",
            "/keyspaces", "/keyspaces/x", "/entry?ttl=5", "/entry/%FF%00", "/entry?keyBase64=%2F",
        ];
        await using EntryHost host = await EntryHost.Start();
        var random = new Random(9020003);
        var statuses = new Dictionary<int, int>();
        for (int i = 0; i < 4000; i++)
        {
            string body = bodies[random.Next(bodies.Length)];
            for (int at = body.IndexOf('V'); at >= 0; at = body.IndexOf('V'))
            {
                int count = random.Next(4) == 0 ? random.Next(2, 4) : 1;
                string part = string.Concat(
                    Enumerable.Range(0, count).Select(_ => pieces[random.Next(pieces.Length)]));
                body = body[..at] + part + body[(at + 1)..];
            }

            string method = random.Next(3) == 0 ? "DELETE" : random.Next(4) == 0 ? "PATCH" : "POST";
            string path = paths[random.Next(paths.Length)] + (random.Next(9) == 0 ? "&x" : "");
            bool isBare = method == "DELETE" && random.Next(2) == 0;
            EntryReply reply = await host.Ask(method, path, isBare ? null : body);
            statuses[reply.Status] = statuses.GetValueOrDefault(reply.Status) + 1;
            Assert.True(reply.Status is 200 or 201 or (>= 400 and < 500), $"{method} {path}\n{body}\n{reply.Text}");
            Assert.True(
                reply.Status < 400 || reply.Type == "application/problem+json" || reply.Bytes.Length == 0, reply.Text);
            if (reply.Bytes.Length > 0)
            {
                // What is answered is JSON, whatever was put before.
                Assert.NotEqual(default, reply.Json.ValueKind);
                Assert.Equal(200, (await host.Ask("GET", "/entries?count=1000")).Status);
            }
        }

        Assert.True(statuses[200] > 100 && statuses[400] > 100, string.Join(", ", statuses));
    }
}
