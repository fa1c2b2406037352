using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Http;

namespace Quorate.Server.Tests.Http;

/// <summary>When clients may be sent to a node.</summary>
public sealed class ReadinessTests
{
    [Fact]
    public void A_node_that_can_serve_a_part_of_its_partitions_is_ready()
    {
        Assert.Null(NodeFacts.NotReady(isNode: true, Report(Here(1), Here(2)), isNew: false));
        Assert.Null(NodeFacts.NotReady(isNode: true, Report(Here(null), Here(2)), isNew: false));

        // What is elsewhere says nothing, since nobody here knows who leads it.
        Assert.Null(NodeFacts.NotReady(isNode: true, Report(Elsewhere()), isNew: false));
        Assert.Contains("none of its partitions", NotReady(Report(Here(null), Here(null), Elsewhere()), isNew: false));
    }

    [Fact]
    public void A_node_that_has_just_started_waits_for_all_leaders()
    {
        Assert.Null(NodeFacts.NotReady(isNode: true, Report(Here(1), Elsewhere()), isNew: true));
        Assert.Contains("has no leader", NotReady(Report(Here(1), Here(null)), isNew: true));
    }

    [Fact]
    public void The_reason_is_the_one_that_it_is()
    {
        Assert.Contains("no cluster", NodeFacts.NotReady(isNode: false, null, isNew: true));
        Assert.Contains("has not told of itself", NotReady(null, isNew: false));
        Assert.Contains("keyspaces", NotReady(Report(), isNew: false));
        Assert.Contains("keyspaces", NotReady(Report(Here(1)) with { MetadataVersion = 0 }, isNew: false));
    }

    private static string NotReady(ClusterReport? report, bool isNew)
    {
        string? problem = NodeFacts.NotReady(isNode: true, report, isNew);
        Assert.NotNull(problem);
        return problem;
    }

    private static PartitionReport Here(uint? leader) => Partition(isHere: true, leader);

    private static PartitionReport Elsewhere() => Partition(isHere: false, leader: null);

    private static PartitionReport Partition(bool isHere, uint? leader) => new(
        new(1), 1, default, 1, isHere, leader is { } node ? new NodeId(node) : null, null, new(1), LogIndex.Zero,
        LogIndex.Zero, [], 0, 0, IsUnderReplicated: false, "p1");

    private static ClusterReport Report(params PartitionReport[] partitions) => new()
    {
        Self = new(1),
        Cluster = default,
        MetadataVersion = 5,
        MetadataLeader = ReplicaId.None,
        MetadataTerm = new(1),
        Nodes = [],
        Keyspaces = [],
        Partitions = partitions,
        MemoryUsedBytes = 0,
        MemoryTotalBytes = 0,
        MemoryUnderWayBytes = 0,
        MemoryUnderWayTotalBytes = 0,
        Memory = [],
        SpaceIsLow = false,
        Forwarded = 0,
        Waiting = 0,
        Alarms = [],
    };
}
