using System.CommandLine;
using System.CommandLine.Parsing;
using Quorate.Core.Model;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator;

/// <summary>The options that take something away from what a seed drew.</summary>
internal sealed class OverrideOptions
{
    private readonly Option<string> _without = new("--without")
    {
        Description = "Faults that do not happen, separated by commas, or all: "
            + $"{FaultNames.Text((FaultKinds)~0).Replace(",", ", ", StringComparison.Ordinal)}.",
        HelpName = "faults",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<int?> _nodes = NumberOption.Of("--nodes", "So many nodes.", 1, 7);
    private readonly Option<int?> _groups = NumberOption.Of("--groups", "So many groups.", 1, 64);
    private readonly Option<int?> _clients = NumberOption.Of("--clients", "So many clients.", 1, 1000);
    private readonly Option<int?> _operations =
        NumberOption.Of("--ops", "So many operations at most.", 1, 1_000_000);

    private readonly Option<long?> _milliseconds =
        NumberOption.Of("--milliseconds", "Faults and clients go on for so long.", 1L, 1_000_000_000);

    private readonly Option<uint?> _salt =
        NumberOption.Of("--salt", "Draw everything anew for the same plan.", uint.MinValue, uint.MaxValue);

    private readonly Option<bool> _values = new("--values")
    {
        Description = "Groups hold typed values, whatever the seed drew.",
    };

    private readonly Option<bool> _registers = new("--registers")
    {
        Description = "Groups hold numbered registers, whatever the seed drew.",
    };

    private readonly Option<bool> _cluster = new("--cluster")
    {
        Description = "Run a whole cluster, from empty disks on; groups are what keyspaces make.",
    };

    public OverrideOptions() => _without.Validators.Add(CheckNames);

    /// <summary>All of them.</summary>
    public IEnumerable<Option> All =>
        [_without, _nodes, _groups, _clients, _operations, _milliseconds, _salt, _values, _registers, _cluster];

    public PlanOverrides Read(ParseResult parsed)
    {
        bool areNames = FaultNames.TryParse(
            parsed.GetValue(_without) ?? "", out FaultKinds without, out string unknown);
        Invariant.Check(areNames, $"the names of faults were checked when they were parsed, {unknown} too");
        return new PlanOverrides
        {
            Without = without,
            Nodes = parsed.GetValue(_nodes),
            Groups = parsed.GetValue(_groups),
            Clients = parsed.GetValue(_clients),
            Operations = parsed.GetValue(_operations),
            Milliseconds = parsed.GetValue(_milliseconds),
            Salt = parsed.GetValue(_salt) ?? 0,
            Values = parsed.GetValue(_values) ? true : parsed.GetValue(_registers) ? false : null,
            Cluster = parsed.GetValue(_cluster),
        };
    }

    private static void CheckNames(OptionResult result)
    {
        string text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (!FaultNames.TryParse(text, out _, out string unknown))
        {
            result.AddError($"'{unknown}' is no kind of fault. There are: {FaultNames.Text((FaultKinds)~0)}, and all.");
        }
    }
}
