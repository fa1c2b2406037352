using Quorate.Node.Evaluation;

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

    /// <summary>An Idempotency-Key, in characters.</summary>
    public const int IdempotencyKeyMax = 255;

    /// <summary>What the server reads ahead of a connection, and what it keeps until that takes it, in bytes.</summary>
    public const int ConnectionBufferBytes = 48 * 1024;

    /// <summary>Connections at the same time; fewer with little memory.</summary>
    public const int ConnectionsMax = 1024;

    /// <summary>Requests on one connection of HTTP/2 at the same time.</summary>
    public const int StreamsMax = 100;
}
