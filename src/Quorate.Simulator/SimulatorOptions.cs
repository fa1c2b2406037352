using System.CommandLine;
using Quorate.Simulator.Scripts;

namespace Quorate.Simulator;

/// <summary>
/// The options of the command line and which of them go together: one says what to run, the others belong to it.
/// </summary>
internal sealed class SimulatorOptions
{
    /// <summary>The first seed unless the command line says another.</summary>
    public const ulong FromUnlessSaid = 1;

    private SimulatorOptions()
    {
    }

    public Option<int?> Seeds { get; } =
        NumberOption.Of("--seeds", "Run this many seeds, one line for each that fails.", 1, 1_000_000_000);

    public Option<ulong?> From { get; } =
        NumberOption.Of("--from", "With --seeds: the first seed; 1 unless said.", ulong.MinValue, ulong.MaxValue);

    public Option<int?> Threads { get; } =
        NumberOption.Of("--threads", "With --seeds: seeds run at one time; one a core unless said.", 1, 256);

    public Option<bool> FirstFailure { get; } =
        new("--first-failure") { Description = "With --seeds: stop at the first that fails." };

    public Option<ulong?> Seed { get; } =
        NumberOption.Of("--seed", "Run one seed and print its trace hash.", ulong.MinValue, ulong.MaxValue);

    public Option<bool> Verbose { get; } =
        new("--verbose") { Description = "With --seed: print everything that happens." };

    public Option<bool> Shrink { get; } =
        new("--shrink") { Description = "With --seed: look for a smaller run that breaks the same claim." };

    public Option<string?> Scripts { get; } = new("--scripts")
    {
        Description = "Run the golden scripts of a folder.",
        Arity = ArgumentArity.ExactlyOne,
        HelpName = "folder",
    };

    public Option<bool> Bench { get; } =
        new("--bench") { Description = "Measure the simulator itself on its fixed scenario." };

    public OverrideOptions Overrides { get; } = new();

    /// <summary>The options of which one says what to run.</summary>
    private Option[] Tasks => [Seeds, Seed, Scripts, Bench];

    public static SimulatorOptions AddTo(RootCommand root)
    {
        var options = new SimulatorOptions();
        Option[] all =
        [
            options.Seeds,
            options.From,
            options.Threads,
            options.FirstFailure,
            options.Seed,
            options.Verbose,
            options.Shrink,
            options.Scripts,
            options.Bench,
            .. options.Overrides.All,
        ];
        foreach (Option option in all)
        {
            root.Add(option);
        }

        return options;
    }

    /// <summary>Why what was asked for can not be done, as a sentence; null when it can.</summary>
    public string? Problem(ParseResult parsed)
    {
        Option[] tasks = [.. Tasks.Where(task => IsGiven(parsed, task))];
        if (tasks.Length == 0)
        {
            return "Say what to run: --seeds COUNT, --seed N, --scripts FOLDER or --bench. --help tells more.";
        }

        if (tasks.Length > 1)
        {
            return $"{tasks[0].Name} and {tasks[1].Name} do not go together.";
        }

        Option[] sweeps = [From, Threads, FirstFailure];
        Option[] replays = [Verbose, Shrink];
        return Stray(parsed, tasks[0], sweeps, Seeds)
            ?? Stray(parsed, tasks[0], replays, Seed)
            ?? Stray(parsed, tasks[0], Overrides.All, Seeds, Seed)
            ?? Both(parsed, Verbose, Shrink)
            ?? Overflow(parsed)
            ?? (parsed.GetValue(Scripts) is { } folder ? ScriptsCommand.FolderProblem(folder) : null);
    }

    private static bool IsGiven(ParseResult parsed, Option option) =>
        parsed.GetResult(option) is { Implicit: false };

    /// <summary>A sentence when an option is given without any of those that it belongs to.</summary>
    private static string? Stray(ParseResult parsed, Option task, IEnumerable<Option> options, params Option[] owners)
    {
        Option? stray = owners.Contains(task) ? null : options.FirstOrDefault(option => IsGiven(parsed, option));
        string names = string.Join(" or ", owners.Select(owner => owner.Name));
        return stray is null ? null : $"{stray.Name} goes with {names}, not with {task.Name}.";
    }

    private static string? Both(ParseResult parsed, Option first, Option second) =>
        IsGiven(parsed, first) && IsGiven(parsed, second)
            ? $"{first.Name} and {second.Name} do not go together."
            : null;

    private string? Overflow(ParseResult parsed)
    {
        ulong from = parsed.GetValue(From) ?? FromUnlessSaid;
        return parsed.GetValue(Seeds) is { } count && from > ulong.MaxValue - (ulong)(count - 1)
            ? $"{count} seeds from {from} would go beyond the last one, {ulong.MaxValue}."
            : null;
    }
}
