using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Server.Http.Entries;

/// <summary>What one HTTP request may bring and take. What exceeds a limit is refused, and nothing is done.</summary>
internal static class EntryLimits
{
    /// <summary>A request's body, in bytes. Larger values are for the Redis protocol.</summary>
    public const int BodyBytesMax = 16 * 1024 * 1024;

    /// <summary>The bodies of all requests that are under way, in bytes.</summary>
    public const long BodiesBytesMax = 4L * BodyBytesMax;

    /// <summary>Objects and arrays inside each other in a body: a document of the deepest kind in its entry.</summary>
    public const int DepthMax = EvaluationLimits.DocumentDepthMax + 8;

    /// <summary>Entries of one batch.</summary>
    public const int BatchEntriesMax = 1000;

    /// <summary>Keys that one page of a scan looks at, and how many unless the request says so.</summary>
    public const int PageKeysMax = 1000;

    public const int PageKeysDefault = 100;

    /// <summary>Values that a page of a scan asks a partition for at once.</summary>
    public const int PageValuesAtOnce = 16;

    /// <summary>A page ends when its values have reached this, in bytes.</summary>
    public const int PageBytesMax = 4 * 1024 * 1024;

    /// <summary>So much of what a client sent is shown in a sentence, in characters.</summary>
    public const int ShownMax = 40;

    /// <summary>An Idempotency-Key, in characters.</summary>
    public const int IdempotencyKeyMax = 255;

    /// <summary>
    /// The first line of a request over HTTP/1.1, in bytes: the longest key in percents, and room for the rest.
    /// </summary>
    public const int RequestLineBytesMax = (3 * RowLimits.KeyBytesMax) + (8 * 1024);

    /// <summary>What the server reads ahead of a connection: a whole first line, in bytes.</summary>
    public const int ReadAheadBytes = RequestLineBytesMax;

    /// <summary>What a connection of HTTP/2 is sent unasked, and what it keeps until that takes it, in bytes.</summary>
    public const int ConnectionBufferBytes = 48 * 1024;

    /// <summary>Connections at the same time; fewer with little memory.</summary>
    public const int ConnectionsMax = 1024;

    /// <summary>Requests on one connection of HTTP/2 at the same time.</summary>
    public const int StreamsMax = 100;
}
