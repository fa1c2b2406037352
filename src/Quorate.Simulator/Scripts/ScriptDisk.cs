using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// One replica's disk in a script: what is durable, and what was written but may still be in the page cache.
/// A process death keeps what was written, a loss of power only what is durable.
/// <para>Invariant: <see cref="Written"/> is <see cref="Durable"/> with all writes that are not folded yet.</para>
/// </summary>
internal sealed class ScriptDisk(Membership? bootstrap)
{
    private readonly List<PendingWrite> _pending = [];

    public LogImage Durable { get; private set; } = new();

    public LogImage Written { get; private set; } = new();

    public Membership? Bootstrap { get; } = bootstrap;

    /// <summary>The newest checkpoint, always durable.</summary>
    public ScriptCheckpoint? Checkpoint { get; set; }

    /// <summary>The writes whose completion the replica has not been told of, in order.</summary>
    public IEnumerable<Persist> Outstanding => _pending.Where(w => !w.Completed).Select(w => w.Persist);

    public void Write(Persist persist)
    {
        Written.Apply(persist);
        _pending.Add(new(persist));
    }

    /// <summary>
    /// A write is told to be complete. It is durable once all before it are; one that asked for no sync becomes
    /// durable with the next that did.
    /// </summary>
    public void Complete(Persist persist)
    {
        _pending.First(w => w.Persist == persist).Completed = true;
        int synced = 0;
        for (int i = 0; i < _pending.Count && _pending[i].Completed; i++)
        {
            synced = _pending[i].Persist.MustSync ? i + 1 : synced;
        }

        Fold(synced);
    }

    /// <summary>
    /// The process dies; of the writes not completed, the first <paramref name="kept"/> had reached the page cache.
    /// </summary>
    public void LoseProcess(int kept)
    {
        int outstanding = 0;
        int cut = _pending.FindIndex(w => !w.Completed && outstanding++ == kept);
        if (cut >= 0)
        {
            _pending.RemoveRange(cut, _pending.Count - cut);
        }

        Written = Durable.Clone();
        foreach (PendingWrite write in _pending)
        {
            Written.Apply(write.Persist);
        }
    }

    /// <summary>The power fails: the page cache is gone.</summary>
    public void LosePower()
    {
        _pending.Clear();
        Written = Durable.Clone();
    }

    /// <summary>
    /// Opens the log as a storage engine must: what it reads may come from the page cache, so it is made durable
    /// before the replica acts on it (pitfall R28).
    /// </summary>
    public RecoveredState Open()
    {
        Fold(_pending.Count);

        // A snapshot was stored, and the write that lets it replace the log was lost: the snapshot holds all the same.
        if (Checkpoint is ScriptCheckpoint newest && !Written.Reaches(newest.Meta))
        {
            var write = new Persist { ResetTo = newest.Meta, MustSync = true };
            Write(write);
            Fold(_pending.Count);
        }

        return new()
        {
            HardState = Written.HardState,
            Checkpoint = Checkpoint?.Meta,
            LogBase = Written.Base,
            LogBaseTerm = Written.BaseTerm,
            LastIndex = Written.Last,
            TermStarts = Written.TermStarts(),
            Memberships = Written.Memberships(),
            Bootstrap = Bootstrap,
        };
    }

    private void Fold(int count)
    {
        foreach (PendingWrite write in _pending.Take(count))
        {
            Durable.Apply(write.Persist);
            Durable.Release(write.Persist.ReleaseTo);
            Written.Release(write.Persist.ReleaseTo);
        }

        _pending.RemoveRange(0, count);
    }

    private sealed class PendingWrite(Persist persist)
    {
        public Persist Persist { get; } = persist;

        public bool Completed { get; set; }
    }
}

/// <summary>A checkpoint of a script's state machine: what it stands for and its bytes.</summary>
internal sealed record ScriptCheckpoint(SnapshotMeta Meta, byte[] State, bool SpaceIsWanted = false);

/// <summary>A log and its hard state, as a file would show them.</summary>
internal sealed class LogImage
{
    public HardState HardState { get; set; }

    /// <summary>The index before the first entry held, and its term.</summary>
    public LogIndex Base { get; private set; }

    public Term BaseTerm { get; private set; }

    public List<Entry> Entries { get; } = [];

    public LogIndex Last => Base + (ulong)Entries.Count;

    /// <summary>The entry at an index, or null when the log does not hold it.</summary>
    public Entry? At(LogIndex index) =>
        index > Base && index <= Last ? Entries[(int)(index - Base) - 1] : null;

    /// <summary>True when the log holds the snapshot's last entry, or let go of it behind that snapshot.</summary>
    public bool Reaches(SnapshotMeta meta) =>
        At(meta.Index)?.Term == meta.Term || (Base == meta.Index && BaseTerm == meta.Term);

    public LogImage Clone()
    {
        var clone = new LogImage { HardState = HardState, Base = Base, BaseTerm = BaseTerm };
        clone.Entries.AddRange(Entries);
        return clone;
    }

    /// <summary>Everything of a write but its release, which waits until it is durable.</summary>
    public void Apply(Persist persist)
    {
        if (persist.ResetTo is SnapshotMeta meta)
        {
            Entries.Clear();
            (Base, BaseTerm) = (meta.Index, meta.Term);
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            Invariant.Check(persist.TruncateFrom > Base, "a cut lies within the log");
            int keep = (int)(persist.TruncateFrom.Previous - Base);
            Entries.RemoveRange(keep, Math.Max(Entries.Count - keep, 0));
        }

        foreach (Entry entry in persist.Entries)
        {
            Invariant.Check(entry.Index == Last.Next, $"entry {entry} is written where the log ends, at {Last.Next}");
            Entries.Add(entry);
        }

        HardState = persist.HardState ?? HardState;
    }

    public void Release(LogIndex to)
    {
        if (to > Base)
        {
            Invariant.Check(to <= Last, "only entries of the log are released");
            int count = (int)(to - Base);
            (Base, BaseTerm) = (to, Entries[count - 1].Term);
            Entries.RemoveRange(0, count);
        }
    }

    /// <summary>What is held of the entries that were asked for, from the first on.</summary>
    public Entry[] Read(EntriesFetch fetch)
    {
        var entries = new List<Entry>();
        int bytes = 0;
        for (LogIndex at = fetch.First; at <= fetch.Last && At(at) is Entry entry; at = at.Next)
        {
            bytes += entry.Bytes;
            if (entries.Count > 0 && bytes > fetch.MaxBytes)
            {
                break;
            }

            entries.Add(entry);
        }

        return [.. entries];
    }

    public TermStart[] TermStarts()
    {
        var starts = new List<TermStart>();
        foreach (Entry entry in Entries)
        {
            if (starts.Count == 0 || starts[^1].Term != entry.Term)
            {
                starts.Add(new(entry.Term, entry.Index));
            }
        }

        return [.. starts];
    }

    public MembershipAt[] Memberships() =>
    [
        .. Entries
            .Where(e => e.Kind == EntryKind.Membership)
            .Select(e => new MembershipAt(e.Index, Membership.TryDecode(e.Payload.Span)!)),
    ];
}
