using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>The commands that a connection runs itself.</summary>
public sealed class EdgeCommandTests
{
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

    /// <summary>Who asks for the counts by name waits for them; others are told what is known.</summary>
    [Fact]
    public async Task INFO_gives_its_counts_little_time_unless_they_are_asked_for()
    {
        var deadlines = new List<Instant>();
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                deadlines.Add(call.Deadline);
                return Dropped(DropReason.ReadDeadlinePassed);
            },
        };
        await using RespHost host = await RespHost.StartAsync(gateway);
        using RawClient client = host.Connect();
        Assert.Contains("keyspace_default:", client.Run("INFO"), StringComparison.Ordinal);
        Instant after = gateway.Now;
        Assert.NotEmpty(deadlines);
        Assert.All(deadlines, each => Assert.True(each - after <= Duration.FromMilliseconds(250), $"{each}"));
        deadlines.Clear();
        Instant before = gateway.Now;
        Assert.StartsWith("-", client.Run("INFO keyspace"), StringComparison.Ordinal);
        Assert.NotEmpty(deadlines);
        Assert.All(deadlines, each => Assert.True(each - before > Duration.FromMilliseconds(250), $"{each}"));
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
    public async Task Clients_are_killed_by_where_they_came_to_and_by_whose_they_are()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        using RawClient victim = host.Connect();
        string list = victim.Run("CLIENT INFO");
        string local = list.Split(" laddr=")[1].Split(' ')[0];

        Assert.Equal("-ERR No such user 'nobody'\r\n", client.Run("CLIENT KILL USER nobody"));
        Assert.Equal(":0\r\n", client.Run("CLIENT KILL LADDR 127.0.0.1:1"));
        Assert.Equal(":1\r\n", client.Run($"CLIENT KILL LADDR {local} USER default"));
        Assert.True(victim.IsClosed());
        Assert.Equal("+PONG\r\n", client.Run("PING"));
    }

    [Theory]
    [InlineData("CLIENT", "KILL")]
    [InlineData("COMMAND", "DOCS")]
    [InlineData("CONFIG", "RESETSTAT")]
    [InlineData("KEYSPACE", "ROTATE")]
    public async Task Help_lists_every_subcommand_there_is(string command, string one)
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        string[] lines = client.Run($"{command} HELP").Split("\r\n");
        string[] names =
        [
            .. lines.Skip(2).Where(line => line.StartsWith('+') && !line.StartsWith("+ ", StringComparison.Ordinal))
                .Select(line => line[1..].Split(' ')[0]),
        ];
        Assert.Contains(one, names);
        foreach (string name in names)
        {
            string answer = client.Run($"{command} {name} A B C D E F G");
            Assert.DoesNotContain("unknown subcommand", answer, StringComparison.Ordinal);
        }

        Assert.StartsWith("-ERR wrong number", client.Run($"{command} HELP me"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR unknown subcommand 'NONE'", client.Run($"{command} NONE"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subcommands_are_described_as_commands_are()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.StartsWith(
            "*1\r\n*10\r\n$11\r\nclient|list\r\n:-2\r\n",
            client.Run("COMMAND INFO CLIENT|list"),
            StringComparison.Ordinal);
        Assert.Contains("$14\r\nclient|setname\r\n:3\r\n", client.Run("COMMAND INFO client"), StringComparison.Ordinal);
        Assert.Equal("*1\r\n$-1\r\n", client.Run("COMMAND INFO client|none"));
        Assert.Contains("\nkeyspace|use\r\n", client.Run("COMMAND LIST"), StringComparison.Ordinal);
        string count = client.Run("COMMAND COUNT")[1..].Trim();
        Assert.StartsWith($"*{count}\r\n", client.Run("COMMAND"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_shows_how_many_keys_there_are_and_counts_them_only_now_and_then()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.DoesNotContain("db0:", client.Run("INFO keyspace"), StringComparison.Ordinal);
        client.RunAll("SET a 1", "SET b 2");
        Assert.Contains("db0:keys=2\r\n", client.Run("INFO keyspace"), StringComparison.Ordinal);
        client.Run("SET c 3");

        // What was counted a moment ago.
        Assert.Matches("# Keyspace\r\n(.*\r\n)*db0:keys=2\r\n", client.Run("INFO"));
        Assert.Contains("db0:keys=3\r\n", client.Run("INFO keyspace"), StringComparison.Ordinal);
        Assert.Contains("db0:keys=3\r\n", client.Run("INFO"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_answers_though_no_keys_can_be_counted()
    {
        await using RespHost host = await RespHost.StartAsync(
            new FakeGateway { Instead = _ => Dropped(DropReason.NotLeader) });
        using RawClient client = host.Connect();
        string info = client.Run("INFO");
        Assert.Contains("# Keyspace\r\n", info, StringComparison.Ordinal);
        Assert.DoesNotContain("db0:", info, StringComparison.Ordinal);
        Assert.StartsWith("-CLUSTERDOWN", client.Run("INFO keyspace"), StringComparison.Ordinal);
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

    internal static CallResult Dropped(DropReason reason) =>
        new(reason.Outcome(), reason, new GroupId(1), default, default, default);
}
