using Quorate.Core.Model;
using Quorate.Node.Cluster;

namespace Quorate.Server.Peers;

/// <summary>The times and limits of the links between nodes, each with its unit.</summary>
public sealed record PeerSettings
{
    /// <summary>A message between nodes, in bytes. It must hold the largest entry of the log with its frame.</summary>
    public int MessageBytesMax { get; init; } = 80 * 1024 * 1024;

    /// <summary>What waits to be sent to one node of class Urgent, in bytes. Beyond, messages are lost.</summary>
    public long UrgentBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>The same for class Log; one larger message is let in when none waits.</summary>
    public long LogBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>The same for class Requests.</summary>
    public long RequestBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>The same for class Bulk.</summary>
    public long BulkBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Messages that come in several frames and are not complete, of all links together, in bytes.</summary>
    public long PartialBytesMax { get; init; } = 128 * 1024 * 1024;

    /// <summary>Bytes of class Requests that may be on their way to a node before it has taken them in.</summary>
    public int RequestWindowBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>The same for class Bulk.</summary>
    public int BulkWindowBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>What one write to a socket takes at most, in bytes: an urgent message waits no longer.</summary>
    public int WriteBytesMax { get; init; } = 256 * 1024;

    /// <summary>Unsent bytes in the system's own queue beyond which it takes no more.</summary>
    public int UnsentBytesMax { get; init; } = 256 * 1024;

    /// <summary>Connections that other nodes have opened to this one.</summary>
    public int IncomingMax { get; init; } = 1024;

    /// <summary>How long connecting may take, and how long the handshake.</summary>
    public Duration HandshakeTime { get; init; } = Duration.FromSeconds(2);

    /// <summary>Between a connection's first failure and the next attempt; doubled at each failure.</summary>
    public Duration BackOffMin { get; init; } = Duration.FromMilliseconds(20);

    public Duration BackOffMax { get; init; } = Duration.FromSeconds(1);

    /// <summary>Between two questions whether the other end is still there.</summary>
    public Duration KeepAlive { get; init; } = Duration.FromMilliseconds(500);

    /// <summary>A connection on which nothing was heard for so long is given up.</summary>
    public Duration SilentAfter { get; init; } = Duration.FromSeconds(2);

    internal long QueueBytesMax(PeerClass by) => by switch
    {
        PeerClass.Urgent => UrgentBytesMax,
        PeerClass.Log => LogBytesMax,
        PeerClass.Requests => RequestBytesMax,
        _ => BulkBytesMax,
    };

    /// <summary>Zero for a lane whose messages may be lost, and so need no window.</summary>
    internal int WindowBytes(PeerLane lane) => lane switch
    {
        PeerLane.Requests => RequestWindowBytes,
        PeerLane.Bulk => BulkWindowBytes,
        _ => 0,
    };
}

/// <summary>The connections from one node to another; each is opened when it is first needed.</summary>
public enum PeerLane : byte
{
    /// <summary>Classes Urgent and Log: the former passes the latter between two frames.</summary>
    Control = 1,

    Requests = 2,

    Bulk = 3,

    /// <summary>One question by address and one answer: of a node that may not belong to a cluster yet.</summary>
    Question = 4,
}

/// <summary>Which class takes which connection.</summary>
internal static class PeerLanes
{
    /// <summary>The number of lanes that carry messages.</summary>
    public const int Count = 3;

    public static PeerLane Of(PeerClass by) => by switch
    {
        PeerClass.Urgent or PeerClass.Log => PeerLane.Control,
        PeerClass.Requests => PeerLane.Requests,
        PeerClass.Bulk => PeerLane.Bulk,
        _ => throw new ArgumentOutOfRangeException(nameof(by), by, "not a class of messages"),
    };

    public static bool Carries(PeerLane lane, PeerClass by) =>
        by is >= PeerClass.Urgent and <= PeerClass.Bulk && Of(by) == lane;
}
