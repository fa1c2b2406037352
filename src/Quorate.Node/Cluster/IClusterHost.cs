using Quorate.Core.Model;

namespace Quorate.Node.Cluster;

/// <summary>
/// Which of the connections between two nodes a message takes, so that large and small do not wait for each other.
/// </summary>
public enum PeerClass : byte
{
    /// <summary>Heartbeats, votes, short answers: never behind anything else.</summary>
    Urgent = 1,

    /// <summary>Entries of the log.</summary>
    Log = 2,

    /// <summary>Requests that are handed on, and their answers.</summary>
    Requests = 3,

    /// <summary>Pieces of snapshots.</summary>
    Bulk = 4,
}

/// <summary>
/// The world around a <see cref="ClusterNode"/>: clocks, timer, network. The node calls it while it takes an input; the
/// host does not call back into the node from inside these calls.
/// </summary>
public interface IClusterHost
{
    /// <summary>The node's monotonic clock, now.</summary>
    Instant Now { get; }

    /// <summary>The node's wall clock, in milliseconds since 1970. It may jump.</summary>
    long WallClockMilliseconds { get; }

    /// <summary>
    /// A message for a node: what the host copies, and behind it what never changes and may be sent from where it is.
    /// It may be lost, repeated or overtaken. False when it surely is lost: there is no connection, or too much waits
    /// for it.
    /// </summary>
    bool Send(NodeId to, PeerClass by, ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail);

    /// <summary>Call the node's Tick then; it takes the place of the former deadline.</summary>
    void SetDeadline(Instant deadline);

    /// <summary>Something is to be done: call the node's Turn, once, now or later.</summary>
    void TurnWaits();

    /// <summary>Call the node's Work, when there is time.</summary>
    void WorkWaits();

    /// <summary>
    /// The log has been read, and its tail is durable in a segment of this start's own: the start needs no more space
    /// than it has taken.
    /// </summary>
    void LogOpened();

    /// <summary>The metadata has changed, or who leads: addresses of peers are in it.</summary>
    void ViewChanged(ClusterView view);

    /// <summary>
    /// A node has said where it is reached, which the metadata that is here may not say yet: it counts until the view
    /// changes.
    /// </summary>
    void AddressLearnt(NodeId node, string peerAddress);

    /// <summary>
    /// Partitions of this node were opened or dropped. A dropped one serves nobody any more, whoever still knows it.
    /// </summary>
    void PartitionsChanged();

    /// <summary>Who leads a partition of this node, as it knows; null when it does not. For edges that send clients
    /// there.</summary>
    void LeaderChanged(GroupId group, NodeId? leader)
    {
    }

    /// <summary>Whether the heartbeats of another node arrive here has changed.</summary>
    void PeerHeard(NodeId node, bool isHeard)
    {
    }

    /// <summary>Something that an operator may want to know (an election, a silent node), in one sentence.</summary>
    void Happened(in NodeEvent happened);

    /// <summary>
    /// After <see cref="ClusterNode.BeginStop"/>: it leads nothing that another could lead, so its clients may be sent
    /// away. <see cref="StopReady"/> follows.
    /// </summary>
    void HandedOver();

    /// <summary>
    /// After <see cref="ClusterNode.BeginStop"/>: nothing more is to be waited for; close the node and end the process.
    /// </summary>
    void StopReady();

    /// <summary>The process must end with this sentence. The node takes no further input.</summary>
    void End(string sentence);
}

/// <summary>Something that an operator may want to know.</summary>
/// <param name="Kind">One word, for filters: `election`, `silent`, `heard`, `space`, `checkpoint`.</param>
/// <param name="Cause">One word, for events whose causes are counted apart; else empty.</param>
public readonly record struct NodeEvent(string Kind, string Sentence, string Cause = "");
