namespace Quorate.Protocol;

/// <summary>What a client may send. What exceeds a limit is never kept in memory (pitfall S6).</summary>
public sealed record RespLimits
{
    /// <summary>Words of one command, its name included. More ends the connection.</summary>
    public int WordsMax { get; init; } = 1024 * 1024;

    /// <summary>Bytes of one word. A longer one is skipped, and the command refused.</summary>
    public int WordBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes of a whole command, with <see cref="RespCommand.WordCostBytes"/> for each word. A larger one is skipped,
    /// and refused.
    /// </summary>
    public int CommandBytesMax { get; init; } = 128 * 1024 * 1024;

    /// <summary>Bytes that a word may say it has; a length beyond that ends the connection.</summary>
    public long SkippedBytesMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>Bytes of a command that is typed as a line.</summary>
    public int InlineBytesMax { get; init; } = 64 * 1024;
}
