using Quorate.Node.Cluster;

namespace Quorate.Cli.Tests;

/// <summary>Whoever reads the events may stand still; who says them goes on.</summary>
public sealed class EventLinesTests
{
    [Fact]
    public void Nobody_waits_for_a_reader_and_what_is_lost_is_counted()
    {
        using var gate = new ManualResetEventSlim();
        var to = new StuckWriter(gate);
        var lines = new EventLines(to);
        for (int i = 0; i < 5000; i++)
        {
            lines.Say(new(DateTimeOffset.UnixEpoch, i, new NodeEvent("kind", $"sentence {i}.")));
        }

        gate.Set();
        lines.Dispose();
        string[] written = to.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("1970-01-01T00:00:00.000Z kind: sentence 0.", written[0], StringComparison.Ordinal);
        Assert.InRange(written.Length, 100, 2000);
        Assert.Contains(written, line => line.Contains("events were not written here", StringComparison.Ordinal));
    }

    private sealed class StuckWriter(ManualResetEventSlim gate) : StringWriter
    {
        public override Task WriteLineAsync(string? value)
        {
            gate.Wait();
            WriteLine(value);
            return Task.CompletedTask;
        }
    }
}
