using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>Limits on what the commands of one request may do. What exceeds them is refused, and nothing is
/// done.</summary>
public sealed record EvaluationLimits
{
    /// <summary>Row changes of one request; an entry numbers no more.</summary>
    public int ChangesMax { get; init; } = RowVersion.OrdinalsMax / 2;

    /// <summary>Bytes of the encoded row changes of one request.</summary>
    public int ChangeBytesMax { get; init; } = RowLimits.ValueBytesMax + (8 * 1024 * 1024);

    /// <summary>
    /// A string that a command makes of the one that stands there (APPEND, SETRANGE, SETBIT, BITFIELD) or of others
    /// (BITOP), in bytes: a few words of a client may make it as long as this, and the old one, the new one, its entry
    /// and what is sent of that are in memory at once. The leader's counts; hosts lower it with their memory.
    /// </summary>
    public int ComposedBytesMax { get; init; } = RowLimits.ValueBytesMax;

    /// <summary>
    /// Rows that one request looks at; beyond, it is refused, except where it falls into pieces.
    /// </summary>
    public long RowsVisitedMax { get; init; } = 256 * 1024;

    /// <summary>Bytes of row keys and values that one request looks at.</summary>
    public long BytesVisitedMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// Rows that one piece of a command over all keys looks at: KEYS and DBSIZE go on in another turn, SCAN and its kin
    /// answer with a cursor.
    /// </summary>
    public long RowsPieceMax { get; init; } = 8 * 1024;

    /// <summary>Bytes that one piece looks at.</summary>
    public long BytesPieceMax { get; init; } = 8L * 1024 * 1024;

    /// <summary>
    /// Bytes that a piece of a command over all keys has looked at when it lets go of what was fetched for it, once it
    /// comes to a cold row: what many such commands hold is a few times this for each.
    /// </summary>
    public long BytesHeldMax { get; init; } = 64 * 1024;

    /// <summary>
    /// Pairs of bytes that LCS may compare, the lengths of its two strings multiplied: each takes 4 bytes of memory and
    /// about a nanosecond, during which the node does nothing else.
    /// </summary>
    public const long CommonSubsequencePairsMax = 8L * 1024 * 1024;

    /// <summary>
    /// A pattern of KEYS or MATCH, in bytes. Each byte that is compared with it takes a step for 64 of them: a piece of
    /// <see cref="BytesPieceMax"/> at most about a tenth of a second.
    /// </summary>
    public const int PatternBytesMax = 1024;

    /// <summary>Objects and arrays inside each other in a JSON document.</summary>
    public const int DocumentDepthMax = 128;

    /// <summary>
    /// Bytes of a request's reply: a value of the largest size fits, and so does the reply into a message between
    /// nodes.
    /// </summary>
    public int ReplyBytesMax { get; init; } = 72 * 1024 * 1024;
}
