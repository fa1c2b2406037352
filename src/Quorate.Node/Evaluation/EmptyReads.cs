using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>
/// What commands answer where there is nothing: in a keyspace that has not been made. Only for those that leave it so.
/// </summary>
public static class EmptyReads
{
    /// <summary>The reply to one command, or the array of the replies to several.</summary>
    /// <param name="isBatch">Whether it is an array, even of one command.</param>
    public static ReadOnlyMemory<byte> Run(ReadOnlySpan<CommandLine> lines, bool isBatch, HybridTime time)
    {
        var evaluation = new CommandEvaluation(new EvaluationLimits());
        EvaluationOutcome outcome = evaluation.Run(NoRows.Instance, lines, isBatch, time, new RowVersion(1), seed: 0);
        Invariant.Check(outcome == EvaluationOutcome.Done, "nothing is cold where nothing is");
        return evaluation.Reply.ToArray();
    }
}
