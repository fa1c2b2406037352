using Quorate.Node.Partitions;
using Quorate.Node.Tests.Partitions;
using Quorate.Storage.Inspection;

namespace Quorate.Node.Tests.Runtime;

/// <summary>Every file that a node leaves can be looked at.</summary>
public sealed class InspectionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_file_of_a_node_says_what_it_holds(bool hasRealStores)
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 4 } };
        var cluster = new TestCluster(1, settings, hasRealStores: hasRealStores);
        for (int i = 0; i < 20; i++)
        {
            cluster.Do($"SET key{i} value{i}");
        }

        cluster.Run(1000);
        TestNode node = cluster.Nodes[0];
        string all = "";
        foreach (string file in node.Disk.Names)
        {
            string? text = FileInspector.Describe(file, node.Disk.Content(file), null, name => node.Disk.Content(name));
            Assert.False(string.IsNullOrEmpty(text), $"{file} says nothing");
            all += text;
        }

        Assert.Contains("batch of segment 1", all, StringComparison.Ordinal);
        Assert.Contains(hasRealStores ? "key3" : "checkpoint: ", all, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_damaged_or_strange_is_said_to_be()
    {
        var cluster = new TestCluster(1);
        byte[] garbage = [.. Enumerable.Repeat((byte)0xA5, 300)];
        Assert.Null(FileInspector.Describe("notes.txt", garbage));
        Assert.Contains("damaged", FileInspector.Describe("g1.1-000001.sst", garbage), StringComparison.Ordinal);
        Assert.NotEmpty(FileInspector.Describe("g1.1-manifest-000001", garbage)!);
        Assert.Contains(
            "nothing is written",
            FileInspector.Describe(SegmentName(), garbage, null, name => cluster.Nodes[0].Disk.Content(name)),
            StringComparison.Ordinal);
        Assert.Contains("mark", FileInspector.Describe(SegmentName(), garbage), StringComparison.Ordinal);
        Assert.Contains("damaged", FileInspector.Describe("node-log.mark", garbage), StringComparison.Ordinal);
    }

    private static string SegmentName()
    {
        var cluster = new TestCluster(1);
        return cluster.Nodes[0].Disk.Names.First(name => name.StartsWith("node-log-", StringComparison.Ordinal));
    }
}
