using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>The settings that a script may give to its group, by short name.</summary>
internal static class ScriptSettings
{
    /// <summary>
    /// As in production but for one thing: an idle group stays awake, so that only scripts about sleeping have to
    /// think of it.
    /// </summary>
    public static readonly RaftSettings Default = new() { SleepAfterTicks = 0 };

    private static readonly SortedDictionary<string, Change> Known = new(StringComparer.Ordinal)
    {
        ["append-bytes"] = (s, v) => s with { AppendBytesMax = (int)v },
        ["apply-bytes"] = (s, v) => s with { ApplyBytesMax = (int)v },
        ["cached-bytes"] = (s, v) => s with { CachedBytesMax = (int)v },
        ["chunk-bytes"] = (s, v) => s with { SnapshotChunkBytes = (int)v },
        ["drift-ppm"] = (s, v) => s with { ClockDriftPpm = (int)v },
        ["election-ticks"] = (s, v) => s with { ElectionTicks = (int)v },
        ["entry-bytes"] = (s, v) => s with { EntryBytesMax = (int)v },
        ["heartbeat-ticks"] = (s, v) => s with { HeartbeatTicks = (int)v },
        ["inflight"] = (s, v) => s with { InflightAppendsMax = (int)v },
        ["inflight-bytes"] = (s, v) => s with { InflightBytesMax = (int)v },
        ["kept"] = (s, v) => s with { LogEntriesKept = (ulong)v },
        ["kept-max"] = (s, v) => s with { LogEntriesKeptMax = (ulong)v },
        ["memory-bytes"] = (s, v) => s with { MemoryBytesMax = v },
        ["pending-proposals"] = (s, v) => s with { PendingProposalsMax = (int)v },
        ["pending-reads"] = (s, v) => s with { PendingReadsMax = (int)v },
        ["persists"] = (s, v) => s with { PersistsInFlightMax = (int)v },
        ["promotion-lag"] = (s, v) => s with { PromotionLagEntries = (ulong)v },
        ["read-retry-ticks"] = (s, v) => s with { ReadRetryTicks = (int)v },
        ["replicas-max"] = (s, v) => s with { ReplicasMax = (int)v },
        ["resend-ticks"] = (s, v) => s with { ResendTicks = (int)v },
        ["sleep-ticks"] = (s, v) => s with { SleepAfterTicks = (int)v },
        ["snapshots"] = (s, v) => s with { SnapshotsInFlightMax = (int)v },
        ["checks-new-majority"] = (s, v) => s with { ChecksNewMajority = v != 0 },
        ["term-starts"] = (s, v) => s with { TermStartsMax = (int)v },
        ["uncommitted-bytes"] = (s, v) => s with { UncommittedBytesMax = v },
    };

    private delegate RaftSettings Change(RaftSettings settings, long value);

    public static RaftSettings With(RaftSettings settings, string key, string value) =>
        Known.TryGetValue(key, out Change? change)
            ? change(settings, (long)ScriptWords.Number(value))
            : throw ScriptWords.Wrong($"there is no setting '{key}'; there are {string.Join(", ", Known.Keys)}");
}
