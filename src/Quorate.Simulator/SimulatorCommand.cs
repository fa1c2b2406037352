using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;
using Quorate.Simulator.Checks;
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

    /// <summary>Lines of the help are no longer than this.</summary>
    private const int HelpColumns = 110;

    /// <summary>What was asked for was done, and everything held.</summary>
    private const int Held = 0;

    /// <summary>A seed or a script fails, or a claim is broken.</summary>
    private const int Failed = 1;

    /// <summary>What was typed can not be done.</summary>
    private const int Misused = 2;

    /// <summary>Reads a command line and does what it says; the exit code of the process.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        ParseResult parsed = Create(output, errors).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError error in parsed.Errors)
            {
                errors.WriteLine(error.Message);
            }

            return Misused;
        }

        return parsed.Invoke(new InvocationConfiguration { Output = output, Error = errors });
    }

    private static RootCommand Create(TextWriter output, TextWriter errors)
    {
        var root = new RootCommand(
            "Runs whole Quorate clusters on a virtual network, clock and disk, and breaks them.");
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpAction { MaxWidth = HelpColumns };
        }

        SimulatorOptions options = SimulatorOptions.AddTo(root);
        root.SetAction(parsed =>
        {
            if (options.Problem(parsed) is { } problem)
            {
                errors.WriteLine(problem);
                return Misused;
            }

            return Do(options, parsed, output) ? Held : Failed;
        });
        return root;
    }

    private static bool Do(SimulatorOptions options, ParseResult parsed, TextWriter output)
    {
        if (parsed.GetValue(options.Bench))
        {
            return Bench.Run(output) == 0;
        }

        if (parsed.GetValue(options.Scripts) is { } folder)
        {
            return ScriptsCommand.Run(folder, output) == 0;
        }

        PlanOverrides overrides = options.Overrides.Read(parsed);
        if (parsed.GetValue(options.Seed) is { } seed)
        {
            return parsed.GetValue(options.Shrink)
                ? Shrink(seed, overrides, output)
                : Replay(seed, overrides, parsed.GetValue(options.Verbose), output);
        }

        ulong from = parsed.GetValue(options.From) ?? SimulatorOptions.FromUnlessSaid;
        var sweep = new Sweep(from, parsed.GetValue(options.Seeds)!.Value, overrides, output)
        {
            StopsAtFirstFailure = parsed.GetValue(options.FirstFailure),
        };
        return sweep.Run(parsed.GetValue(options.Threads) ?? Environment.ProcessorCount);
    }

    private static bool Shrink(ulong seed, PlanOverrides start, TextWriter output)
    {
        RunResult first = RunResult.Of(seed, start);
        if (first.Broken is not { } broken)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}{start} breaks no claim."));
            return true;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}{start}: {broken}"));
        var shrinker = new Shrinker(
            overrides => RunResult.Of(seed, overrides).Broken, broken.Claim, ShrinkRunsMax);
        PlanOverrides smallest = shrinker.Shrink(start, PlanSize.Of(seed, start, first));
        RunResult last = RunResult.Of(seed, smallest);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"smallest of {shrinker.Runs} runs, {last.Events} events instead of {first.Events}: "
                + $"--seed {seed}{smallest} --verbose"));
        output.WriteLine(last.Broken!.Report());
        return false;
    }

    private static bool Replay(ulong seed, PlanOverrides overrides, bool verbose, TextWriter output)
    {
        RunResult result = RunResult.Of(seed, overrides, verbose ? output : null);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {seed}{overrides}: trace hash {result.TraceHash:x16}, {result.Events} events, "
                + $"{result.SimulatedTime / 1000} simulated ms, {result.Elections} elections"));
        if (result.Broken is { } broken)
        {
            output.WriteLine(broken.Report());
            return false;
        }

        HistoryFigures histories = result.Histories;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{histories.Keys} key histories of {histories.Operations} operations checked, "
                + $"{histories.Undecided} undecided"));
        return true;
    }
}
