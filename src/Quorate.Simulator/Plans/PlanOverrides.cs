using System.Globalization;
using System.Text;

namespace Quorate.Simulator.Plans;

/// <summary>
/// What the command line says against what the seed drew: fewer of everything and some faults switched off. The
/// shrinker looks for the smallest that still fails; together with the seed it names a run exactly.
/// </summary>
internal sealed record PlanOverrides
{
    public static readonly PlanOverrides None = new();

    /// <summary>Kinds of faults that do not happen.</summary>
    public FaultKinds Without { get; init; }

    public int? Nodes { get; init; }

    public int? Groups { get; init; }

    public int? Clients { get; init; }

    public int? Operations { get; init; }

    /// <summary>How long faults and clients go on, in milliseconds.</summary>
    public long? Milliseconds { get; init; }

    public uint Salt { get; init; }

    /// <summary>Whether groups hold typed values; null as the seed drew it.</summary>
    public bool? Values { get; init; }

    /// <summary>A whole cluster is run from its formation on, not partitions that are there.</summary>
    public bool Cluster { get; init; }

    /// <summary>The options that give this, as one types them.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        if (Without != FaultKinds.None)
        {
            text.Append(" --without ").Append(FaultNames.Text(Without));
        }

        Add(text, "--nodes", Nodes);
        Add(text, "--groups", Groups);
        Add(text, "--clients", Clients);
        Add(text, "--ops", Operations);
        Add(text, "--milliseconds", Milliseconds);
        Add(text, "--salt", Salt == 0 ? null : Salt);
        if (Cluster)
        {
            text.Append(" --cluster");
        }

        return Values is { } values ? text.Append(values ? " --values" : " --registers").ToString() : text.ToString();
    }

    private static void Add(StringBuilder text, string option, long? value)
    {
        if (value is { } number)
        {
            text.Append(CultureInfo.InvariantCulture, $" {option} {number}");
        }
    }
}
