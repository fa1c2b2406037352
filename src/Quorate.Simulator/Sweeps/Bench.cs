using System.Diagnostics;
using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Replicas;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Sweeps;

/// <summary>
/// The fixed scenario by which the simulator's own speed is judged: three nodes with one group, 16 clients that
/// think 50 ms on average between an answer and the next question, half of them writes at level majority, half
/// linearizable reads; 0.5 to 1.5 ms from node to node, 0.4 to 0.8 ms for a sync; no faults.
/// </summary>
internal static class Bench
{
    /// <summary>
    /// How much of the scenario warms the runtime up, and how much is measured, in simulated seconds.
    /// </summary>
    private const long WarmUpSeconds = 60;

    private const long MeasuredSeconds = 600;

    public static int Run(TextWriter output)
    {
        Measure(WarmUpSeconds, seed: 1);
        (RunResult result, TimeSpan elapsed) = Measure(MeasuredSeconds, seed: 2);
        double seconds = elapsed.TotalSeconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Events} events and {result.SimulatedTime / 1_000_000} simulated seconds in "
                + $"{seconds:0.00} s on one core: {result.Events / seconds:0} events/s, "
                + $"{result.SimulatedTime / 1e6 / seconds:0} simulated seconds a second; "
                + $"trace hash {result.TraceHash:x16}"));
        if (result.Broken is { } broken)
        {
            output.WriteLine(broken.Report());
            return 1;
        }

        return 0;
    }

    public static Plan Scenario(long seconds, ulong seed) => new()
    {
        Seed = seed,
        Nodes = 3,
        Groups = [new GroupPlan([0, 1, 2], [])],
        Clients = 16,
        OperationsMax = int.MaxValue,
        SafetyTime = seconds * 1_000_000,
        Raft = new RaftSettings(),
        Replica = new ReplicaSettings(),
        Heartbeats = new NodeHeartbeatSettings { Interval = Duration.FromMilliseconds(70) },
        Log = new NodeLogSettings { SegmentBytes = 1024 * 1024 },
        Network = new NetworkPlan { LatencyMin = 500, LatencySpread = 1000, ClientLatency = 500 },
        Disk = new DiskPlan(),
        Workload = new WorkloadPlan { ThinkTime = 50_000, KeysPerGroup = 64 },
        Faults = new FaultPlan { MeanInterval = new SortedDictionary<FaultKinds, long>() },
    };

    private static (RunResult Result, TimeSpan Elapsed) Measure(long seconds, ulong seed)
    {
        long start = Stopwatch.GetTimestamp();
        RunResult result = RunResult.Of(Scenario(seconds, seed));
        return (result, Stopwatch.GetElapsedTime(start));
    }
}
