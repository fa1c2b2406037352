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

    /// <summary>Bytes of a request's reply.</summary>
    public int ReplyBytesMax { get; init; } = 512 * 1024 * 1024;
}
