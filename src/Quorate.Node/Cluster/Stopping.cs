using System.Globalization;
using Quorate.Core.Model;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Partitions;

namespace Quorate.Node.Cluster;

/// <summary>How far a node that stops has come.</summary>
internal enum StopStage : byte
{
    /// <summary>It was not told to stop.</summary>
    Serving,

    /// <summary>Its leaderships go to others.</summary>
    HandingOver,

    /// <summary>It leads nothing that another could lead; checkpoints are being saved.</summary>
    Saving,

    /// <summary>Nothing more is waited for.</summary>
    Ready,
}

/// <summary>
/// A node that stops well: its leaderships go to others that are heard, so that nobody waits for an election; then
/// checkpoints are begun, so that the next start reads little. Not before: they take the disk that the heirs need.
/// <para>Invariant: each stage has its end (<see cref="ClusterSettings.HandOverAfter"/>,
/// <see cref="ClusterSettings.StopAfter"/>), whatever the others do.</para>
/// </summary>
internal sealed class Stopping(ClusterParts parts, Heirs heirs, LocalCalls local)
{
    /// <summary>What a checkpoint should hold before the end: under load, rows go on being written.</summary>
    private readonly SortedDictionary<GroupId, LogIndex> _appliedAtSaving = [];
    private int _handedOverBefore;
    private Instant _begun = Instant.Never;
    private Instant _handOverFrom = Instant.Never;
    private Instant _savingSince = Instant.Never;
    private Instant _ledSince = Instant.Never;

    public StopStage Stage { get; private set; }

    public bool HasBegun => Stage != StopStage.Serving;

    public bool IsReady => Stage == StopStage.Ready;

    public void Begin()
    {
        if (HasBegun)
        {
            return;
        }

        Stage = StopStage.HandingOver;
        _begun = parts.Now;
        _handedOverBefore = heirs.HandedOver;

        // Until then others have told whether they stop, too: leaderships are not handed round among those that go.
        _handOverFrom = _begun + (parts.Settings.Node.Heartbeats.Interval * 2);
    }

    /// <summary>True when it has come to another stage.</summary>
    public bool Look()
    {
        if (!HasBegun || IsReady || parts.Now < _handOverFrom)
        {
            return false;
        }

        // One that has come back meanwhile is handed over again, at any stage.
        int left = heirs.HandOverAll();
        Duration since = parts.Now - _begun;
        if (Stage == StopStage.HandingOver)
        {
            if (left > 0 && since < parts.Settings.HandOverAfter)
            {
                return false;
            }

            int gone = heirs.HandedOver - _handedOverBefore;
            Tell($"{gone} leaderships handed over", since, left, "not taken by any other node in time");
            Stage = StopStage.Saving;
            _savingSince = parts.Now;
            BeginSaving();
            return true;
        }

        int unsaved = parts.Runtime.Partitions.Count(group => !IsSaved(group));
        if ((unsaved > 0 || !IsQuiet()) && since < parts.Settings.StopAfter)
        {
            return false;
        }

        Tell("checkpoints saved", since, unsaved, "not saved in time, which the next start makes up for");
        Stage = StopStage.Ready;
        return true;
    }

    private void Tell(string done, Duration since, int left, string why)
    {
        string rest = left == 0
            ? "none left"
            : string.Create(CultureInfo.InvariantCulture, $"{left} left, {why}");
        parts.Say("stop", string.Create(
            CultureInfo.InvariantCulture, $"After {since.Microseconds / 1000} ms: {done}, {rest}."));
    }

    private void BeginSaving()
    {
        parts.Metadata.WantCheckpoint();
        foreach (GroupId group in parts.Runtime.Partitions)
        {
            Partition partition = parts.Runtime.Find(group)!;
            _appliedAtSaving[group] = partition.Replica.AppliedAt.Index;
            partition.WantCheckpoint();
        }
    }

    private bool IsSaved(GroupId group)
    {
        Partition partition = parts.Runtime.Find(group)!;
        return partition.Rows.DirtyBytes == 0
            || partition.Replica.CheckpointAt >= _appliedAtSaving.GetValueOrDefault(group);
    }

    /// <summary>
    /// Nothing was left to hand over: the others have noticed, and ask nothing here any more, or have had the time to.
    /// </summary>
    private bool IsQuiet()
    {
        Instant now = parts.Now;
        _ledSince = AreHeirsLeading() ? Instant.Min(_ledSince, now) : Instant.Never;
        Instant last = Instant.Max(_ledSince, local.LastReceived);
        return (local.OfOthers == 0 && last + parts.Settings.StopQuiet <= now)
            || _savingSince + parts.Settings.StopQuietMax <= now;
    }

    /// <summary>Until an heir is heard of, the others still take this node for the leader.</summary>
    private bool AreHeirsLeading()
    {
        foreach (GroupId group in parts.Runtime.Partitions)
        {
            if (parts.Runtime.Find(group)!.Replica.Group is { Leader.IsNone: true, Membership.Voters.Length: > 1 })
            {
                return false;
            }
        }

        return true;
    }
}
