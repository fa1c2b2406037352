using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>
/// What the cluster agrees on: nodes, keyspaces, the partition map, data keys, the feature level, and the log of the
/// operations that led there. The metadata group's state machine; every node has a copy.
/// <para>Invariants: the state depends on the commands applied so far alone (plans are made by whoever proposes, so a
/// command carries its outcome); ids of nodes, keyspaces, groups and keys, and incarnations of replicas, are never
/// used twice (pitfalls R19, R20); the partitions of a keyspace cover every slot once; a partition's epoch rises with
/// each change of its row; a refused command changes nothing but the version.</para>
/// </summary>
public sealed class ClusterMetadata(MetadataLimits limits)
{
    private readonly Dictionary<uint, NodeRecord> _nodes = [];
    private readonly Dictionary<uint, KeyspaceRecord> _keyspaces = [];
    private readonly Dictionary<string, KeyspaceRecord> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, PartitionRecord> _partitions = [];

    /// <summary>The state, for looking. It must not be changed by whoever looks.</summary>
    public MetadataState State { get; private set; } = First();

    internal MetadataLimits Limits => limits;

    /// <summary>
    /// Applies an entry's command and says what came of it. Null when this build does not know the command: a newer one
    /// wrote it, and a copy that passed over it would differ from the others, so the replica must stop.
    /// </summary>
    public MetadataResult? Apply(LogIndex index, ReadOnlySpan<byte> bytes)
    {
        if (!TryParse(bytes, out MetadataCommand? command))
        {
            return null;
        }

        State.Version = index.Value;
        State.Time = Math.Max(State.Time, command.Time);
        MetadataResult result = Do(command);
        result.Version = State.Version;
        if (result.Refusal.Length == 0 && MetadataText.Of(command, result, this) is { } text)
        {
            Remember(text);
        }

        return result;
    }

    public byte[] Encode() => State.ToByteArray();

    /// <summary>Takes an encoded state; false when these bytes are none.</summary>
    public bool TryLoad(ReadOnlySpan<byte> bytes)
    {
        MetadataState loaded;
        try
        {
            loaded = bytes.IsEmpty ? First() : MetadataState.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }

        State = loaded;
        _nodes.Clear();
        _keyspaces.Clear();
        _byName.Clear();
        _partitions.Clear();
        foreach (NodeRecord node in loaded.Nodes)
        {
            _nodes.Add(node.Id, node);
        }

        foreach (KeyspaceRecord keyspace in loaded.Keyspaces)
        {
            Index(keyspace);
        }

        foreach (PartitionRecord partition in loaded.Partitions)
        {
            _partitions.Add(partition.Group, partition);
        }

        return true;
    }

    public NodeRecord? FindNode(uint id) => _nodes.GetValueOrDefault(id);

    public KeyspaceRecord? FindKeyspace(uint id) => _keyspaces.GetValueOrDefault(id);

    public KeyspaceRecord? FindKeyspace(string name) => _byName.GetValueOrDefault(name);

    public PartitionRecord? FindPartition(uint group) => _partitions.GetValueOrDefault(group);

    /// <summary>A keyspace's partitions, ascending by slot.</summary>
    public IEnumerable<PartitionRecord> PartitionsOf(uint keyspace) =>
        State.Partitions.Where(partition => partition.Keyspace == keyspace).OrderBy(partition => partition.FirstSlot);

    internal void Add(NodeRecord node)
    {
        State.Nodes.Add(node);
        _nodes.Add(node.Id, node);
    }

    internal void Forget(NodeRecord node)
    {
        State.Nodes.Remove(node);
        _nodes.Remove(node.Id);
    }

    internal void Add(KeyspaceRecord keyspace)
    {
        State.Keyspaces.Add(keyspace);
        Index(keyspace);
    }

    internal void Remove(KeyspaceRecord keyspace)
    {
        State.Keyspaces.Remove(keyspace);
        _keyspaces.Remove(keyspace.Id);
        _byName.Remove(keyspace.Name);
        foreach (PartitionRecord partition in PartitionsOf(keyspace.Id).ToArray())
        {
            State.Partitions.Remove(partition);
            _partitions.Remove(partition.Group);
        }
    }

    internal void Add(PartitionRecord partition)
    {
        State.Partitions.Add(partition);
        _partitions.Add(partition.Group, partition);
    }

    private static MetadataState First() =>
        new() { NextNode = 1, NextKeyspace = 1, NextGroup = 2, NextDataKey = 1 };

    private static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MetadataCommand? command)
    {
        try
        {
            command = MetadataCommand.Parser.ParseFrom(bytes);
            return command.ActionCase != MetadataCommand.ActionOneofCase.None;
        }
        catch (InvalidProtocolBufferException)
        {
            command = null;
            return false;
        }
    }

    private MetadataResult Do(MetadataCommand command) => command.ActionCase switch
    {
        MetadataCommand.ActionOneofCase.FoundCluster => NodeRules.Found(this, command.FoundCluster),
        MetadataCommand.ActionOneofCase.AddNode => NodeRules.Add(this, command.AddNode.Node),
        MetadataCommand.ActionOneofCase.UpdateNode => NodeRules.Update(this, command.UpdateNode.Node),
        MetadataCommand.ActionOneofCase.SetNodeState => NodeRules.SetState(this, command.SetNodeState),
        MetadataCommand.ActionOneofCase.SetFeatureLevel =>
            NodeRules.SetFeatureLevel(this, command.SetFeatureLevel.FeatureLevel),
        MetadataCommand.ActionOneofCase.CreateKeyspace => KeyspaceRules.Create(this, command.CreateKeyspace),
        MetadataCommand.ActionOneofCase.AlterKeyspace => KeyspaceRules.Alter(this, command.AlterKeyspace.Keyspace),
        MetadataCommand.ActionOneofCase.DropKeyspace => KeyspaceRules.Drop(this, command.DropKeyspace.Keyspace),
        MetadataCommand.ActionOneofCase.AddDataKey => KeyspaceRules.AddKey(this, command.AddDataKey),
        MetadataCommand.ActionOneofCase.MovePartition => PartitionRules.Move(this, command.MovePartition),
        MetadataCommand.ActionOneofCase.Barrier => new MetadataResult(),
        _ => PartitionRules.Moved(this, command.PartitionMoved),
    };

    private void Index(KeyspaceRecord keyspace)
    {
        _keyspaces.Add(keyspace.Id, keyspace);
        _byName.Add(keyspace.Name, keyspace);
    }

    private void Remember(string text)
    {
        State.Operations.Add(new Operation { Version = State.Version, Time = State.Time, Text = text });
        while (State.Operations.Count > limits.OperationsMax)
        {
            State.Operations.RemoveAt(0);
        }
    }
}
