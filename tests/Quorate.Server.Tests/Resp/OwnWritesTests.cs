using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Server.Tests.Resp;

/// <summary>Pitfall R34: reads and writes of one packet, over a node that ends calls in any order it may.</summary>
public sealed class OwnWritesTests
{
    [Theory]
    [InlineData("SET k v", "GET k", "$1\r\nv\r\n")]
    [InlineData("APPEND k ab", "STRLEN k", ":2\r\n")]
    [InlineData("HSET k f v", "HGET k f", "$1\r\nv\r\n")]
    [InlineData("RPUSH k a b", "LRANGE k 0 -1", "*2\r\n$1\r\na\r\n$1\r\nb\r\n")]
    [InlineData("SADD k a", "SISMEMBER k a", ":1\r\n")]
    [InlineData("ZADD k 2 a", "ZSCORE k a", "$1\r\n2\r\n")]
    [InlineData("JSON.SET k $ 5", "JSON.GET k", "$1\r\n5\r\n")]
    [InlineData("MSET k 1 b 2 c 3 d 4", "MGET k b c d", "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n")]
    [InlineData("SET k v", "EXISTS k", ":1\r\n")]
    [InlineData("SET k v", "DBSIZE", ":1\r\n")]
    [InlineData("SET k v", "KEYS *", "*1\r\n$1\r\nk\r\n")]
    [InlineData("SET k v", "RANDOMKEY", "$1\r\nk\r\n")]
    public async Task A_read_sees_the_write_before_it_in_the_same_packet(string write, string read, string expected)
    {
        for (int seed = 1; seed <= 5; seed++)
        {
            await using RespHost host = await RespHost.StartAsync(new FakeGateway(seed) { Late = true });
            using RawClient client = host.Connect();
            for (int round = 0; round < 10; round++)
            {
                string[] replies = client.RunAll("FLUSHDB", write, read);
                Assert.Equal("+OK\r\n", replies[0]);
                Assert.Equal(expected, replies[2]);
            }
        }
    }

    [Theory]
    [InlineData("GET k", "SET k v", "$-1\r\n")]
    [InlineData("HGETALL k", "HSET k f v", "*0\r\n")]
    [InlineData("DBSIZE", "SET k v", ":0\r\n")]
    [InlineData("KEYS *", "SET k v", "*0\r\n")]
    public async Task A_read_does_not_see_the_write_behind_it(string read, string write, string expected)
    {
        for (int seed = 1; seed <= 5; seed++)
        {
            await using RespHost host = await RespHost.StartAsync(new FakeGateway(seed) { Late = true });
            using RawClient client = host.Connect();
            for (int round = 0; round < 10; round++)
            {
                string[] replies = client.RunAll("FLUSHDB", read, write);
                Assert.Equal(expected, replies[1]);
            }
        }
    }

    [Fact]
    public async Task A_transaction_sees_the_write_before_it_and_the_read_behind_it_sees_the_transaction()
    {
        await using RespHost host = await RespHost.StartAsync(new FakeGateway { Late = true });
        using RawClient client = host.Connect();

        string[] replies = client.RunAll("SET k 1", "MULTI", "INCR k", "GET k", "EXEC", "GET k");

        Assert.Equal("*2\r\n:2\r\n$1\r\n2\r\n", replies[4]);
        Assert.Equal("$1\r\n2\r\n", replies[5]);
    }

    /// <summary>The token is all that a lagging replica has to go by.</summary>
    [Fact]
    public async Task A_session_read_asks_for_what_its_connection_has_written()
    {
        ReadToken asked = default;
        await using RespHost host = await RespHost.StartAsync(new FakeGateway
        {
            Instead = call =>
            {
                asked = call.Writes ? asked : call.Token;
                return null;
            },
        });
        using RawClient client = host.Connect();

        client.RunAll("CONSISTENCY READ session", "SET k 1", "SET k 2");
        Assert.Equal("$1\r\n2\r\n", client.Run("GET k"));

        // Each write is an entry of its own there, from index 2 on.
        Assert.Equal(new ReadToken(new Term(1), new LogIndex(3)), asked);
    }
}
