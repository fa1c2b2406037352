using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Node.Tests.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Tests.Commands;

/// <summary>Evaluates commands over rows in memory and applies their changes at once.</summary>
internal sealed class TestNode(EvaluationLimits? limits = null)
{
    private readonly CommandEvaluation _evaluation = new(limits ?? new EvaluationLimits());
    private ulong _index = 1;

    public SortedRows Rows { get; } = new();

    public HybridTime Time { get; set; } = HybridTime.FromMilliseconds(1_000_000);

    public int LastChangeCount { get; private set; }

    public static CommandLine Line(params string[] words) =>
        new([.. words.Select(word => (ReadOnlyMemory<byte>)Encoding.Latin1.GetBytes(word))]);

    /// <summary>Runs a line of words between blanks; `''` is the empty word.</summary>
    public string Run(string line) =>
        ReplyText.Of(Run([Line([.. line.Split(' ').Select(word => word == "''" ? "" : word)])], isBatch: false));

    public byte[] Run(CommandLine[] lines, bool isBatch)
    {
        RowVersion first = RowVersion.At(new LogIndex(_index++), 0);
        Assert.Equal(EvaluationOutcome.Done, _evaluation.Run(Rows, lines, isBatch, Time, first, seed: _index));
        LastChangeCount = _evaluation.ChangeCount;
        Rows.Apply(_evaluation.Changes, first);
        return _evaluation.Reply.ToArray();
    }
}
