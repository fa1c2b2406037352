using System.Globalization;
using System.Text;
using Quorate.Core.Checking;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.Tracing;

/// <summary>Words for the lines of a trace.</summary>
internal static class TraceText
{
    public static string Of(in RaftMessage message)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{message.Kind} {message.From}->{message.To} term {message.Term}");
        text.Append(CultureInfo.InvariantCulture, $" at {message.Index}@{message.LogTerm} commit {message.Commit}");
        if (message.Entries is { Length: > 0 } entries)
        {
            text.Append(CultureInfo.InvariantCulture, $" entries {entries[0]}..{entries[^1]}");
        }

        if (message.Snapshot is { } snapshot)
        {
            text.Append(CultureInfo.InvariantCulture, $" {snapshot} offset {message.SnapshotOffset} bytes "
                + $"{message.Chunk.Length}");
        }

        text.Append(message.Done ? " done" : "");
        text.Append(message.Reject ? " rejected" : "");
        text.Append(message.Force ? " forced" : "");
        if (message.Reject)
        {
            text.Append(CultureInfo.InvariantCulture, $" hint {message.HintIndex}@{message.HintTerm}");
        }

        return text.ToString();
    }

    public static string Of(in DiskOperation operation) => operation.Kind switch
    {
        DiskOperationKind.Write or DiskOperationKind.WriteDurable => Text(
            $"disk: {operation.Kind} {operation.File} at {operation.Offset}, {operation.Data.Length} bytes"),
        DiskOperationKind.Allocate => Text($"disk: Allocate {operation.File}, {operation.Length} bytes"),
        DiskOperationKind.Read => Text($"disk: Read {operation.File} at {operation.Offset}, {operation.Length} bytes"),
        DiskOperationKind.Rename => Text($"disk: Rename {operation.File} to {operation.NewName}"),
        _ => Text($"disk: {operation.Kind} {operation.File}"),
    };

    public static string Of(Attempt attempt)
    {
        var text = new StringBuilder(attempt.ToString());
        foreach (Command command in attempt.Commands)
        {
            string what = command.Kind switch
            {
                OperationKind.Read => $"k{command.Key}",
                OperationKind.Write => $"k{command.Key}={command.Argument}",
                OperationKind.Add => $"k{command.Key}+={command.Argument}",
                _ => $"k{command.Key}:{command.Expected}->{command.Argument}",
            };
            text.Append(' ').Append(what);
        }

        return text.ToString();
    }

    public static string Of(Answer answer)
    {
        var text = new StringBuilder(answer.Outcome == Outcome.Done ? "done" : $"{answer.Outcome} {answer.Reason}");
        text.Append(CultureInfo.InvariantCulture, $" token {answer.Token} hint {answer.Hint}");
        for (int i = 0; i < answer.Result.Length / 16; i++)
        {
            CommandResult result = CommandBatch.ResultAt(answer.Result.Span, i);
            text.Append(CultureInfo.InvariantCulture, $" {result.Result}(v{result.Version})");
        }

        return text.ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
