using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// One replica and its host: a clock, a disk, and a state machine that is a register. Each proposal sets it, and a
/// read shows it. Work is done at once unless the script says that it is late.
/// </summary>
internal sealed class ScriptReplica(ReplicaId id, Membership? bootstrap, ScriptWorld world)
{
    private readonly Queue<Func<Instant, RaftInput>> _inputs = [];
    private readonly RaftOutput _output = new();
    private readonly Queue<Entry[]> _applies = [];
    private readonly List<Action> _fetches = [];
    private readonly List<Persist> _completed = [];
    private readonly List<byte> _receiving = [];
    private ScriptCheckpoint? _install;
    private ScriptCheckpoint? _saving;
    private bool _stepping;

    public ReplicaId Id { get; } = id;

    public ScriptClock Clock { get; } = new();

    public ScriptDisk Disk { get; } = new(bootstrap);

    /// <summary>Null while the process is down.</summary>
    public RaftGroup? Group { get; private set; }

    public bool IsUp => Group is not null;

    /// <summary>A paused process takes nothing in; its clock goes on.</summary>
    public bool IsPaused { get; set; }

    public LateWork Late { get; set; }

    public ScriptRegister Register { get; } = new();

    public LogIndex Applied => Register.Applied;

    /// <summary>How many requests for votes and pre-votes it has sent.</summary>
    public int VotesAsked { get; private set; }

    public Instant NextDeadline { get; private set; } = Instant.Never;

    public bool IsSettled => _applies.Count == 0 && _fetches.Count == 0 && _install is null && !Disk.Outstanding.Any();

    /// <summary>How often a process of this replica was started; part of the group's seed.</summary>
    private int Boots { get; set; }

    public void Start()
    {
        Boots++;
        RecoveredState recovered = Disk.Open();
        Register.Clear();
        if (Disk.Checkpoint is ScriptCheckpoint checkpoint)
        {
            Load(checkpoint);
        }

        Group = new RaftGroup(Id, world.Settings, recovered, ((ulong)Id.Node * 1000) + (ulong)Boots, Clock.Now);
        Feed(RaftInput.Tick);
    }

    public void Stop()
    {
        Group = null;
        _inputs.Clear();
        _applies.Clear();
        _fetches.Clear();
        _completed.Clear();
        _receiving.Clear();
        _install = null;
        NextDeadline = Instant.Never;
    }

    /// <summary>Hands the group an input and does all that follows from it, as far as nothing is late.</summary>
    public void Feed(Func<Instant, RaftInput> input)
    {
        _inputs.Enqueue(input);
        if (_stepping)
        {
            return;
        }

        _stepping = true;
        try
        {
            while (Group is RaftGroup group && _inputs.TryDequeue(out Func<Instant, RaftInput>? next))
            {
                StepOnce(group, next(Clock.Now));
            }
        }
        finally
        {
            _stepping = false;
        }
    }

    /// <summary>Completes one outstanding write, or the oldest.</summary>
    public void CompletePersist(ulong? sequence)
    {
        Persist? persist = Disk.Outstanding.FirstOrDefault(p => sequence is null || p.Sequence == sequence);
        Complete(persist ?? throw ScriptWords.Wrong($"{Id} has no such outstanding write"));
    }

    public void CompleteApply()
    {
        if (!_applies.TryDequeue(out Entry[]? entries))
        {
            throw ScriptWords.Wrong($"{Id} has nothing to apply");
        }

        Apply(entries);
    }

    public void CompleteFetches()
    {
        Action[] fetches = [.. _fetches];
        _fetches.Clear();
        foreach (Action fetch in fetches)
        {
            fetch();
        }
    }

    /// <summary>A received snapshot becomes durable, or fails to.</summary>
    public void CompleteInstall(bool fails)
    {
        ScriptCheckpoint received = _install ?? throw ScriptWords.Wrong($"{Id} has no snapshot to install");
        _install = null;
        if (fails)
        {
            world.Out.Detail($"{Id} cannot store {received.Meta}");
            Feed(now => RaftInput.SnapshotFailed(now, received.Meta));
            return;
        }

        world.Out.Detail($"{Id} stores {received.Meta}");
        if (Disk.Checkpoint is null || Disk.Checkpoint.Meta.Index < received.Meta.Index)
        {
            Disk.Checkpoint = received;
        }

        Feed(now => RaftInput.SnapshotPersisted(now, received.Meta));
    }

    /// <summary>Does everything that is outstanding, in the order write, apply, fetch, install, checkpoint.</summary>
    public void CatchUp()
    {
        while (Disk.Outstanding.FirstOrDefault() is Persist persist)
        {
            Complete(persist);
        }

        while (_applies.TryDequeue(out Entry[]? entries))
        {
            Apply(entries);
        }

        CompleteFetches();
        if (_install is not null)
        {
            CompleteInstall(fails: false);
        }

        if (_saving is not null)
        {
            CompleteCheckpoint();
        }
    }

    /// <summary>The state machine saves what it has applied; durable at once, unless that is late.</summary>
    /// <param name="spaceIsWanted">It does so because the log wants the space.</param>
    public void SaveCheckpoint(bool spaceIsWanted)
    {
        SnapshotMeta meta = Group!.CheckpointMeta();
        Invariant.Check(meta.Index == Applied, $"a checkpoint stands for what is applied, {Applied}: {meta}");
        _saving = new(meta, Register.Save(), spaceIsWanted);
        if (Late.HasFlag(LateWork.Checkpoint))
        {
            world.Out.Detail($"{Id} begins to save {meta}");
        }
        else
        {
            CompleteCheckpoint();
        }
    }

    /// <summary>The checkpoint that was begun becomes durable.</summary>
    public void CompleteCheckpoint()
    {
        ScriptCheckpoint saved = _saving ?? throw ScriptWords.Wrong($"{Id} saves no checkpoint");
        _saving = null;
        Disk.Checkpoint = saved;
        world.Out.Detail($"{Id} saves {saved.Meta}");
        Feed(now => RaftInput.Checkpointed(now, saved.Meta, saved.SpaceIsWanted));
    }

    private void StepOnce(RaftGroup group, RaftInput input)
    {
        LogIndex commitBefore = group.CommitIndex;
        Membership membershipBefore = group.Membership;
        _output.Clear();
        group.Step(input, _output);
        NextDeadline = _output.NextDeadline;
        if (group.AppliedIndex > Applied && Disk.Checkpoint?.Meta.Index == group.AppliedIndex)
        {
            Load(Disk.Checkpoint);
        }

        ShowRoles(group);
        Send(_output.SendNow);
        TakePersists();
        world.Checks.AfterStep(this, commitBefore, membershipBefore);
        TakeApplies();
        ScriptAnswers.Show(world, this, _output);
        TakeFetches();
        TakeInstalls();
    }

    private void ShowRoles(RaftGroup group)
    {
        foreach (RoleChanged change in _output.RoleChanges)
        {
            string leader = change switch
            {
                { Role: not Role.Follower } => "",
                { Leader.IsNone: true } => ", leader unknown",
                _ => $", led by {change.Leader}",
            };
            world.Out.Fact($"{Id} is {change.Role} in term {change.Term}{leader}");
        }

        world.Checks.Leads(group);
        foreach (Appended appended in _output.Appended)
        {
            world.Requests.Of(appended.Request).Place = appended.Token;
        }
    }

    private void Send(IEnumerable<RaftMessage> messages)
    {
        foreach (RaftMessage message in messages)
        {
            VotesAsked += message.Kind is MessageKind.PreVoteRequest or MessageKind.VoteRequest ? 1 : 0;
            world.Send(message);
        }
    }

    private void TakePersists()
    {
        foreach (Persist persist in _output.Persists)
        {
            string late = Late.HasFlag(LateWork.Persist) ? $" late #{persist.Sequence}" : "";
            string after = late.Length == 0 || persist.SendAfter.Count == 0
                ? ""
                : $", then {string.Join(", ", persist.SendAfter.Select(m => $"{m.Kind} to {m.To}"))}";
            world.Out.Detail($"{Id} writes{late} {ScriptPrinter.Describe(persist, Disk.Written.HardState)}{after}");
            Disk.Write(persist);
        }

        if (!Late.HasFlag(LateWork.Persist))
        {
            foreach (Persist persist in Disk.Outstanding.ToArray())
            {
                Complete(persist);
            }
        }
    }

    /// <summary>What waited for a write leaves when it and all before it are complete.</summary>
    private void Complete(Persist persist)
    {
        Persist? firstBefore = Disk.Outstanding.FirstOrDefault();
        Disk.Complete(persist);
        if (Late.HasFlag(LateWork.Persist) || firstBefore != persist)
        {
            world.Out.Detail($"{Id} has written #{persist.Sequence}");
        }

        _completed.Add(persist);
        ulong firstOutstanding = Disk.Outstanding.FirstOrDefault()?.Sequence ?? ulong.MaxValue;
        Persist[] durable = [.. _completed.Where(p => p.Sequence < firstOutstanding).OrderBy(p => p.Sequence)];
        foreach (Persist done in durable)
        {
            _completed.Remove(done);
            Send(done.SendAfter);
        }

        Feed(now => RaftInput.Persisted(now, persist.Sequence));
    }

    private void TakeApplies()
    {
        foreach (ApplyRange range in _output.Applies)
        {
            if (Late.HasFlag(LateWork.Apply))
            {
                world.Out.Detail($"{Id} is to apply {ScriptPrinter.Describe(range.Entries)}");
                _applies.Enqueue(range.Entries);
            }
            else
            {
                Apply(range.Entries);
            }
        }
    }

    private void Apply(Entry[] entries)
    {
        world.Out.Detail($"{Id} applies {ScriptPrinter.Describe(entries)}");
        foreach (Entry entry in entries)
        {
            world.Checks.Applies(this, entry);
            Register.Apply(entry);
        }

        LogIndex last = entries[^1].Index;
        Feed(now => RaftInput.Applied(now, last));
    }

    private void TakeFetches()
    {
        foreach (EntriesFetch fetch in _output.EntriesFetches)
        {
            world.Out.Detail($"{Id} reads its log from {fetch.First} to {fetch.Last} for {fetch.Peer}");
            _fetches.Add(() => AnswerEntriesFetch(fetch));
        }

        foreach (SnapshotFetch fetch in _output.SnapshotFetches)
        {
            string which = fetch.Snapshot == LogIndex.Zero ? "the newest checkpoint" : $"checkpoint {fetch.Snapshot}";
            world.Out.Detail($"{Id} reads {which} from byte {fetch.Offset} for {fetch.Peer}");
            _fetches.Add(() => AnswerSnapshotFetch(fetch));
        }

        if (!Late.HasFlag(LateWork.Fetch))
        {
            CompleteFetches();
        }
    }

    private void AnswerEntriesFetch(EntriesFetch fetch)
    {
        Entry[] entries = Disk.Written.Read(fetch);
        Feed(now => RaftInput.EntriesFetched(now, fetch.Peer, fetch.First, entries));
    }

    private void AnswerSnapshotFetch(SnapshotFetch fetch)
    {
        if (Disk.Checkpoint is not ScriptCheckpoint checkpoint)
        {
            Feed(now => RaftInput.SnapshotFetched(now, fetch.Peer, null, 0, default, done: true));
            return;
        }

        long offset = fetch.Snapshot == checkpoint.Meta.Index ? fetch.Offset : 0;
        int count = (int)Math.Min(fetch.MaxBytes, checkpoint.State.Length - offset);
        ReadOnlyMemory<byte> chunk = checkpoint.State.AsMemory((int)offset, count);
        bool done = offset + count == checkpoint.State.Length;
        Feed(now => RaftInput.SnapshotFetched(now, fetch.Peer, checkpoint.Meta, offset, chunk, done));
    }

    private void TakeInstalls()
    {
        foreach (InstallSnapshot piece in _output.Installs)
        {
            if (piece.Offset == 0)
            {
                _receiving.Clear();
                _install = null;
            }

            Invariant.Check(piece.Offset == _receiving.Count, $"a piece comes after {_receiving.Count} bytes");
            _receiving.AddRange(piece.Chunk.Span);
            if (piece.Done)
            {
                _install = new(piece.Meta, [.. _receiving]);
                world.Out.Detail($"{Id} has received {piece.Meta}");
                if (!Late.HasFlag(LateWork.Install))
                {
                    CompleteInstall(fails: false);
                }
            }
        }
    }

    private void Load(ScriptCheckpoint checkpoint)
    {
        Register.Load(checkpoint);
        world.Checks.Loads(this, checkpoint.Meta);
    }
}
