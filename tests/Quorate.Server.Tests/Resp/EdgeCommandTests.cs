using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Server.Resp;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Tests.Resp;

/// <summary>The commands that a connection runs itself.</summary>
public sealed class EdgeCommandTests
{
    /// <summary>Every command says what it is for and what it takes, and takes as many words as it says.</summary>
    [Fact]
    public async Task Every_command_is_described_and_nothing_else_is()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        string[] info = client.Run("COMMAND INFO").Split("\r\n");
        SortedDictionary<string, int> arities = new(StringComparer.Ordinal);
        for (int i = 0; i + 3 < info.Length; i++)
        {
            if (info[i] == "*10")
            {
                arities.Add(info[i + 2], int.Parse(info[i + 3].AsSpan(1), CultureInfo.InvariantCulture));
            }
        }

        Assert.Equal(arities.Keys, CommandDocs.Names);
        Assert.All(arities, command =>
        {
            CommandDocs docs = CommandDocs.Find(command.Key)!;
            Assert.NotEmpty(docs.Group);
            Assert.EndsWith(".", docs.Summary, StringComparison.Ordinal);
            Assert.Equal((command.Key, Math.Abs(command.Value)), (command.Key, docs.WordsMin));
            bool isExact = docs.Arguments.All(argument => !argument.IsOptional);
            Assert.True(isExact == command.Value > 0, $"{command.Key} may have more words");
        });
        Assert.Equal(
            "*2\r\n$3\r\nget\r\n*6\r\n$7\r\nsummary\r\n$14\r\nGets a string.\r\n$5\r\ngroup\r\n$6\r\nstring\r\n"
                + "$9\r\narguments\r\n*1\r\n*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
                + "$12\r\ndisplay_text\r\n$3\r\nkey\r\n",
            client.Run("COMMAND DOCS get"));
    }

    [Fact]
    public async Task Keyspaces_come_are_used_and_go()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();

        Assert.Equal(
            "+OK\r\n",
            client.Run("KEYSPACE CREATE other PARTITIONS 4 REPLICAS 3 WRITE all READ session TTL 1000"));
        Assert.StartsWith(
            "+OK. Warning: Keyspace 'lone' has one replica",
            client.Run("KEYSPACE CREATE lone REPLICAS 1"),
            StringComparison.Ordinal);
        Assert.Equal("*3\r\n$7\r\ndefault\r\n$5\r\nother\r\n$4\r\nlone\r\n", client.Run("KEYSPACE LIST"));
        string info = client.Run("KEYSPACE INFO other");
        Assert.Contains("write\r\n$3\r\nall\r\n", info, StringComparison.Ordinal);
        Assert.Contains("read\r\n$7\r\nsession\r\n", info, StringComparison.Ordinal);
        Assert.Contains("partitions\r\n$1\r\n4\r\n", info, StringComparison.Ordinal);

        client.Run("SET a 1");
        Assert.Equal(
            ["+OK\r\n", "$-1\r\n", "+OK\r\n", "$1\r\n1\r\n"],
            client.RunAll("KEYSPACE USE other", "GET a", "SELECT 0", "GET a"));
        Assert.Equal("+OK\r\n", client.Run("KEYSPACE ALTER other WRITE 2"));
        Assert.Contains("write\r\n$1\r\n2\r\n", client.Run("KEYSPACE INFO other"), StringComparison.Ordinal);
        Assert.StartsWith(
            "-ERR There is a keyspace 'other' already",
            client.Run("KEYSPACE CREATE other"),
            StringComparison.Ordinal);
        Assert.StartsWith("-ERR syntax error", client.Run("KEYSPACE CREATE bad WRITE never"), StringComparison.Ordinal);
        Assert.StartsWith(
            "-ERR syntax error",
            client.Run("KEYSPACE ALTER other PARTITIONS 8"),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "-ERR Keyspace 'other' is not encrypted", client.Run("KEYSPACE ROTATE other"), StringComparison.Ordinal);
        Assert.Contains("data-key\r\n$1\r\n0\r\n", client.Run("KEYSPACE INFO other"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR wrong number", client.Run("KEYSPACE ROTATE"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR unknown subcommand 'BAD'", client.Run("KEYSPACE BAD"), StringComparison.Ordinal);

        client.Run("KEYSPACE USE other");
        Assert.Equal("+OK\r\n", client.Run("KEYSPACE DROP other"));
        Assert.StartsWith("-ERR there is no keyspace 'other'", client.Run("GET a"), StringComparison.Ordinal);
        Assert.StartsWith(
            "-ERR there is no keyspace 'other'",
            client.Run("KEYSPACE USE other"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Levels_are_shown_set_and_refused_where_the_keyspace_cannot_give_them()
    {
        var seen = new List<(ReadLevel Read, WriteLevel Write, bool Writes)>();
        var gateway = new FakeGateway { Instead = call => Note(call) };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        Assert.Equal(
            "*4\r\n$4\r\nread\r\n$12\r\nlinearizable\r\n$5\r\nwrite\r\n$8\r\nmajority\r\n",
            client.Run("CONSISTENCY"));
        Assert.Equal("+OK\r\n", client.Run("CONSISTENCY READ eventual WRITE 3"));
        Assert.StartsWith(
            "-REFUSED keyspace 'default' has 3 replicas",
            client.Run("CONSISTENCY WRITE 4"),
            StringComparison.Ordinal);
        client.Run("SET a 1");
        client.Run("GET a");
        client.Run("KEYSPACE CREATE lone REPLICAS 1");
        Assert.StartsWith(
            "-REFUSED keyspace 'lone' has 1 replicas",
            client.Run("KEYSPACE USE lone"),
            StringComparison.Ordinal);
        Assert.Equal("*4\r\n$4\r\nread\r\n$8\r\neventual\r\n$5\r\nwrite\r\n$1\r\n3\r\n", client.Run("CONSISTENCY"));
        Assert.Equal(
            [(ReadLevel.Eventual, WriteLevel.Count(3), true), (ReadLevel.Eventual, WriteLevel.Count(3), false)], seen);

        CallResult? Note(ClientCall call)
        {
            seen.Add((call.ReadLevel, call.WriteLevel, call.Writes));
            return null;
        }
    }

    [Fact]
    public async Task Wait_asks_for_as_many_replicas_as_it_needs_and_says_what_is_sure()
    {
        var asked = new List<WriteLevel>();
        bool hasFewer = false;
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                if (!call.Lines[0][0].SequenceEqual("WAIT"u8))
                {
                    return null;
                }

                asked.Add(call.WriteLevel);
                return hasFewer
                    ? new(Outcome.Unknown, DropReason.DeadlinePassed, default, default, default, default)
                    : null;
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        client.Run("SET a 1");
        Assert.Equal(":1\r\n", client.Run("WAIT 1 1000"));
        Assert.Empty(asked);
        Assert.Equal(":2\r\n", client.Run("WAIT 5 1000"));
        Assert.Equal([WriteLevel.Count(3)], asked);
        Assert.Equal(":2\r\n", client.Run("WAIT 2 1000"));
        Assert.Single(asked);

        hasFewer = true;
        client.Run("CONSISTENCY WRITE leader");
        client.Run("SET a 2");
        Assert.Equal(":0\r\n", client.Run("WAIT 2 1000"));
        Assert.Equal([WriteLevel.Count(3), WriteLevel.Count(2), WriteLevel.Count(3)], asked);
    }

    [Fact]
    public async Task Wait_does_not_vouch_for_a_write_that_another_leader_has_replaced()
    {
        var proofs = new List<ReadToken>();
        bool isLost = false;
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                if (!call.Lines[0][0].SequenceEqual("EXISTS"u8))
                {
                    return null;
                }

                Assert.Equal(ReadLevel.Session, call.ReadLevel);
                proofs.Add(call.Token);
                return isLost
                    ? new(Outcome.Refused, DropReason.SessionLost, default, default, default, default)
                    : null;
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        client.RunAll("CONSISTENCY WRITE leader", "SET a 1");
        Assert.Equal(":1\r\n", client.Run("WAIT 1 1000"));
        Assert.Single(proofs);
        Assert.Equal(":2\r\n", client.Run("WAIT 2 1000"));
        Assert.Single(proofs);

        client.Run("SET a 2");
        isLost = true;
        Assert.StartsWith("-SESSIONLOST", client.Run("WAIT 1 1000"), StringComparison.Ordinal);
        Assert.Equal(2, proofs.Count);
        Assert.True(proofs[1].Index > proofs[0].Index);
    }

    [Fact]
    public async Task Keys_of_two_keyspaces_are_not_watched_together()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        client.RunAll("KEYSPACE CREATE other", "WATCH {t}a", "KEYSPACE USE other");

        Assert.Contains("another keyspace", client.Run("WATCH {t}b"), StringComparison.Ordinal);
        client.Run("UNWATCH");
        Assert.Equal("+OK\r\n", client.Run("WATCH {t}b"));
    }

    [Fact]
    public async Task Statistics_begin_anew_and_the_metrics_do_not()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        client.Run("PING");
        Assert.Equal("+OK\r\n", client.Run("CONFIG RESETSTAT"));
        string stats = client.Run("INFO stats");
        Assert.Contains("total_connections_received:0\r\n", stats, StringComparison.Ordinal);
        Assert.Contains("instantaneous_ops_per_sec:", stats, StringComparison.Ordinal);
        Assert.True(host.Endpoint.Shared.Counters.Connections > 0);
    }

    [Fact]
    public async Task Session_reads_carry_what_the_connection_has_seen_until_it_is_lost()
    {
        var tokens = new List<ReadToken>();
        bool isLost = false;
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                tokens.Add(call.Token);
                return isLost ? Dropped(DropReason.SessionLost) : null;
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        client.Run("CONSISTENCY READ session");
        client.Run("SET {a}1 1");
        client.Run("GET {a}2");
        isLost = true;
        Assert.StartsWith("-SESSIONLOST ", client.Run("GET {a}1"), StringComparison.Ordinal);
        isLost = false;
        client.Run("GET {a}1");

        Assert.True(tokens[1].Index > LogIndex.Zero, "the read carries what the write has shown");
        Assert.True(tokens[2].Index > LogIndex.Zero);
        Assert.Equal(default, tokens[3]);
    }

    [Theory]
    [InlineData(DropReason.NotLeader, "CLUSTERDOWN")]
    [InlineData(DropReason.Overloaded, "TRYAGAIN")]
    [InlineData(DropReason.SpaceIsLow, "OOM")]
    [InlineData(DropReason.MemoryIsFull, "OOM")]
    [InlineData(DropReason.DeadlinePassed, "UNKNOWN")]
    [InlineData(DropReason.LevelUncounted, "UNKNOWN")]
    [InlineData(DropReason.DeadlinePassedUnlogged, "REFUSED")]
    [InlineData(DropReason.RequestForgotten, "REFUSED")]
    [InlineData(DropReason.KeyspaceDropped, "REFUSED")]
    public async Task The_error_says_whether_anything_was_done(DropReason reason, string code)
    {
        await using RespHost host = await RespHost.StartAsync(new FakeGateway { Instead = _ => Dropped(reason) });
        using RawClient client = host.Connect();

        Assert.StartsWith($"-{code} ", client.Run("SET a 1"), StringComparison.Ordinal);
        Assert.Equal("+PONG\r\n", client.Run("PING"));
        foreach (DropReason each in Enum.GetValues<DropReason>())
        {
            bool saysUnknown = Outcomes.ErrorOf(each.Outcome(), each).StartsWith(
                "UNKNOWN ",
                StringComparison.Ordinal);
            Assert.Equal(each.Outcome() == Outcome.Unknown, saysUnknown);
        }
    }

    [Fact]
    public async Task A_command_that_is_done_in_part_is_unknown_never_refused()
    {
        int calls = 0;
        var gateway = new FakeGateway
        {
            Instead = call => call.Writes && ++calls == 2 ? Dropped(DropReason.NotLeader) : null,
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        Assert.StartsWith("-UNKNOWN 2 of 3 parts", client.Run("MSET a 1 b 2 c 3"), StringComparison.Ordinal);
        calls = 1;
        Assert.StartsWith("-CLUSTERDOWN ", client.Run("SET a 1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_number_goes_with_the_next_command_alone()
    {
        var sessions = new List<ulong?>();
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                sessions.Add(call.Session?.Number);
                return null;
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        string first = client.Run("CLIENT SESSION").Split("\r\n")[1];
        string second = client.Run("CLIENT SESSION").Split("\r\n")[1];
        Assert.True(
            ulong.Parse(second, CultureInfo.InvariantCulture) > ulong.Parse(first, CultureInfo.InvariantCulture));
        client.RunAll(
            $"CLIENT REQUESTID {first} 7 3",
            "INCR a",
            "INCR a",
            $"CLIENT REQUESTID {first} 8",
            "MULTI",
            "INCR a",
            "EXEC");

        Assert.Equal([7UL, null, 8UL], sessions);

        // The number was for the command that could not be sent: the next one is another.
        string number = $"CLIENT REQUESTID {first} 9";
        client.RunAll(number, "INCR", "INCR a", number, "INCRR a", "INCR a");
        Assert.Equal([7UL, null, 8UL, null, null], sessions);

        sessions.Clear();
        string[][] wrong =
        [
            ["PING"], ["RENAME a b"], ["SCAN 0 COUNT 1"], ["DISCARD"], ["EXEC"], ["MULTI", "PING", "EXEC"],
            ["MULTI", "INCR", "EXEC"], ["MULTI", "INCR a", "DISCARD"], ["WATCH a", "MULTI", "INCRR", "EXEC"],
        ];
        foreach (string[] lines in wrong)
        {
            client.RunAll([number, .. lines]);
            sessions.Clear();
            client.Run("INCR a");
            Assert.Equal([null], sessions);
        }

        // Those watch and queue for the one that is numbered.
        sessions.Clear();
        client.RunAll(number, "WATCH a", "MULTI", "INCR a", "EXEC");
        Assert.Equal([null, 9UL], sessions);
        Assert.StartsWith("-ERR syntax error", client.Run("CLIENT REQUESTID x 1"), StringComparison.Ordinal);
        Assert.StartsWith(
            "-ERR this is no session",
            client.Run($"CLIENT REQUESTID {ulong.MaxValue} 1"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scan_shows_every_key_of_every_partition_once()
    {
        await using RespHost host = await RespHost.StartAsync(new FakeGateway { Late = true });
        using RawClient client = host.Connect();
        client.RunAll([.. Enumerable.Range(0, 500).Select(i => $"SET key:{i} {i}")]);

        var keys = new List<string>();
        string cursor = "0";
        do
        {
            string[] lines = client.Run($"SCAN {cursor} COUNT 7 MATCH key:*").Split("\r\n");
            cursor = lines[2];
            keys.AddRange(lines.Where(line => line.StartsWith("key:", StringComparison.Ordinal)));
        }
        while (!string.Equals(cursor, "0", StringComparison.Ordinal));

        Assert.Equal(500, keys.Count);
        Assert.Equal(500, keys.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(":500\r\n", client.Run("DBSIZE"));
        Assert.StartsWith("-ERR invalid cursor", client.Run("SCAN 12345"), StringComparison.Ordinal);
        Assert.Contains("db0:keys=500\r\n", client.Run("INFO keyspace"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watched_keys_of_every_type_stop_a_transaction_when_they_change()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        using RawClient other = host.Connect();
        (string Make, string Change)[] types =
        [
            ("SET k 1", "SET k 1"), ("HSET k f 1", "HSET k f 2"), ("RPUSH k a b", "LSET k 0 c"),
            ("SADD k a", "SADD k b"),
            ("ZADD k 1 a", "ZADD k 2 a"), ("SET k 1", "DEL k"), ("PING", "SET k 1"), ("SET k 1", "EXPIRE k 100"),
        ];
        foreach ((string make, string change) in types)
        {
            client.Run("DEL k {k}done");
            client.Run(make);
            Assert.Equal("+OK\r\n", client.Run("WATCH k"));
            other.Run(change);
            Assert.Equal("*-1\r\n", client.RunAll("MULTI", "SET {k}done 1", "EXEC")[2]);
            Assert.Equal("$-1\r\n", client.Run("GET {k}done"));

            client.Run("WATCH k");
            Assert.Equal("*1\r\n+OK\r\n", client.RunAll("MULTI", "SET {k}done 1", "EXEC")[2]);
        }
    }

    [Fact]
    public async Task Transactions_stay_within_one_slot()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();

        client.RunAll("MULTI", "SET a 1");
        Assert.StartsWith("-CROSSSLOT ", client.Run("SET b 1"), StringComparison.Ordinal);
        Assert.StartsWith("-EXECABORT ", client.Run("EXEC"), StringComparison.Ordinal);
        client.Run("WATCH a");
        Assert.StartsWith("-CROSSSLOT ", client.RunAll("MULTI", "SET b 1", "EXEC")[2], StringComparison.Ordinal);
        Assert.StartsWith("-CROSSSLOT ", client.Run("WATCH a b"), StringComparison.Ordinal);
        Assert.StartsWith("-CROSSSLOT ", client.Run("RENAME a b"), StringComparison.Ordinal);
        client.Run("MULTI");
        Assert.StartsWith(
            "-ERR FLUSHDB is not allowed in transactions",
            client.Run("FLUSHDB"),
            StringComparison.Ordinal);
        Assert.Equal("+OK\r\n", client.Run("DISCARD"));
    }

    [Fact]
    public async Task Replies_can_be_switched_off_and_skipped()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();

        string[] lines =
        [
            "CLIENT REPLY OFF", "SET a 1", "INCR a", "CLIENT REPLY ON", "CLIENT REPLY SKIP", "INCR a", "GET a",
        ];
        client.Send(string.Concat(lines.Select(line => RawClient.Encode(RawClient.WordsOf(line)))));

        Assert.Equal("+OK\r\n", client.ReadReply());
        Assert.Equal("$1\r\n3\r\n", client.ReadReply());
    }

    [Fact]
    public async Task Clients_are_listed_and_killed()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        using RawClient victim = host.Connect();
        victim.Run("CLIENT SETNAME victim");
        victim.Run("CLIENT SETINFO LIB-NAME tests");
        string id = victim.Run("CLIENT ID")[1..].Trim();

        string list = client.Run("CLIENT LIST");
        Assert.Contains($"id={id} ", list, StringComparison.Ordinal);
        Assert.Contains("name=victim ", list, StringComparison.Ordinal);
        Assert.Contains("lib-name=tests ", list, StringComparison.Ordinal);
        Assert.Equal(":1\r\n", client.Run($"CLIENT KILL ID {id}"));
        Assert.True(victim.IsClosed());
        Assert.Equal(":0\r\n", client.Run("CLIENT KILL TYPE normal"));
        Assert.Equal(":1\r\n", client.Run("CLIENT KILL TYPE normal SKIPME no"));
        Assert.True(client.IsClosed());
    }

    [Fact]
    public async Task A_request_deadline_is_set_while_the_node_runs()
    {
        var deadlines = new List<Instant>();
        var gateway = new FakeGateway();
        gateway.Instead = call =>
        {
            deadlines.Add(call.Deadline);
            return null;
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();

        Instant before = gateway.Now;
        client.Run("GET a");
        Assert.Equal("+OK\r\n", client.Run("CONFIG SET request-deadline-ms 60000"));
        client.Run("GET a");

        Assert.True(deadlines[0] >= before + Duration.FromMilliseconds(5000));
        Assert.True(deadlines[0] < before + Duration.FromMilliseconds(30_000));
        Assert.True(deadlines[1] >= before + Duration.FromMilliseconds(60_000));
        Assert.Equal("*2\r\n$19\r\nrequest-deadline-ms\r\n$5\r\n60000\r\n", client.Run("CONFIG GET request-dead*"));
    }

    private static CallResult Dropped(DropReason reason) =>
        new(reason.Outcome(), reason, new GroupId(1), default, default, default);
}
