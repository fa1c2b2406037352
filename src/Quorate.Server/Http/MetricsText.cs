using System.Globalization;
using System.Text;

namespace Quorate.Server.Http;

/// <summary>
/// Metrics in the text format of Prometheus, version 0.0.4. Each family is opened once, before its samples.
/// </summary>
public sealed class MetricsText
{
    private readonly StringBuilder _text = new();
    private string _family = "";

    /// <summary>A value that only grows.</summary>
    public MetricsText Counter(string name, string help) => Open(name, "counter", help);

    /// <summary>A value of now.</summary>
    public MetricsText Gauge(string name, string help) => Open(name, "gauge", help);

    /// <summary>One sample of the family that was opened last.</summary>
    /// <param name="labels">Name, value, name, value.</param>
    public MetricsText Add(double value, params ReadOnlySpan<string> labels)
    {
        Sample("", value, labels);
        return this;
    }

    /// <summary>A distribution.</summary>
    public MetricsText Histogram(string name, string help, DoublingHistogram values, params ReadOnlySpan<string> labels)
    {
        if (_family != name)
        {
            Open(name, "histogram", help);
        }

        string[] withBound = [.. labels, "le", ""];
        long count = 0;
        foreach ((double bound, long below) in values.Cumulative())
        {
            withBound[^1] = double.IsPositiveInfinity(bound) ? "+Inf" : bound.ToString(CultureInfo.InvariantCulture);
            Sample("_bucket", below, withBound);
            count = below;
        }

        Sample("_sum", values.Sum, labels);
        Sample("_count", count, labels);
        return this;
    }

    public override string ToString() => _text.ToString();

    private MetricsText Open(string name, string kind, string help)
    {
        _family = name;
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n");
        return this;
    }

    private void Sample(string suffix, double value, ReadOnlySpan<string> labels)
    {
        _text.Append(_family).Append(suffix);
        for (int i = 0; i + 1 < labels.Length; i += 2)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i]).Append("=\"");
            AppendEscaped(labels[i + 1]);
            _text.Append('"');
        }

        _text.Append(labels.Length > 0 ? "} " : " ").Append(CultureInfo.InvariantCulture, $"{value}\n");
    }

    private void AppendEscaped(string value)
    {
        foreach (char c in value)
        {
            _text.Append(c switch { '\\' => "\\\\", '"' => "\\\"", '\n' => "\\n", _ => c.ToString() });
        }
    }
}
