using System.Diagnostics;
using System.Globalization;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Sweeps;

/// <summary>
/// Runs many seeds, one thread a core, each run on one thread alone and sharing nothing with the others. This and
/// the command line are the only parts that know of real time and threads.
/// </summary>
internal sealed class Sweep(ulong from, int count, PlanOverrides overrides, TextWriter output)
{
    /// <summary>When more of the key histories are undecided, in percent, the sweep proves too little.</summary>
    private const long UndecidedPercentMax = 1;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, List<ulong>> _failures = new(StringComparer.Ordinal);
    private readonly SortedDictionary<FaultKinds, long> _faults = [];
    private readonly SortedDictionary<string, (long Times, int Seeds)> _judged = new(StringComparer.Ordinal);
    private int _taken;
    private int _run;
    private int _failed;
    private long _events;
    private long _simulated;
    private long _keys;
    private long _undecided;
    private long _operations;
    private long _elections;
    private long _busy;

    /// <summary>Starts no further seed once one has failed.</summary>
    public bool StopsAtFirstFailure { get; init; }

    /// <summary>Runs all seeds; true when none failed and the checkers came to a verdict often enough.</summary>
    public bool Run(int threads)
    {
        long start = Stopwatch.GetTimestamp();
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Work))];
        foreach (Thread worker in workers)
        {
            worker.Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        Summarize(Stopwatch.GetElapsedTime(start));
        return _failed == 0 && !IsTooUndecided(_keys, _undecided);
    }

    /// <summary>True when so many key histories are undecided that the others say too little.</summary>
    public static bool IsTooUndecided(long keys, long undecided) => undecided * 100 > keys * UndecidedPercentMax;

    private void Work()
    {
        while (Interlocked.Increment(ref _taken) is int number && number <= count)
        {
            if (StopsAtFirstFailure && Volatile.Read(ref _failed) > 0)
            {
                return;
            }

            ulong seed = from + (ulong)number - 1;
            long start = Stopwatch.GetTimestamp();
            RunResult result = RunResult.Of(seed, overrides);
            Add(seed, result, Stopwatch.GetTimestamp() - start);
        }
    }

    private void Add(ulong seed, RunResult result, long ticks)
    {
        lock (_lock)
        {
            _run++;
            _events += result.Events;
            _simulated += result.SimulatedTime;
            _keys += result.Histories.Keys;
            _undecided += result.Histories.Undecided;
            _operations += result.Histories.Operations;
            _elections += result.Elections;
            _busy += ticks;
            foreach ((FaultKinds kind, int times) in result.Faults)
            {
                _faults[kind] = _faults.GetValueOrDefault(kind) + times;
            }

            foreach ((string name, long times) in result.Judged)
            {
                (long before, int seeds) = _judged.GetValueOrDefault(name);
                _judged[name] = (before + times, seeds + 1);
            }

            if (result.Broken is { } broken)
            {
                _failed++;
                if (!_failures.TryGetValue(broken.Claim, out List<ulong>? seeds))
                {
                    seeds = [];
                    _failures.Add(broken.Claim, seeds);
                }

                seeds.Add(seed);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {broken}"));
            }
        }
    }

    private void Summarize(TimeSpan elapsed)
    {
        double busySeconds = _busy / (double)Stopwatch.Frequency;
        foreach ((string claim, List<ulong> seeds) in _failures)
        {
            seeds.Sort();
            string list = string.Join(' ', seeds.Take(20));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{claim}: {seeds.Count} seeds: {list}"));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"faults: {string.Join(", ", _faults.Select(f => $"{f.Key.ToString().ToLowerInvariant()} {f.Value}"))}; "
                + $"elections {_elections}"));
        if (_judged.Count > 0)
        {
            IEnumerable<string> judged = _judged.Select(j => string.Create(
                CultureInfo.InvariantCulture, $"{j.Key} {j.Value.Times} in {j.Value.Seeds} seeds"));
            output.WriteLine($"judged: {string.Join(", ", judged)}");
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_run} seeds from {from}: {_failed} failed; {_events} events, "
                + $"{_simulated / 1_000_000} simulated seconds in {elapsed.TotalSeconds:0.0} s; "
                + $"{_events / busySeconds:0} events/s of one core; {_keys} key histories of "
                + $"{_operations} operations checked, {_undecided} undecided"));
        if (IsTooUndecided(_keys, _undecided))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{_undecided} of {_keys} key histories are undecided, more than {UndecidedPercentMax} %."));
        }
    }
}
