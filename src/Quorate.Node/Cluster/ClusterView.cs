using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// The cluster as a node knows it at one moment. It never changes, so any thread may look at it; a change of the
/// metadata makes another one.
/// </summary>
public sealed class ClusterView
{
    private readonly Dictionary<string, KeyspaceView> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, KeyspaceView> _byId = [];
    private readonly Dictionary<GroupId, PartitionRecord> _byGroup = [];

    public ClusterView(NodeId self, MetadataState state)
    {
        Self = self;
        State = state;
        foreach (PartitionRecord partition in state.Partitions)
        {
            _byGroup.Add(new(partition.Group), partition);
        }

        foreach (KeyspaceRecord keyspace in state.Keyspaces)
        {
            var view = new KeyspaceView(keyspace, state.Partitions.Where(row => row.Keyspace == keyspace.Id));
            _byName.Add(keyspace.Name, view);
            _byId.Add(keyspace.Id, view);
        }
    }

    public NodeId Self { get; }

    /// <summary>This node follows every partition and votes nowhere.</summary>
    public bool IsReadReplica => State.Nodes.Any(node => node.Id == Self.Value && node.ReadReplica);

    /// <summary>What the metadata group has agreed on. Nobody changes it any more.</summary>
    public MetadataState State { get; }

    /// <summary>The log index of the metadata command that led here; zero before there is a cluster.</summary>
    public ulong Version => State.Version;

    /// <summary>
    /// The first keyspace, which plain clients use, has been made. Before that nothing is wrong, it is only early.
    /// </summary>
    public bool HasKeyspaces => State.NextKeyspace > 1;

    public bool TryFind(string keyspace, [NotNullWhen(true)] out KeyspaceView? view) =>
        _byName.TryGetValue(keyspace, out view);

    public bool TryFind(uint keyspace, [NotNullWhen(true)] out KeyspaceView? view) =>
        _byId.TryGetValue(keyspace, out view);

    public bool TryFind(GroupId group, [NotNullWhen(true)] out PartitionRecord? row) =>
        _byGroup.TryGetValue(group, out row);

    /// <summary>
    /// What people call a partition: its keyspace, and its place among the keyspace's partitions in the order of their
    /// slots, from 0 (`default/3`). One that is in no keyspace any more has only its group.
    /// </summary>
    public string NameOf(GroupId group) =>
        TryFind(group, out PartitionRecord? row) && TryFind(row.Keyspace, out KeyspaceView? keyspace)
            ? string.Create(CultureInfo.InvariantCulture, $"{keyspace.Record.Name}/{keyspace.NumberOf(row)}")
            : string.Create(CultureInfo.InvariantCulture, $"{group} of a dropped keyspace");
}

/// <summary>A keyspace and where its partitions are.</summary>
public sealed class KeyspaceView
{
    private readonly PartitionRecord[] _partitions;
    private readonly ushort[] _bySlot = new ushort[Slot.Count];

    public KeyspaceView(KeyspaceRecord record, IEnumerable<PartitionRecord> partitions)
    {
        Record = record;
        _partitions = [.. partitions.OrderBy(partition => partition.FirstSlot)];
        for (int i = 0; i < _partitions.Length; i++)
        {
            PartitionRecord partition = _partitions[i];
            int count = (int)(partition.LastSlot - partition.FirstSlot + 1);
            _bySlot.AsSpan((int)partition.FirstSlot, count).Fill((ushort)i);
        }
    }

    public KeyspaceRecord Record { get; }

    /// <summary>Ascending by slot; they cover every slot once.</summary>
    public IReadOnlyList<PartitionRecord> Partitions => _partitions;

    public PartitionRecord PartitionOf(Slot slot) => _partitions[_bySlot[slot.Value]];

    /// <summary>Its place in the order of slots, from 0.</summary>
    public int NumberOf(PartitionRecord partition) => _bySlot[partition.FirstSlot];
}
