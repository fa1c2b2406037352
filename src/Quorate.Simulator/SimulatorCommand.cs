using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Quorate.Core.Model;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Scripts;
using Quorate.Simulator.Shrinking;
using Quorate.Simulator.Sweeps;
using Quorate.Simulator.World;

namespace Quorate.Simulator;

/// <summary>The command line of the simulator.</summary>
internal static class SimulatorCommand
{
    /// <summary>Runs that shrinking may take.</summary>
    private const int ShrinkRunsMax = 5000;

    public static RootCommand Create(TextWriter output, TextWriter errors)
    {
        var seeds = new Option<int?>("--seeds") { Description = "Run this many seeds, one line for each that fails." };
        var from = new Option<ulong>("--from") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads")
        {
            Description = "Seeds run at one time; one for each core unless said otherwise.",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        var seed = new Option<ulong?>("--seed") { Description = "Run one seed and print its trace hash." };
        var verbose = new Option<bool>("--verbose") { Description = "With --seed: print everything that happens." };
        var shrink = new Option<bool>("--shrink")
        {
            Description = "With --seed: look for a smaller run that breaks the same claim.",
        };
        var first = new Option<bool>("--first-failure") { Description = "With --seeds: stop at the first that fails." };
        var scripts = new Option<string?>("--scripts") { Description = "Run the golden scripts of a folder." };
        var bench = new Option<bool>("--bench") { Description = "Measure the simulator itself on its fixed scenario." };
        var root = new RootCommand("Runs whole Quorate clusters on a virtual network, clock and disk, and breaks them.")
        {
            seeds, from, threads, first, seed, verbose, shrink, scripts, bench,
        };
        OverrideOptions overrides = OverrideOptions.AddTo(root);
        root.SetAction(parsed =>
        {
            if (parsed.GetValue(bench))
            {
                return Bench.Run(output);
            }

            if (parsed.GetValue(seed) is { } one)
            {
                return parsed.GetValue(shrink)
                    ? Shrink(one, overrides.Read(parsed), output)
                    : Replay(one, overrides.Read(parsed), parsed.GetValue(verbose), output);
            }

            if (parsed.GetValue(seeds) is { } count)
            {
                var sweep = new Sweep(parsed.GetValue(from), count, overrides.Read(parsed), output)
                {
                    StopsAtFirstFailure = parsed.GetValue(first),
                };
                return sweep.Run(parsed.GetValue(threads)) == 0 ? 0 : 1;
            }

            if (parsed.GetValue(scripts) is { } folder)
            {
                return ScriptsCommand.Run(folder, output) == 0 ? 0 : 1;
            }

            errors.WriteLine(
                "Say what to run: --seeds COUNT, --seed N, --scripts FOLDER or --bench. --help tells more.");
            return 2;
        });
        return root;
    }

    private static int Shrink(ulong seed, PlanOverrides start, TextWriter output)
    {
        Plan plan = PlanDrawing.Draw(seed, start);
        RunResult first = RunResult.Of(plan);
        if (first.Broken is not { } broken)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}{start} breaks no claim."));
            return 0;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}{start}: {broken}"));
        var shrinker = new Shrinker(
            overrides => RunResult.Of(PlanDrawing.Draw(seed, overrides)).Broken, broken.Claim, ShrinkRunsMax);
        PlanOverrides smallest = shrinker.Shrink(start, PlanSize.Of(plan, first.Operations, first.SimulatedTime));
        RunResult last = RunResult.Of(PlanDrawing.Draw(seed, smallest));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"smallest of {shrinker.Runs} runs, {last.Events} events instead of {first.Events}: "
                + $"--seed {seed}{smallest} --verbose"));
        output.WriteLine(last.Broken!.Report());
        return 1;
    }

    private static int Replay(ulong seed, PlanOverrides overrides, bool verbose, TextWriter output)
    {
        Plan plan = PlanDrawing.Draw(seed, overrides);
        RunResult result = RunResult.Of(plan, verbose ? output : null);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {seed}{overrides}: trace hash {result.TraceHash:x16}, {result.Events} events, "
                + $"{result.SimulatedTime / 1000} simulated ms, {result.Elections} elections"));
        if (result.Broken is { } broken)
        {
            output.WriteLine(broken.Report());
            return 1;
        }

        return 0;
    }
}

/// <summary>The options that take something away from what a seed drew.</summary>
internal sealed class OverrideOptions
{
    private readonly Option<string> _without = new("--without")
    {
        Description = $"Faults that do not happen, separated by commas, or all: {FaultNames.Text((FaultKinds)~0)}.",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<int?> _nodes = new("--nodes") { Description = "So many nodes." };
    private readonly Option<int?> _groups = new("--groups") { Description = "So many groups." };
    private readonly Option<int?> _clients = new("--clients") { Description = "So many clients." };
    private readonly Option<int?> _operations = new("--ops") { Description = "So many operations at most." };
    private readonly Option<long?> _milliseconds = new("--milliseconds")
    {
        Description = "Faults and clients go on for so long.",
    };

    private readonly Option<uint> _salt = new("--salt") { Description = "Draw everything anew for the same plan." };

    public static OverrideOptions AddTo(RootCommand root)
    {
        var options = new OverrideOptions();
        options._without.Validators.Add(CheckNames);
        RequirePositive(options._nodes, 7);
        RequirePositive(options._groups, 64);
        RequirePositive(options._clients, 1000);
        RequirePositive(options._operations, 1_000_000);
        root.Add(options._without);
        root.Add(options._nodes);
        root.Add(options._groups);
        root.Add(options._clients);
        root.Add(options._operations);
        root.Add(options._milliseconds);
        root.Add(options._salt);
        return options;
    }

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
            Salt = parsed.GetValue(_salt),
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

    private static void RequirePositive(Option<int?> option, int max) => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int?>() is { } value && (value < 1 || value > max))
        {
            result.AddError($"{option.Name} takes a number from 1 to {max}, not {value}.");
        }
    });
}
