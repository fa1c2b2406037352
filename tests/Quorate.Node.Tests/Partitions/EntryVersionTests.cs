using System.Globalization;
using Quorate.Core.Model;
using Quorate.Node.Partitions;

namespace Quorate.Node.Tests.Partitions;

/// <summary>No two writes of one entry share a version (pitfall R29).</summary>
public sealed class EntryVersionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_compare_and_set_by_the_first_of_two_writes_of_one_entry_fails(bool hasRealStores)
    {
        var cluster = new TestCluster(3, hasRealStores: hasRealStores);
        TestNode leader = cluster.Leader;
        LogIndex before = leader.Partition!.Replica.AppliedAt.Index;
        ulong first = cluster.Submit(leader, "SET k 1");
        ulong second = cluster.Submit(leader, "SET k 2");
        PartitionReply one = cluster.Await(leader, first);
        PartitionReply two = cluster.Await(leader, second);
        Assert.Equal(before.Next, leader.Partition.Replica.AppliedAt.Index);

        string late = cluster.Do(string.Create(CultureInfo.InvariantCulture, $"CAS k {one.Version.Packed} 3"));

        string stands = string.Create(CultureInfo.InvariantCulture, $"-VERSION {two.Version.Packed}");
        Assert.Equal(stands, late);
        Assert.Equal("$1\r\n2", cluster.Do("GET k"));
    }
}
