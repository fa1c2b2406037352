using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Cluster;

/// <summary>A client's call that keeps what came of it.</summary>
internal sealed class TestCall : ClientCall
{
    public TestCall(string line)
    {
        ReadOnlyMemory<byte>[] words =
            [.. line.Split(' ').Select(word => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(word))];
        Lines = [new CommandLine(words)];
        Writes = CommandTable.Writes(Lines);
        if (Lines[0].Count > 1)
        {
            Slot = KeyHash.SlotOf(Lines[0][1]);
        }
    }

    public bool IsDone { get; private set; }

    public CallResult Result { get; private set; }

    /// <summary>The reply's text; the outcome when it was not done.</summary>
    public string Text => Result.Outcome == Outcome.Done
        ? Encoding.UTF8.GetString(Result.Reply.Span).TrimEnd()
        : $"{Result.Outcome} {Result.Reason}";

    public override void Complete(in CallResult result)
    {
        Assert.False(IsDone, "a call is completed once");
        IsDone = true;
        Result = result;
    }
}

/// <summary>A metadata call that keeps what came of it.</summary>
internal sealed class TestMetadataCall : MetadataCall
{
    public bool IsDone { get; private set; }

    public Outcome Outcome { get; private set; }

    public MetadataResult? Result { get; private set; }

    public string? Warning { get; private set; }

    public override void Complete(Outcome outcome, MetadataResult? result, string? warning)
    {
        Assert.False(IsDone, "a metadata call is completed once");
        (IsDone, Outcome, Result, Warning) = (true, outcome, result, warning);
    }
}
