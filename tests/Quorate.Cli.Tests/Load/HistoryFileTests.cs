using Quorate.Cli.Load;
using Quorate.Core.Checking;

namespace Quorate.Cli.Tests.Load;

/// <summary>What a load has recorded is judged as it was; what is no history is refused.</summary>
public sealed class HistoryFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_lost_write_is_found()
    {
        Record(
            new(0, "a", "set", 1, 10, 20, "done", null),
            new(1, "a", "set", 2, 30, 40, "done", null),
            new(0, "a", "get", 1, 50, 60, "done", null));
        Assert.Equal(Verdict.Violated, Judge());
    }

    [Fact]
    public void A_write_of_unknown_outcome_may_show_late_and_a_refused_one_never()
    {
        Record(
            new(0, "a", "set", 1, 10, 20, "done", null),
            new(1, "a", "set", 2, 30, null, "unknown", "UNKNOWN no answer"),
            new(0, "a", "get", 1, 50, 60, "done", null),
            new(0, "a", "get", 2, 70, 80, "done", null));
        Assert.Equal(Verdict.Linearizable, Judge());
        Record(
            new(1, "a", "set", 2, 30, 35, "refused", "REFUSED no leader"),
            new(0, "a", "get", 2, 70, 80, "done", null));
        Assert.Equal(Verdict.Violated, Judge());
    }

    [Fact]
    public void Counters_and_deletes_are_understood()
    {
        Record(
            new(0, "n", "incr", 1, 10, 20, "done", null),
            new(0, "n", "incr", 2, 30, 40, "done", null),
            new(0, "n", "del", null, 50, 60, "done", null),
            new(0, "n", "get", null, 70, 80, "done", null));
        Assert.Equal(Verdict.Linearizable, Judge());
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"client\":1,\"key\":\"a\",\"op\":\"jump\",\"start\":1,\"end\":2,\"outcome\":\"done\"}")]
    [InlineData("{\"client\":1,\"key\":\"a\",\"op\":\"get\",\"start\":5,\"end\":2,\"outcome\":\"done\"}")]
    public void What_is_no_history_is_refused_with_its_line(string line)
    {
        File.WriteAllLines(_path, [line]);
        Assert.Null(HistoryFile.TryRead(_path, [], out string problem));
        Assert.Contains("Line 1", problem, StringComparison.Ordinal);
    }

    private void Record(params HistoryLine[] lines)
    {
        using var output = new StreamWriter(_path);
        foreach (HistoryLine line in lines)
        {
            HistoryFile.Write(output, line);
        }
    }

    private Verdict Judge()
    {
        List<Operation>? operations = HistoryFile.TryRead(_path, [], out string problem);
        Assert.Equal("", problem);
        return new LinearizabilityChecker().Check([.. operations!]).Verdict;
    }
}
