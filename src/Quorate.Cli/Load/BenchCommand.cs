using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Quorate.Core.Checking;
using Spectre.Console;

namespace Quorate.Cli.Load;

/// <summary>`quorate bench`: makes a load and measures it; `quorate bench verify` judges what was recorded.</summary>
internal static class BenchCommand
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public static Command Create()
    {
        var options = new LoadOptions();
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON." };
        var bench = new Command("bench", "Make a load on a cluster and measure rate and latencies.") { Verify(), json };
        foreach (Option option in options.All)
        {
            bench.Options.Add(option);
        }

        bench.SetAction(async (parsed, stop) =>
        {
            if (options.Read(parsed, out string problem) is not { } settings)
            {
                await Console.Error.WriteLineAsync(problem).ConfigureAwait(false);
                return (int)ExitCode.Usage;
            }

            return await Measure(settings, parsed.GetValue(json), stop).ConfigureAwait(false);
        });
        return bench;
    }

    private static async Task<int> Measure(LoadSettings settings, bool asJson, CancellationToken stop)
    {
        var run = new LoadRun(settings);
        LoadResult result;
        if (asJson || Console.IsOutputRedirected)
        {
            result = await run.Run(null, stop).ConfigureAwait(false);
        }
        else
        {
            result = await AnsiConsole.Progress()
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new RemainingTimeColumn())
                .StartAsync(async context =>
                {
                    ProgressTask bar = context.AddTask("measuring", maxValue: 1);
                    return await run.Run(share => Show(bar, share, run), stop).ConfigureAwait(false);
                }).ConfigureAwait(false);
        }

        if (result.Failure is { } failure)
        {
            await Console.Error.WriteLineAsync($"quorate bench: {failure}").ConfigureAwait(false);
            return (int)ExitCode.Unavailable;
        }

        Console.WriteLine(asJson ? JsonOf(result) : TextOf(result));
        return (int)ExitCode.Ok;
    }

    private static void Show(ProgressTask bar, double share, LoadRun run)
    {
        bar.Value = share;
        bar.Description = string.Create(CultureInfo.InvariantCulture, $"{run.Done:N0} requests");
    }

    private static string TextOf(LoadResult result)
    {
        LatencyQuantiles latencies = result.Latencies;
        string p50 = Milliseconds(latencies.Quantile(0.5));
        string p99 = Milliseconds(latencies.Quantile(0.99));
        string p999 = Milliseconds(latencies.Quantile(0.999));
        string rows = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            requests    {result.Done:N0} in {result.Seconds:F1} s, after the warm-up
            rate        {result.Rate:N0} per second
            latency     p50 {p50}  p99 {p99}  p99.9 {p999}  max {Milliseconds(latencies.Max)}
            not done    {result.Refused:N0} refused, {result.Unknown:N0} unknown, {result.Errors:N0} errors of commands
            reconnects  {result.Reconnects:N0}
            """);
        string gap = result.LongestGapMilliseconds > 0
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"\nlongest gap {result.LongestGapMilliseconds:F0} ms without an acknowledged write")
            : "";
        return rows + gap + (result.FirstError is { } error ? $"\nfirst error {error}" : "");
    }

    private static string JsonOf(LoadResult result)
    {
        LatencyQuantiles latencies = result.Latencies;
        return JsonSerializer.Serialize(
            new
            {
                requests = result.Done,
                seconds = Math.Round(result.Seconds, 3),
                rate = Math.Round(result.Rate, 1),
                p50Ms = latencies.Quantile(0.5) / 1000.0,
                p99Ms = latencies.Quantile(0.99) / 1000.0,
                p999Ms = latencies.Quantile(0.999) / 1000.0,
                maxMs = latencies.Max / 1000.0,
                refused = result.Refused,
                unknown = result.Unknown,
                errors = result.Errors,
                reconnects = result.Reconnects,
                longestGapMs = result.LongestGapMilliseconds,
                firstError = result.FirstError,
            },
            Json);
    }

    private static string Milliseconds(long microseconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000.0:F2} ms");

    private static Command Verify()
    {
        var file = new Argument<string>("file") { Description = "What `quorate bench --history` has recorded." };
        var steps = new Option<long>("--steps")
        {
            Description = "Search steps for one key before it counts as undecided.",
            DefaultValueFactory = _ => LinearizabilityChecker.DefaultStepsMax,
            HelpName = "number",
        };
        var json = new Option<bool>("--json") { Description = "Print the verdict as JSON." };
        var verify = new Command(
            "verify",
            "Judge a recorded history: is it linearizable? Exit code 0: it is; 1: it is not, or that could not be "
                + "decided; 65: it is no history; 66: there is no such file.")
        {
            file, steps, json,
        };
        verify.SetAction(
            parsed => Judge(parsed.GetValue(file)!, parsed.GetValue(steps), parsed.GetValue(json)));
        return verify;
    }

    private static int Judge(string file, long steps, bool asJson)
    {
        if (!File.Exists(file))
        {
            Console.Error.WriteLine($"There is no file {file}: name what `quorate bench --history` has written.");
            return (int)ExitCode.NoInput;
        }

        var keys = new List<string>();
        if (HistoryFile.TryRead(file, keys, out string problem) is not { } operations)
        {
            Console.Error.WriteLine(problem);
            return (int)ExitCode.Data;
        }

        if (operations.Count == 0)
        {
            Console.Error.WriteLine($"{file} holds no request: was the load recorded with --history, and not cut?");
            return (int)ExitCode.Data;
        }

        LinearizabilityResult result = new LinearizabilityChecker(steps).Check([.. operations]);
        int undecided = 0;
        foreach (KeyVerdict key in result.Keys)
        {
            undecided += key.Verdict == Verdict.Undecided ? 1 : 0;
        }

        if (asJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    requests = operations.Count,
                    keys = keys.Count,
                    verdict = result.Verdict.ToString().ToLowerInvariant(),
                    undecided,
                    broken = result.FirstBroken?.Report(),
                },
                Json));
            return CodeOf(result);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{operations.Count} requests of {keys.Count} keys: {result.Verdict.ToString().ToLowerInvariant()}, "
                + $"{undecided} keys undecided."));
        if (result.FirstBroken is { } broken)
        {
            Console.WriteLine(broken.Report());
        }

        return CodeOf(result);
    }

    private static int CodeOf(LinearizabilityResult result) =>
        result.Verdict == Verdict.Linearizable ? (int)ExitCode.Ok : (int)ExitCode.Failed;
}
