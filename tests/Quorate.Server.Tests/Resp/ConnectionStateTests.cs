using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Partitions;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>
/// What a connection remembers from one command for others: levels, writes, numbers, watched keys, transactions.
/// </summary>
public sealed class ConnectionStateTests
{
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
                if (!call.Lines[0][0].SequenceEqual("WAIT.PROOF"u8))
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
    public async Task Session_reads_carry_what_the_connection_has_seen_until_it_is_lost()
    {
        var tokens = new List<ReadToken>();
        bool isLost = false;
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                tokens.Add(call.Token);
                return isLost ? EdgeCommandTests.Dropped(DropReason.SessionLost) : null;
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
            ulong.Parse(second.Split('-')[0], CultureInfo.InvariantCulture)
                > ulong.Parse(first.Split('-')[0], CultureInfo.InvariantCulture));
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
    }

    /// <summary>A pipeline that was to happen once must not happen twice because its number was wrong.</summary>
    [Fact]
    public async Task What_follows_a_refused_number_is_refused()
    {
        int calls = 0;
        var gateway = new FakeGateway
        {
            Instead = _ =>
            {
                calls++;
                return null;
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();
        string session = client.Run("CLIENT SESSION").Split("\r\n")[1];
        string[] wrong =
        [
            $"CLIENT REQUESTID {session} x", $"CLIENT REQUESTID {session} 0", $"CLIENT REQUESTID {session}",
            $"CLIENT REQUESTID {session} 1 x", $"CLIENT REQUESTID {session} 1 2 3", "CLIENT REQUESTID other 1",
        ];
        foreach (string line in wrong)
        {
            calls = 0;
            string[] replies = client.RunAll(line, "INCR a", "INCR b");
            Assert.StartsWith("-ERR ", replies[0], StringComparison.Ordinal);
            Assert.StartsWith("-REFUSED ", replies[1], StringComparison.Ordinal);
            Assert.Contains("nothing was done", replies[1], StringComparison.Ordinal);
            Assert.StartsWith(":", replies[2], StringComparison.Ordinal);
            Assert.Equal(1, calls);

            // Of a transaction it is the EXEC; what the connection does itself lies between.
            calls = 0;
            replies = client.RunAll(line, "PING", "MULTI", "INCR a", "EXEC", "INCR b");
            Assert.Equal("+QUEUED\r\n", replies[3]);
            Assert.StartsWith("-REFUSED ", replies[4], StringComparison.Ordinal);
            Assert.StartsWith(":", replies[5], StringComparison.Ordinal);
            Assert.Equal(1, calls);
            Assert.StartsWith("-ERR EXEC without MULTI", client.Run("EXEC"), StringComparison.Ordinal);
        }

        // Whoever gives the transaction up, names a right number or begins anew goes on.
        string[][] better =
        [
            ["MULTI", "INCR a", "DISCARD"], [$"CLIENT REQUESTID {session} 1"], ["RESET"],
        ];
        foreach (string[] lines in better)
        {
            client.RunAll([wrong[0], .. lines]);
            Assert.StartsWith(":", client.Run("INCR a"), StringComparison.Ordinal);
        }
    }

    /// <summary>What would change the keyspace in the middle cannot be one batch.</summary>
    [Fact]
    public async Task Commands_of_the_connection_are_queued_and_those_that_cannot_be_spoil_the_transaction()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        string[] refused =
        [
            "SELECT 3", "CLIENT REPLY OFF", "CLIENT REQUESTID x 1", "INFO keyspace", "CONSISTENCY READ eventual",
            "KEYSPACE LIST", "SCAN 0", "WAIT 0 0", "DBSIZE",
        ];
        foreach (string line in refused)
        {
            string[] replies = client.RunAll("MULTI", "SET a 1", line, "EXEC", "GET a");
            Assert.StartsWith("-ERR ", replies[2], StringComparison.Ordinal);
            Assert.StartsWith("-EXECABORT", replies[3], StringComparison.Ordinal);
            Assert.Equal("$-1\r\n", replies[4]);
        }

        string[] done = client.RunAll(
            "MULTI", "SET a 1", "SELECT 0", "INFO server", "CLIENT SETNAME x", "INCR a", "EXEC");
        Assert.StartsWith("*5\r\n+OK\r\n+OK\r\n$", done[6], StringComparison.Ordinal);
        Assert.Contains("quorate_version", done[6], StringComparison.Ordinal);
        Assert.EndsWith("\r\n+OK\r\n:2\r\n", done[6], StringComparison.Ordinal);
        Assert.Equal("$1\r\nx\r\n", client.Run("CLIENT GETNAME"));

        // Nothing of it happens when a watched key has changed.
        string[] conditional = client.RunAll("WATCH a", "INCR a", "MULTI", "CLIENT SETNAME y", "GET a", "EXEC");
        Assert.Equal("*-1\r\n", conditional[5]);
        Assert.Equal("$1\r\nx\r\n", client.Run("CLIENT GETNAME"));
    }

    /// <summary>Two clients that both call their session 1 would answer each other's requests.</summary>
    [Fact]
    public async Task A_session_that_no_node_has_given_is_refused()
    {
        SessionRequest? seen = null;
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                seen = call.Session;
                return null;
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();
        string given = client.Run("CLIENT SESSION").Split("\r\n")[1];
        string id = given.Split('-')[0];
        string[] none =
        [
            "x", "1", "0", id, id + "-", given[..^1], given + "0", "1-" + given.Split('-')[1], $"{ulong.MaxValue}",
            SessionNames.Of(7, ulong.MaxValue), SessionNames.Of(8, ulong.Parse(id, CultureInfo.InvariantCulture)),
        ];
        foreach (string name in none)
        {
            Assert.StartsWith(
                "-ERR this is no session", client.Run($"CLIENT REQUESTID {name} 1"), StringComparison.Ordinal);
            Assert.StartsWith("-REFUSED", client.Run("INCR a"), StringComparison.Ordinal);
            client.Run("INCR a");
            Assert.Null(seen);
        }

        Assert.Equal("+OK\r\n", client.Run($"CLIENT REQUESTID {given} 1"));
        client.Run("INCR a");
        Assert.Equal(id, seen!.Value.Session.ToString(CultureInfo.InvariantCulture));
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
}
