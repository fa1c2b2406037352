using Quorate.Server.Http;

namespace Quorate.Server.Tests.Http;

/// <summary>Metrics in the format that Prometheus reads.</summary>
public sealed class MetricsTextTests
{
    [Fact]
    public void Values_stand_under_their_family_with_escaped_labels()
    {
        var text = new MetricsText();
        text.Gauge("a", "What a is.").Add(1.5).Add(2, "name", "say \"hi\"\n\\");
        Assert.Equal(
            "# HELP a What a is.\n# TYPE a gauge\na 1.5\na{name=\"say \\\"hi\\\"\\n\\\\\"} 2\n", text.ToString());
    }

    [Fact]
    public void Histograms_count_upwards_and_are_opened_once()
    {
        var fast = new LatencyHistogram();
        var slow = new LatencyHistogram();
        foreach (long microseconds in (long[])[0, 16, 17, 1_000_000])
        {
            fast.Add(microseconds);
        }

        slow.Add(1_000_000_000);
        var text = new MetricsText();
        text.Histogram("h", "Times.", fast, "of", "x").Histogram("h", "Times.", slow, "of", "y");
        string[] lines = text.ToString().Split('\n');
        Assert.Single(lines, line => line.StartsWith("# TYPE", StringComparison.Ordinal));
        Assert.Contains("h_bucket{of=\"x\",le=\"1.6E-05\"} 2", lines);
        Assert.Contains("h_bucket{of=\"x\",le=\"3.2E-05\"} 3", lines);
        Assert.Contains("h_bucket{of=\"x\",le=\"+Inf\"} 4", lines);
        Assert.Contains("h_sum{of=\"x\"} 1.000033", lines);
        Assert.Contains("h_count{of=\"x\"} 4", lines);
        Assert.Contains("h_bucket{of=\"y\",le=\"+Inf\"} 1", lines);
        Assert.DoesNotContain(lines, line => line.Contains("{of=\"y\",le=\"16", StringComparison.Ordinal)
            && !line.EndsWith(" 0", StringComparison.Ordinal));
    }
}
