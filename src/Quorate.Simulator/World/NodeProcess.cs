using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.World;

/// <summary>One life of a node's process: what runs on the machine from a start to the next end.</summary>
internal abstract class NodeProcess(Simulation world, SimulatedNode node)
{
    private ulong _lastRequest;

    /// <summary>The log has been read, and it proves what it holds.</summary>
    public abstract bool LogIsOpen { get; }

    /// <summary>Replicas that were taken away, and whose log and files are not all gone yet.</summary>
    public virtual int Leaving => 0;

    protected Simulation World { get; } = world;

    protected SimulatedNode Node { get; } = node;

    /// <summary>Opens what is placed here, reads the disk, and begins to greet the other nodes.</summary>
    public abstract void Start();

    /// <summary>Opens the replica that the operator has put here.</summary>
    public abstract void Open(int group, PlacedReplica placed);

    /// <summary>A replica was taken away.</summary>
    public abstract void Drop(SimulatedReplica replica);

    public abstract void Receive(int group, in RaftMessage message);

    public abstract void Heard(in NodeHeartbeat beat);

    public abstract void Take(Attempt attempt);

    /// <summary>An event that the process has asked for.</summary>
    public abstract void Happen(in SimEvent happening);

    /// <summary>To be called after anything here took an input by another way (the disk).</summary>
    public abstract void AfterInput();

    /// <summary>It ends well: whoever waits is answered as far as can be.</summary>
    public virtual void Stop()
    {
    }

    /// <summary>The process is gone: what it held in memory is given back.</summary>
    public virtual void Ended()
    {
    }

    /// <summary>Unlike that of every other request in this life.</summary>
    public RequestId NextRequest() => new(++_lastRequest);

    /// <summary>Something will happen to this life of the process.</summary>
    public void HappensAfter(long delay, EventKind kind) => World.Queue.Add(
        World.Now + delay, new SimEvent { Kind = kind, Target = Node.Number, Life = Node.Life });

    /// <summary>The replica that an event was meant for; null when the operator has taken it away.</summary>
    protected SimulatedReplica? ReplicaOf(in SimEvent happening) =>
        Node.Replicas[happening.Group] is { } replica && replica.Number == happening.Slot ? replica : null;
}
