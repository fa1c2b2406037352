using System.Globalization;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// What has changed between two states of the metadata that an operator may want to know: keyspaces that were made,
/// altered or dropped, nodes that came, left or said something else of themselves. Every node tells of it, in the same
/// words.
/// </summary>
internal static class MetadataNews
{
    /// <summary>Kinds and sentences, in the order of ids; nothing of what a node hears first of all.</summary>
    public static IEnumerable<(string Kind, string Sentence)> Between(MetadataState before, MetadataState after)
    {
        if (before.Version == 0)
        {
            yield break;
        }

        foreach ((KeyspaceRecord? was, KeyspaceRecord? becomes) in Pairs(
            before.Keyspaces, after.Keyspaces, row => row.Id))
        {
            if (Of(was, becomes, after) is { } sentence)
            {
                yield return ("keyspace", sentence);
            }
        }

        foreach ((NodeRecord? was, NodeRecord? becomes) in Pairs(before.Nodes, after.Nodes, row => row.Id))
        {
            if (Of(was, becomes) is { } sentence)
            {
                yield return ("node", sentence);
            }
        }
    }

    private static string? Of(KeyspaceRecord? was, KeyspaceRecord? becomes, MetadataState after)
    {
        if (becomes is null)
        {
            return $"Keyspace '{was!.Name}' was dropped.";
        }

        if (was is not null)
        {
            return was.Equals(becomes) ? null : $"Keyspace '{becomes.Name}' was altered.";
        }

        int partitions = after.Partitions.Count(row => row.Keyspace == becomes.Id);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Keyspace '{becomes.Name}' was made: {partitions} partitions, {becomes.Replicas} replicas.");
    }

    private static string? Of(NodeRecord? was, NodeRecord? becomes) => (was, becomes) switch
    {
        (_, null) => null,
        (null, { State: not NodeState.Removed }) =>
            $"Node {becomes.Id} ({becomes.PeerAddress}) has joined the cluster.",
        ({ State: not NodeState.Removed }, { State: NodeState.Removed }) =>
            $"Node {becomes.Id} was removed from the cluster.",
        ({ State: NodeState.Active }, { State: NodeState.Draining }) => $"Node {becomes.Id} is being emptied.",
        ({ State: NodeState.Draining }, { State: NodeState.Active }) => $"Node {becomes.Id} takes partitions again.",
        ({ } old, _) when old.PeerAddress != becomes.PeerAddress =>
            $"Node {becomes.Id} is reached at {becomes.PeerAddress} now, no more at {old.PeerAddress}.",
        _ => null,
    };

    /// <summary>Rows of the same id, in the order of ids; null where one side has none.</summary>
    private static IEnumerable<(T? Was, T? Becomes)> Pairs<T>(
        IEnumerable<T> before, IEnumerable<T> after, Func<T, uint> idOf)
        where T : class
    {
        var all = new SortedDictionary<uint, (T? Was, T? Becomes)>();
        foreach (T row in before)
        {
            all[idOf(row)] = (row, null);
        }

        foreach (T row in after)
        {
            all[idOf(row)] = (all.GetValueOrDefault(idOf(row)).Was, row);
        }

        return all.Values;
    }
}
