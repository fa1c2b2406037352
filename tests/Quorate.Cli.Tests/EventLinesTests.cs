using System.Text;
using Quorate.Node.Cluster;
using Quorate.Server.Runtime;

namespace Quorate.Cli.Tests;

/// <summary>Whoever reads the events may stand still; who says them goes on, and ends.</summary>
public sealed class EventLinesTests
{
    /// <summary>Longer than a busy machine needs to write everything: then the end comes at once.</summary>
    private static readonly int EndMilliseconds = (int)Soon.Patience.TotalMilliseconds;

    private readonly Lock _lock = new();
    private readonly StringBuilder _written = new();

    [Fact]
    public void Nobody_waits_for_a_reader_and_what_is_lost_is_counted()
    {
        using var gate = new ManualResetEventSlim();
        using var lines = new EventLines(
            (bytes, milliseconds) => gate.Wait(milliseconds) ? Take(bytes) : 0, EndMilliseconds);
        for (int i = 0; i < 5000; i++)
        {
            lines.Say(new TimedEvent(DateTimeOffset.UnixEpoch, i, new NodeEvent("kind", $"sentence {i}.")));
        }

        gate.Set();
        lines.Dispose();
        string[] written = Written.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("1970-01-01T00:00:00.000Z kind: sentence 0.", written[0]);
        Assert.InRange(written.Length, 100, 2000);
        Assert.Contains(written, line => line.Contains("lines were not written here", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_that_is_taken_in_pieces_is_whole()
    {
        using var lines = new EventLines((bytes, _) => Take(bytes[..Math.Min(3, bytes.Length)]), EndMilliseconds);
        lines.Say("one line");
        lines.Say("another");
        lines.Dispose();
        Assert.Equal("one line\nanother\n", Written);
    }

    [Fact]
    public async Task The_end_comes_though_nobody_reads()
    {
        var lines = new EventLines((_, milliseconds) =>
        {
            Thread.Sleep(milliseconds);
            return 0;
        });
        lines.Say("a line");
        await Task.Run(lines.Dispose, TestContext.Current.CancellationToken)
            .WaitAsync(Soon.Patience, TestContext.Current.CancellationToken);
    }

    private string Written
    {
        get
        {
            lock (_lock)
            {
                return _written.ToString();
            }
        }
    }

    private int Take(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _written.Append(Encoding.UTF8.GetString(bytes));
            return bytes.Length;
        }
    }
}
