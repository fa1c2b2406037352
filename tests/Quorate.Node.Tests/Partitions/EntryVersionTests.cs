using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Storage.Rows;

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

        string late = cluster.Do($"CAS k {one.ValueVersion} 3");

        string stands = $"-VERSION {two.ValueVersion}";
        Assert.Equal(stands, late);
        Assert.Equal("$1\r\n2", cluster.Do("GET k"));
    }

    /// <summary>
    /// A write at level `leader` is lost with its leader, and the next leader gives its place in the log to another
    /// write of the same key: who holds the version of the lost one has not seen that.
    /// </summary>
    [Fact]
    public void A_compare_and_set_by_the_version_of_a_lost_write_fails()
    {
        var cluster = new TestCluster(3);
        TestNode old = cluster.Leader;
        old.IsCutOff = true;

        // The next leader's first entry takes the place of this one.
        cluster.Submit(old, TestCluster.Request("SET other 1") with { WriteLevel = WriteLevel.Leader });
        cluster.Settle();
        ulong id = cluster.Submit(old, TestCluster.Request("CAS k 0 lost") with { WriteLevel = WriteLevel.Leader });
        cluster.Settle();
        PartitionReply lost = old.ReplyTo(id)!.Value;
        Assert.StartsWith("$", TestCluster.Text(lost), StringComparison.Ordinal);

        cluster.AwaitLeader();
        PartitionReply other = cluster.Ask(cluster.Leader, TestCluster.Request("CAS k 0 other"));
        old.IsCutOff = false;
        cluster.Run(1000);
        Assert.Equal(lost.Version, other.Version);

        Assert.Equal($"-VERSION {other.ValueVersion}", cluster.Do($"CAS k {lost.ValueVersion} mine"));
        Assert.Equal("$5\r\nother", cluster.Do("GET k"));
    }

    /// <summary>
    /// The write whose version a client holds may be a lost one, whose place another has taken in a term that nobody
    /// remembers any more.
    /// </summary>
    [Fact]
    public void A_term_that_is_known_does_not_match_one_that_is_forgotten()
    {
        RowVersion row = RowVersion.At(new LogIndex(7), 0);
        var known = new ValueVersion(new Term(3), row);
        var forgotten = new ValueVersion(Term.Zero, row);

        Assert.False(forgotten.IsNamedBy(known));
        Assert.True(known.IsNamedBy(forgotten));
        Assert.True(forgotten.IsNamedBy(forgotten));
        Assert.True(known.IsNamedBy(known));
        Assert.False(known.IsNamedBy(new(new Term(4), row)));
    }

    [Theory]
    [InlineData("0", true)]
    [InlineData("3-7-0", true)]
    [InlineData("0-7-12", true)]
    [InlineData("3-0-0", false)]
    [InlineData("", false)]
    [InlineData("3-7", false)]
    [InlineData("3-7-0-", false)]
    [InlineData("3-7-+1", false)]
    [InlineData("-3-7-1", false)]
    [InlineData("3-7-65536", false)]
    [InlineData("3-281474976710656-1", false)]
    [InlineData("18446744073709551615-281474976710655-65535", true)]
    [InlineData("18446744073709551616-1-1", false)]
    public void A_version_is_read_back_as_it_was_written(string text, bool isVersion)
    {
        Assert.Equal(isVersion, ValueVersion.TryParse(Encoding.ASCII.GetBytes(text), out ValueVersion version));
        Assert.Equal(isVersion ? text : "0", version.ToString());
    }
}
