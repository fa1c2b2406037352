using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Tests.Resp;

/// <summary>The databases that SELECT chooses.</summary>
public sealed class NumberedDatabaseTests
{
    private const string Default = "*1\r\n$7\r\ndefault\r\n";

    [Fact]
    public async Task The_first_write_makes_a_database_like_the_first_one()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        client.Run("KEYSPACE ALTER default WRITE all TTL 5000");
        Assert.Equal("+OK\r\n", client.Run("SELECT 1"));
        Assert.Equal("$-1\r\n", client.Run("GET a"));
        Assert.Equal(Default, client.Run("KEYSPACE LIST"));

        Assert.Equal(["+OK\r\n", "$1\r\n1\r\n", ":2\r\n"], client.RunAll("SET a 1", "GET a", "INCR a"));
        Assert.Equal("*2\r\n$7\r\ndefault\r\n$3\r\ndb1\r\n", client.Run("KEYSPACE LIST"));
        string info = client.Run("KEYSPACE INFO db1");
        Assert.Contains("write\r\n$3\r\nall\r\n", info, StringComparison.Ordinal);
        Assert.Contains("ttl-ms\r\n$4\r\n5000\r\n", info, StringComparison.Ordinal);
        Assert.Contains("partitions\r\n$2\r\n16\r\n", info, StringComparison.Ordinal);
        Assert.Equal(["+OK\r\n", "$-1\r\n"], client.RunAll("SELECT 0", "GET a"));
        Assert.Equal(["+OK\r\n", "$1\r\n2\r\n"], client.RunAll("SELECT 1", "GET a"));
        Assert.Contains(" db=1 ", client.Run("CLIENT INFO"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_only_looks_finds_an_empty_database_and_makes_none()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.Equal(
            [
                "+OK\r\n", "*2\r\n$-1\r\n$-1\r\n", ":0\r\n", "*0\r\n", "$-1\r\n", "*2\r\n$1\r\n0\r\n*0\r\n", "*0\r\n",
                "+none\r\n", "+OK\r\n", "-ERR syntax error\r\n",
            ],
            client.RunAll(
                "SELECT 15", "MGET a b", "DBSIZE", "KEYS *", "RANDOMKEY", "SCAN 0", "HGETALL a", "TYPE a", "FLUSHDB",
                "FLUSHDB BAD"));
        Assert.Equal(
            ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n$-1\r\n+PONG\r\n"],
            client.RunAll("MULTI", "GET a", "PING", "EXEC"));
        Assert.Equal(":1\r\n", client.Run("WAIT 1 10"));
        Assert.StartsWith("-ERR invalid cursor", client.Run("SCAN 7"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR the database 'db15' is made by", client.Run("KEYSPACE INFO"), StringComparison.Ordinal);
        Assert.Equal(Default, client.Run("KEYSPACE LIST"));
    }

    [Fact]
    public async Task A_transaction_that_writes_makes_its_database_and_so_does_WATCH()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.Equal(
            ["+OK\r\n", "+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n+OK\r\n$1\r\n1\r\n", ":1\r\n"],
            client.RunAll("SELECT 2", "MULTI", "SET a 1", "GET a", "EXEC", "DBSIZE"));

        Assert.Equal(["+OK\r\n", "+OK\r\n"], client.RunAll("SELECT 3", "WATCH a"));
        using (RawClient other = host.Connect())
        {
            other.RunAll("SELECT 3", "SET a theirs");
        }

        Assert.Equal(
            ["+OK\r\n", "+QUEUED\r\n", "*-1\r\n", "$6\r\ntheirs\r\n"],
            client.RunAll("MULTI", "SET a mine", "EXEC", "GET a"));
    }

    [Fact]
    public async Task A_database_that_another_node_has_made_is_found()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        ClusterView before = host.Gateway.View;
        client.RunAll("SELECT 4", "SET a 1");

        // This node has not heard of it.
        host.Gateway.View = before;
        using RawClient other = host.Connect();
        Assert.Equal(["+OK\r\n", "$1\r\n1\r\n"], other.RunAll("SELECT 4", "GET a"));

        host.Gateway.View = before;
        Assert.Equal(["+OK\r\n", ":2\r\n"], other.RunAll("SELECT 4", "INCR a"));

        host.Gateway.View = before;
        Assert.Equal(["+OK\r\n", "+OK\r\n"], other.RunAll("SELECT 0", "FLUSHALL"));
        Assert.Equal("$-1\r\n", client.Run("GET a"));

        // At this level a node answers what it knows.
        client.Run("SET a 1");
        host.Gateway.View = before;
        Assert.Equal(
            ["+OK\r\n", "+OK\r\n", "$-1\r\n"], other.RunAll("SELECT 4", "CONSISTENCY READ eventual", "GET a"));
    }

    [Fact]
    public async Task Without_the_metadata_group_nothing_is_claimed_of_a_database_that_is_not_known()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        client.Run("SELECT 5");
        host.Gateway.InsteadOfMetadata = _ => (Outcome.Refused, null);
        Assert.StartsWith("-CLUSTERDOWN", client.Run("GET a"), StringComparison.Ordinal);
        Assert.StartsWith("-CLUSTERDOWN", client.Run("SET a 1"), StringComparison.Ordinal);
        Assert.StartsWith("-CLUSTERDOWN", client.Run("FLUSHALL"), StringComparison.Ordinal);

        // The database may have been made, but the command was not done: that is what counts for who sent it.
        host.Gateway.InsteadOfMetadata = command => command.CreateKeyspace is null
            ? null
            : (Outcome.Unknown, null);
        string unsure = client.Run("SET a 1");
        Assert.StartsWith("-CLUSTERDOWN", unsure, StringComparison.Ordinal);
        Assert.Contains("nothing was written", unsure, StringComparison.Ordinal);

        // FLUSHALL is about all of them, whichever is chosen.
        host.Gateway.InsteadOfMetadata = _ => (Outcome.Refused, null);
        client.Run("SELECT 0");
        string flush = client.Run("FLUSHALL");
        Assert.Contains("which databases there are", flush, StringComparison.Ordinal);
        Assert.DoesNotContain("'default'", flush, StringComparison.Ordinal);
        client.Run("SELECT 5");

        host.Gateway.InsteadOfMetadata = command => command.CreateKeyspace is null
            ? null
            : (Outcome.Done, new MetadataResult { Refusal = "There are too many." });
        Assert.Equal("$-1\r\n", client.Run("GET a"));
        Assert.Equal(
            "-ERR the database 'db5' could not be made: There are too many.\r\n", client.Run("SET a 1"));
        Assert.Equal(
            [
                "+OK\r\n", "+QUEUED\r\n", "-ERR the database 'db5' could not be made: There are too many.\r\n",
                "+PONG\r\n",
            ],
            client.RunAll("MULTI", "SET a 1", "EXEC", "PING"));
        Assert.StartsWith("-ERR EXEC without MULTI", client.Run("EXEC"), StringComparison.Ordinal);

        host.Gateway.InsteadOfMetadata = null;
        Assert.Equal("+OK\r\n", client.Run("SET a 1"));
    }

    [Fact]
    public async Task FLUSHDB_empties_a_database_that_this_node_has_not_heard_of_whatever_the_level_of_reads()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        ClusterView before = host.Gateway.View;
        client.RunAll("SELECT 4", "SET a 1");
        ClusterView after = host.Gateway.View;
        host.Gateway.View = before;
        host.Gateway.InsteadOfMetadata = _ => (Outcome.Refused, null);
        using RawClient other = host.Connect();
        other.RunAll("SELECT 4", "CONSISTENCY READ eventual");
        Assert.Equal("$-1\r\n", other.Run("GET a"));
        Assert.StartsWith("-CLUSTERDOWN", other.Run("FLUSHDB"), StringComparison.Ordinal);

        // What the metadata group is asked brings what this node had not heard.
        host.Gateway.InsteadOfMetadata = command =>
        {
            host.Gateway.View = after;
            return null;
        };
        Assert.Equal("+OK\r\n", other.Run("FLUSHDB"));
        Assert.Equal("$-1\r\n", client.Run("GET a"));
    }

    [Fact]
    public async Task FLUSHALL_empties_the_numbered_databases_and_the_connections_own_keyspace()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        client.RunAll("KEYSPACE CREATE own", "KEYSPACE CREATE others");
        foreach (string database in new[] { "0", "6", "own", "others" })
        {
            client.RunAll($"SELECT {database}", "SET a 1", "SET b 2");
        }

        client.Run("SELECT own");
        Assert.Equal("+OK\r\n", client.Run("FLUSHALL"));
        Assert.Equal(":0\r\n", client.Run("DBSIZE"));
        Assert.Equal(["+OK\r\n", ":0\r\n"], client.RunAll("SELECT 0", "DBSIZE"));
        Assert.Equal(["+OK\r\n", ":0\r\n"], client.RunAll("SELECT 6", "DBSIZE"));
        Assert.Equal(["+OK\r\n", ":2\r\n"], client.RunAll("SELECT others", "DBSIZE"));
    }

    [Fact]
    public async Task What_can_not_go_from_database_to_database_is_refused_with_the_reason()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.StartsWith("-ERR MOVE is refused: ", client.Run("MOVE a 1"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR SWAPDB is refused: ", client.Run("SWAPDB 0 1"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR COPY has no DB here: ", client.Run("COPY {a}1 {a}2 DB 1"), StringComparison.Ordinal);
        Assert.Equal("-ERR DB index is out of range\r\n", client.Run("SELECT 16"));
        Assert.Equal("-ERR DB index is out of range\r\n", client.Run("SELECT -1"));
        Assert.Equal("-ERR value is not an integer or out of range\r\n", client.Run("SELECT nothing"));
    }

    [Fact]
    public async Task ROLE_and_WAITAOF_answer_as_a_single_server_does()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.Equal("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", client.Run("ROLE"));
        client.Run("SET a 1");
        Assert.Equal("*2\r\n:1\r\n:1\r\n", client.Run("WAITAOF 1 1 100"));
        Assert.Equal(
            "-ERR value is out of range, must be between 0 and 1\r\n", client.Run("WAITAOF 2 0 100"));
        Assert.Equal("-ERR value is not an integer or out of range\r\n", client.Run("WAITAOF 1 x 100"));
        Assert.Equal("-ERR timeout is negative\r\n", client.Run("WAITAOF 1 0 -1"));
    }

    /// <summary>
    /// What StackExchange.Redis sends when it connects, by its public description: names, INFO, CONFIG, the key that
    /// breaks ties between masters, ECHO with bytes of its own, and on a second connection the channel for changes.
    /// </summary>
    [Fact]
    public async Task StackExchange_Redis_is_greeted_as_it_expects()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.Equal("+OK\r\n", client.Run("CLIENT SETNAME app(SE.Redis-v2.8)"));
        Assert.Equal("+OK\r\n", client.Run("CLIENT SETINFO lib-name SE.Redis"));
        Assert.Equal("+OK\r\n", client.Run("CLIENT SETINFO lib-ver 2.8.0"));
        Assert.StartsWith(":", client.Run("CLIENT ID"), StringComparison.Ordinal);
        Assert.Equal("*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n", client.Run("CONFIG GET timeout"));
        Assert.Equal("*0\r\n", client.Run("CONFIG GET slave-read-only"));
        Assert.Equal("*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n", client.Run("CONFIG GET databases"));
        Assert.Contains("role:master\r\n", client.Run("INFO replication"), StringComparison.Ordinal);
        string server = client.Run("INFO server");
        Assert.Contains("redis_version:7.0.0\r\n", server, StringComparison.Ordinal);
        Assert.Contains("redis_mode:standalone\r\n", server, StringComparison.Ordinal);
        Assert.Equal("-ERR This instance has cluster support disabled\r\n", client.Run("CLUSTER NODES"));
        Assert.Equal("$-1\r\n", client.Run("GET __Booksleeve_TieBreak"));
        string bytes = "\u0000\u0001\u00fe\u00ff0123456789ab";
        Assert.Equal($"$16\r\n{bytes}\r\n", client.Run($"ECHO {bytes}"));

        using RawClient listener = host.Connect();
        listener.Run("CLIENT SETNAME app(SE.Redis-v2.8)");
        Assert.Equal(
            "*3\r\n$9\r\nsubscribe\r\n$26\r\n__Booksleeve_MasterChanged\r\n:1\r\n",
            listener.Run("SUBSCRIBE __Booksleeve_MasterChanged"));
        Assert.Equal("*2\r\n$4\r\npong\r\n$0\r\n\r\n", listener.Run("PING"));
        Assert.Equal(
            "*3\r\n$11\r\nunsubscribe\r\n$26\r\n__Booksleeve_MasterChanged\r\n:0\r\n",
            listener.Run("UNSUBSCRIBE __Booksleeve_MasterChanged"));
        Assert.Equal("+PONG\r\n", listener.Run("PING"));
        Assert.StartsWith("-ERR SUBSCRIBE is not built", listener.Run("SUBSCRIBE news"), StringComparison.Ordinal);
    }
}
