using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>What clients carry from answer to request, for reads at level `session`.</summary>
public sealed class SeenTokensTests
{
    [Fact]
    public async Task A_read_names_what_its_client_has_seen_of_the_partition_and_no_other()
    {
        await using EntryHost host = await EntryHost.Start();
        List<(ReadLevel Level, ReadToken Token)> reads = [];
        GroupId group = default;
        host.Gateway.Instead = call =>
        {
            reads.Add((call.ReadLevel, call.Token));
            group = new(host.Gateway.View.TryFind(call.Keyspace, out KeyspaceView? keyspace)
                ? keyspace.PartitionOf(call.Slot).Group
                : 0);
            return new(Outcome.Done, default, group, new(new(3), new(9)), default, "_\r\n"u8.ToArray());
        };
        await host.Ask("GET", "/entry/k?read=session");
        string seen = $"{group.Value}:3:9";
        await host.Ask("GET", "/entry/k?read=session", null, $"Quorate-Seen: 77:1:1, {group.Value}:2:5, {seen}");
        await host.Ask("GET", "/entry/k?read=session", null, $"Quorate-Seen: {group.Value + 1}:3:9");
        await host.Ask("GET", "/entry/k", null, $"Quorate-Seen: {seen}");
        ReadToken token = new(new(3), new(9));
        Assert.Equal(
            [
                (ReadLevel.Session, default), (ReadLevel.Session, token), (ReadLevel.Session, default),
                (ReadLevel.Linearizable, default),
            ],
            reads);
    }

    [Theory]
    [InlineData("1:2")]
    [InlineData("a:b:c")]
    [InlineData("1:-2:3")]
    public async Task What_is_no_token_is_refused(string header)
    {
        await using EntryHost host = await EntryHost.Start();
        Assert.Equal(400, (await host.Ask("GET", "/entry/k", null, $"Quorate-Seen: {header}")).Status);
    }
}
