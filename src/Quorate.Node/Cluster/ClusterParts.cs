using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Runtime;
using Quorate.Node.Wire;

namespace Quorate.Node.Cluster;

/// <summary>What the parts of a cluster's node share.</summary>
internal sealed class ClusterParts(ClusterPlace place, ClusterSettings settings, IClusterHost host)
{
    private readonly SortedDictionary<NodeId, Instant> _heard = [];
    private readonly SortedSet<NodeId> _stopping = [];
    private ulong _lastId;

    public ClusterPlace Place { get; } = place;

    public ClusterSettings Settings { get; } = settings;

    public IClusterHost Host { get; } = host;

    public NodeId Self { get; } = place.Identity.Node;

    public NodeRuntime Runtime { get; set; } = null!;

    public MetadataGroup Metadata { get; set; } = null!;

    public ClusterView View { get; set; } = new(place.Identity.Node, new());

    /// <summary>One message is put together at a time.</summary>
    public WireWriter Writer { get; } = new();

    /// <summary>It was closed, or its host was told that it ends: nothing more is done.</summary>
    public bool HasEnded { get; set; }

    public Instant Now => Host.Now;

    /// <summary>There was such a keyspace, and there will not be again: ids are given out once.</summary>
    public bool IsDropped(uint keyspace) =>
        keyspace != 0 && keyspace < View.State.NextKeyspace && !View.TryFind(keyspace, out _);

    /// <summary>Unique in this life of the node.</summary>
    public ulong NextId() => ++_lastId;

    public void Heard(NodeId node, bool isHeard)
    {
        bool isNews = isHeard ? _heard.TryAdd(node, Now) : _heard.Remove(node);
        if (isNews)
        {
            Host.PeerHeard(node, isHeard);
        }
    }

    /// <summary>The node's heartbeats arrive; this node hears itself.</summary>
    public bool IsHeard(NodeId node) => node == Self || _heard.ContainsKey(node);

    /// <summary>A node says with each heartbeat whether it stops; true when it says so for the first time.</summary>
    public bool SaysItStops(NodeId node, bool stops)
    {
        if (stops)
        {
            return _stopping.Add(node);
        }

        _stopping.Remove(node);
        return false;
    }

    /// <summary>It has said that it stops, and nothing else since.</summary>
    public bool IsStopping(NodeId node) => _stopping.Contains(node);

    /// <summary>It is heard, and has been for so long.</summary>
    public bool IsHeardFor(NodeId node, Duration duration) =>
        _heard.TryGetValue(node, out Instant since) && Now - since >= duration;

    /// <summary>Sends what the writer holds.</summary>
    public bool Send(NodeId to, PeerClass by) => Host.Send(to, by, Writer.Written, Writer.Tail);

    public void Say(string kind, string sentence) => Host.Happened(new(kind, sentence));

    /// <summary>Who leads a group as far as its replica on this node knows; false when it does not.</summary>
    public static bool TryLeader(RaftGroup? group, out NodeId leader)
    {
        leader = group?.Leader.NodeId ?? default;
        return group is { Leader.IsNone: false };
    }
}
