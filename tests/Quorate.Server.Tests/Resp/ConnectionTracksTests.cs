using System.Globalization;
using Quorate.Core.Model;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>What a connection remembers of partitions does not outlive them.</summary>
public sealed class ConnectionTracksTests
{
    [Fact]
    public async Task Keyspaces_may_come_and_go_for_ever_on_one_connection()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        Assert.Equal("+OK\r\n", client.Run("SET kept 1"));
        RespConnection connection = host.Endpoint.Shared.Connections.Values.Single().Connection;
        uint first = connection.Calls.Written().Single().Group.Value;
        int most = 0;
        for (int i = 0; i < 100; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"passing{i}");
            Assert.DoesNotContain("-ERR", client.Run($"KEYSPACE CREATE {name} PARTITIONS 2"), StringComparison.Ordinal);
            Assert.Equal("+OK\r\n", client.Run($"KEYSPACE USE {name}"));
            foreach (string key in (string[])["a", "b", "c", "d", "e"])
            {
                Assert.Equal("+OK\r\n", client.Run($"SET {key} {i}"));
                Assert.Equal($"{i}", client.Run($"GET {key}").Split("\r\n")[1]);
            }

            most = Math.Max(most, connection.Calls.Tracks);
            Assert.Equal("+OK\r\n", client.Run("SELECT 0"));
            Assert.DoesNotContain("-ERR", client.Run($"KEYSPACE DROP {name}"), StringComparison.Ordinal);
        }

        // The partitions that there are, and those that have just gone.
        Assert.InRange(most, 3, 16 + 2 + 2);

        // What it still has to know it knows, for WAIT.
        Assert.Contains(connection.Calls.Written(), track => track.Group == new GroupId(first));
        Assert.Equal("$1\r\n1\r\n", client.Run("GET kept"));
    }
}
