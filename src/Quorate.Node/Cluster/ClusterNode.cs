using Quorate.Core.Model;

namespace Quorate.Node.Cluster;

/// <summary>
/// A node of a cluster: its partitions, its copy of the metadata, and the way of each request to whoever may answer it.
/// It is fed inputs and tells its host what follows; it has no thread, clock or socket of its own.
/// </summary>
public sealed class ClusterNode(ClusterPlace place, ClusterSettings settings, IClusterHost host)
{
    /// <summary>What it is made of.</summary>
    internal ClusterPlace Place { get; } = place;

    internal ClusterSettings Settings { get; } = settings;

    internal IClusterHost Host { get; } = host;

    public NodeId Id => Place.Identity.Node;

    /// <summary>The newest view; told by <see cref="IClusterHost.ViewChanged"/>, too.</summary>
    public ClusterView View { get; private set; } = new(place.Identity.Node, new());

    /// <summary>Nothing is left that a stop should wait for; see <see cref="BeginStop"/>.</summary>
    public bool IsReadyToStop { get; private set; }

    /// <summary>Reads the disk and joins the cluster.</summary>
    public void Start()
    {
    }

    /// <summary>A message of a node whose identity the host has verified.</summary>
    public void Receive(NodeId from, ReadOnlySpan<byte> message)
    {
    }

    /// <summary>
    /// The connection to a node broke: what was sent by it and not answered may be lost. For class Requests it decides
    /// over the outcome of what was handed on.
    /// </summary>
    public void LinkLost(NodeId peer, PeerClass by)
    {
    }

    /// <summary>The answer to a question of a node that does not belong to a cluster yet.</summary>
    public byte[] Answer(ReadOnlySpan<byte> question) => [];

    public void Submit(ClientCall call)
    {
    }

    public void Submit(MetadataCall call)
    {
    }

    /// <summary>The deadline that was set has come. Harmless at any other time.</summary>
    public void Tick()
    {
    }

    /// <summary>Does what waits.</summary>
    public void Turn()
    {
    }

    /// <summary>Background work, about as much as the budget says, in bytes. True when there is more.</summary>
    public bool Work(int budgetBytes) => false;

    /// <summary>
    /// Begins to stop well: hands leaderships over and saves checkpoints; <see cref="IClusterHost.StopReady"/> says
    /// when nothing more is to be waited for. It goes on serving until <see cref="Close"/>.
    /// </summary>
    public void BeginStop() => IsReadyToStop = true;

    /// <summary>The process ends: what is open is answered, memory is given back.</summary>
    public void Close()
    {
    }

    public ClusterReport Report() => throw new NotSupportedException();
}
