using Quorate.Core.Model;
using Quorate.Node.Cluster;

namespace Quorate.Server.Runtime;

/// <summary>
/// What a <see cref="NodeLoop"/> drives: a node's inputs, and what the loop calls when there is something to do.
/// <para>Invariant: the loop calls it from one thread at a time, each of which sees what the ones before it did.</para>
/// </summary>
public interface IDrivenNode
{
    void Submit(ClientCall call);

    void Submit(MetadataCall call);

    /// <param name="message">The node may keep it.</param>
    void Receive(NodeId from, PeerClass by, ReadOnlyMemory<byte> message);

    /// <summary>Lets somebody look at the node.</summary>
    void Look(Action<ClusterNode> action);

    /// <summary>The disk has ends to hand over.</summary>
    void DrainDisk();

    /// <summary>The deadline has come.</summary>
    void Tick();

    /// <summary>Does what waits, once.</summary>
    void Turn();

    /// <summary>Does background work of about so many bytes; true when there is more.</summary>
    bool Work(int budgetBytes);

    /// <summary>Everything of a round has been done: what is to leave for other nodes leaves now.</summary>
    void FlushPeers();
}

/// <summary>
/// Somebody who gathers what the node tells it, and acts on all of it once: a client's connection with its replies.
/// </summary>
public interface IRoundListener
{
    /// <summary>
    /// The round is over. It is called on the thread that drives the node, outside of the node; it may hand calls
    /// over, must not wait, and keeps its own errors to itself.
    /// </summary>
    void RoundEnded();
}
