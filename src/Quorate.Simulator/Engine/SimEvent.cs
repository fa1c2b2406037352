namespace Quorate.Simulator.Engine;

/// <summary>What may happen in a simulated world. The numbers are part of the trace hash.</summary>
internal enum EventKind : byte
{
    /// <summary>A replica's message arrives at a node.</summary>
    Message = 1,

    /// <summary>A node's heartbeat arrives at a node.</summary>
    Heartbeat = 2,

    /// <summary>A replica's deadline may have come.</summary>
    ReplicaTimer = 3,

    /// <summary>A node's own deadline (heartbeats, or any of a whole node) may have come.</summary>
    NodeTimer = 4,

    /// <summary>An operation on a node's disk ends.</summary>
    Disk = 5,

    /// <summary>A replica applies what is committed.</summary>
    Apply = 6,

    /// <summary>A replica serves a read that was found ready earlier.</summary>
    ServeRead = 7,

    /// <summary>A node goes on with its background work.</summary>
    NodeWork = 18,

    /// <summary>A node does what waits in its partitions.</summary>
    NodeTurn = 19,

    /// <summary>A read beside the one that drives the node looks at the rows.</summary>
    FastRead = 20,

    /// <summary>A replica is told that a write to its log is durable.</summary>
    Notice = 17,

    /// <summary>A client begins its next operation.</summary>
    ClientStep = 8,

    /// <summary>A client's request arrives at a node.</summary>
    ClientRequest = 9,

    /// <summary>An answer arrives at a client.</summary>
    ClientReply = 10,

    /// <summary>A client has waited long enough for an answer.</summary>
    ClientTimeout = 11,

    /// <summary>A fault begins or ends.</summary>
    Fault = 12,

    /// <summary>A node's process is started.</summary>
    NodeStart = 13,

    /// <summary>A paused node goes on.</summary>
    NodeResume = 14,

    /// <summary>The operator looks after the groups.</summary>
    Operator = 15,

    /// <summary>The run's own schedule: phases, checks of bounds.</summary>
    Schedule = 16,
}

/// <summary>
/// One event. Which fields count depends on the kind; <see cref="Life"/> names the life of the process that it is
/// for, so that what was meant for a process that has ended is dropped (zero: for whichever lives).
/// </summary>
internal struct SimEvent
{
    public EventKind Kind;

    /// <summary>The node or client that it happens to, from zero; -1 for the world.</summary>
    public int Target;

    /// <summary>The group, or another small number.</summary>
    public int Group;

    /// <summary>A slot in the message pool, or another small number.</summary>
    public int Slot;

    public uint Life;

    public ulong Number;

    public object? Payload;
}
