using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Partitions;
using Quorate.Server.Http.Entries;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>Idempotency-Keys as numbered requests.</summary>
public sealed class EntryRepeatTests
{
    /// <summary>Two nodes' clocks differ, and a request comes to one after the other.</summary>
    [Fact]
    public void A_request_that_comes_again_within_a_window_is_looked_for_where_it_was_numbered()
    {
        var random = new Random(9020004);
        for (int i = 0; i < 20_000; i++)
        {
            long first = 1_700_000_000_000 + random.NextInt64(10 * EntryRepeat.WindowMilliseconds);
            long later = random.NextInt64(EntryRepeat.WindowMilliseconds - 10_000);
            long difference = random.NextInt64(-9_999, 10_000);
            long numbered = EntryRepeat.Windows(first).Now;
            (long[] before, long now) = EntryRepeat.Windows(first + later + difference);
            Assert.Contains(numbered, before.Append(now));
        }
    }

    [Fact]
    public void A_key_names_a_request_whatever_node_it_comes_to_and_others_name_others()
    {
        SessionRequest one = EntryRepeat.In(5_666_666, "key", "put k"u8).Request;
        Assert.Equal(one, EntryRepeat.In(5_666_666, "key", "put k"u8).Request);
        Assert.NotEqual(one, EntryRepeat.In(5_666_667, "key", "put k"u8).Request);
        Assert.NotEqual(one, EntryRepeat.In(5_666_666, "other", "put k"u8).Request);
        Assert.NotEqual(one, EntryRepeat.In(5_666_666, "key", "put l"u8).Request);
        long start = 5_666_666 * EntryRepeat.WindowMilliseconds;
        Assert.InRange(one.Session, 1UL, SessionIds.Newest(start));
        Assert.True(one.Session < EntryRepeat.In(5_666_667, "key", "put k"u8).Request.Session);
    }

    [Fact]
    public async Task What_is_known_from_the_window_before_is_answered_and_not_done()
    {
        await using EntryHost host = await EntryHost.Start();
        var puts = new Puts();
        host.Gateway.Instead = call => puts.Answer(call, call.Lines[0][2].ToArray());
        EntryReply reply = await host.Ask(
            "POST", "/entry", "{\"key\":\"k\",\"value\":1}", "Idempotency-Key: again");
        Assert.Equal(200, reply.Status);
        Assert.Equal("1-9-0", reply.Version);
        Assert.Equal(0, puts.Count);
    }

    [Theory]
    [InlineData("POST", "/entry", "{\"key\":\"k\",\"value\":2}")]
    [InlineData("POST", "/entry?ttl=5s", "{\"key\":\"k\",\"value\":1}")]
    [InlineData("DELETE", "/entry/k", null)]
    public async Task A_key_that_belongs_to_another_request_is_refused(string method, string path, string? body)
    {
        await using EntryHost host = await EntryHost.Start();
        var puts = new Puts();
        byte[]? first = null;
        host.Gateway.Instead = call => puts.Answer(call, first ??= call.Lines[0][2].ToArray());
        EntryReply reply = await host.Ask(
            "POST", "/entry", "{\"key\":\"k\",\"value\":1}", "Idempotency-Key: again");
        Assert.Equal(200, reply.Status);
        reply = await host.Ask(method, path, body, "Idempotency-Key: again");
        Assert.Equal(422, reply.Status);
        Assert.Equal(0, puts.Count);
    }

    /// <summary>A node whose clock was in the next window already has looked for it there.</summary>
    [Fact]
    public async Task A_number_that_a_look_has_used_up_is_refused_and_not_taken_for_an_answer()
    {
        await using EntryHost host = await EntryHost.Start();
        host.Gateway.Instead = _ => new(
            Outcome.Done, default, default, default, default, "$4\r\nlook\r\n"u8.ToArray());
        EntryReply reply = await host.Ask(
            "POST", "/entry", "{\"key\":\"k\",\"value\":1}", "Idempotency-Key: again");
        Assert.Equal(409, reply.Status);
    }

    [Theory]
    [InlineData(Outcome.Unknown, DropReason.DeadlinePassed, 504)]
    [InlineData(Outcome.Refused, DropReason.NotLeader, 503)]
    [InlineData(Outcome.Refused, DropReason.RequestForgotten, 409)]
    [InlineData(Outcome.Refused, DropReason.SessionExpired, 409)]
    public async Task Where_nobody_knows_whether_it_was_done_it_is_not_done(
        Outcome outcome, DropReason reason, int status)
    {
        await using EntryHost host = await EntryHost.Start();
        int puts = 0;
        host.Gateway.Instead = call =>
        {
            bool isPut = call.Lines.Length > 1;
            puts += isPut ? 1 : 0;
            return isPut ? null : new(outcome, reason, default, default, default, default);
        };
        EntryReply reply = await host.Ask(
            "POST", "/entry", "{\"key\":\"k\",\"value\":1}", "Idempotency-Key: again");
        Assert.Equal(status, reply.Status);
        Assert.Equal(0, puts);
    }

    /// <summary>Answers looks as if a put had been done before, under a print, and counts the puts that come.</summary>
    private sealed class Puts
    {
        public int Count { get; private set; }

        public CallResult? Answer(ClientCall call, byte[] print)
        {
            Count += call.Lines.Length > 1 ? 1 : 0;
            string known = $"*2\r\n${print.Length}\r\n{System.Text.Encoding.ASCII.GetString(print)}\r\n"
                + "*3\r\n$5\r\n1-9-0\r\n:1\r\n$1\r\nh\r\n";
            return new(Outcome.Done, default, default, default, default, System.Text.Encoding.ASCII.GetBytes(known));
        }
    }
}
