using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Placement;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Metadata;

/// <summary>A metadata group's state machine that is fed commands one after the other.</summary>
internal sealed class MetadataRun
{
    private ulong _index;

    public MetadataRun(MetadataLimits? limits = null)
    {
        Metadata = new ClusterMetadata(limits ?? new MetadataLimits());
        Planner = new MetadataPlanner(Metadata, new PlacementSettings());
        Done(new MetadataCommand { FoundCluster = new FoundCluster { Cluster = 7, FeatureLevel = 1 } });
    }

    public ClusterMetadata Metadata { get; }

    public MetadataPlanner Planner { get; }

    /// <summary>All commands so far, as the log holds them.</summary>
    public List<byte[]> Log { get; } = [];

    public MetadataResult Apply(MetadataCommand command)
    {
        Log.Add(command.ToByteArray());
        return Metadata.Apply(new LogIndex(++_index), Log[^1])!;
    }

    public MetadataResult Done(MetadataCommand command)
    {
        MetadataResult result = Apply(command);
        Assert.Equal("", result.Refusal);
        return result;
    }

    public string Refused(MetadataCommand command)
    {
        byte[] before = Bare(Metadata.State);
        MetadataResult result = Apply(command);
        Assert.NotEqual("", result.Refusal);
        Assert.Equal(before, Bare(Metadata.State));
        return result.Refusal;
    }

    public uint AddNode(string zone = "", uint weight = 100) => Done(Joining(zone, weight)).Id;

    public MetadataCommand Joining(string zone = "", uint weight = 100, ulong instance = 0) => new()
    {
        AddNode = new AddNode
        {
            Node = new NodeRecord
            {
                Instance = instance == 0 ? 1000 + _index : instance,
                Zone = zone,
                Weight = weight,
                FeatureLevelMax = 2,
                PeerAddress = "127.0.0.1:7601",
            },
        },
    };

    public KeyspaceRecord Keyspace(string name = "default", uint replicas = 3, uint voters = 3) => new()
    {
        Name = name, Replicas = replicas, Voters = voters,
    };

    public uint Create(KeyspaceRecord keyspace, int partitions = 16) => Done(new MetadataCommand
    {
        CreateKeyspace = Planner.Plan(keyspace, partitions, keyspace.Encrypted ? [1, 2, 3] : []).Command,
    }).Id;

    /// <summary>The state without what every command changes.</summary>
    private static byte[] Bare(MetadataState state)
    {
        MetadataState bare = state.Clone();
        bare.Version = 0;
        bare.Time = 0;
        return bare.ToByteArray();
    }
}
