namespace Quorate.Node.Wire;

/// <summary>
/// What a message between nodes is: its first byte. The second is the version of that kind's form. The numbers are part
/// of the wire's format.
/// </summary>
internal enum PeerMessageKind : byte
{
    /// <summary>A message of a Raft group; see <see cref="RaftWire"/>.</summary>
    Raft = 1,

    /// <summary>A node shows that it lives; see <see cref="HeartbeatWire"/>.</summary>
    Heartbeat = 2,

    /// <summary>A client's request, handed on; see <see cref="CallWire"/>.</summary>
    Call = 3,

    /// <summary>The answer to one; see <see cref="AnswerWire"/>.</summary>
    Answer = 4,

    /// <summary>A command for the metadata group; see <see cref="MetadataWire"/>.</summary>
    MetadataCall = 5,

    /// <summary>The answer to one.</summary>
    MetadataAnswer = 6,

    /// <summary>
    /// The answer to a heartbeat of a node that was removed and may not know it: nothing but the version, 1.
    /// </summary>
    Removed = 7,
}

/// <summary>The limits of messages between nodes, each with its unit.</summary>
public static class WireLimits
{
    /// <summary>One message, in bytes: the largest entry and what goes with it.</summary>
    public const int MessageBytesMax = 96 * 1024 * 1024;

    /// <summary>Entries in one append.</summary>
    public const int EntriesMax = 1 << 20;

    /// <summary>Lines of one request.</summary>
    public const int LinesMax = 1 << 20;

    /// <summary>Words of one line.</summary>
    public const int WordsMax = 1 << 24;
}
