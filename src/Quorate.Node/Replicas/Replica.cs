using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Node.Replicas;

/// <summary>
/// One replica: a Raft group, its log and its store as one unit that is fed inputs and tells its host what follows. It
/// has no thread, clock or socket of its own.
/// <para>Invariants: every request gets one answer; a message that says something is durable leaves after that is
/// so; the store applies every committed entry once, in order, or takes a snapshot in the place of a prefix; what the
/// disk can not prove ends the process.</para>
/// </summary>
public sealed class Replica : IGroupLogClient, IReplicaStoreClient
{
    private readonly IReplicaHost _host;
    private readonly IGroupLog _log;
    private readonly IReplicaStore _store;
    private readonly RaftSettings _raftSettings;
    private readonly ulong _seed;
    private readonly CheckpointPolicy _policy;

    private readonly RaftOutput _output = new();
    private readonly SendGate _gate = new();
    private readonly SortedSet<NodeId> _silent = [];
    private readonly PendingWrites _writes = new();
    private readonly PendingReads _reads = new();
    private readonly Queue<ApplyRange> _ranges = new();
    private readonly PendingFetches _fetches;
    private readonly Answers _answers;
    private readonly Opening _opening;

    private Stage _stage = Stage.Created;

    /// <summary>The newest durable one of this replica's own.</summary>
    private SnapshotMeta? _checkpoint;

    /// <summary>The log has asked for space since the last checkpoint.</summary>
    private bool _spaceIsWanted;
    private RaftGroup? _group;
    private ReadToken _applied;
    private ReadToken _appended;
    private readonly AppendTimes _appendTimes = new();
    private bool _isUnfinished;

    /// <param name="bootstrap">The first membership of a group that is created with all its replicas at once; else
    /// null.</param>
    /// <param name="seed">Decides the election timeouts of this life of the replica; another one for each
    /// start.</param>
    public Replica(
        ReplicaId id,
        RaftSettings raftSettings,
        ReplicaSettings settings,
        IReplicaHost host,
        Func<IGroupLogClient, IGroupLog> log,
        Func<IReplicaStoreClient, IReplicaStore> store,
        Membership? bootstrap,
        ulong seed)
    {
        Id = id;
        _raftSettings = raftSettings;
        _policy = new CheckpointPolicy(settings, seed);
        _host = host;
        _seed = seed;
        _log = log(this);
        _store = store(this);
        _opening = new(_store, _log, bootstrap);
        _fetches = new(_log, _store);
        _answers = new(host, _store, _writes, _reads);
    }

    private enum Stage
    {
        Created,
        Opening,
        Running,
        Ended,
    }

    public ReplicaId Id { get; }

    /// <summary>
    /// The Raft group once the replica has read its disk; null before. For looking, not for stepping.
    /// </summary>
    public RaftGroup? Group => _group;

    public bool IsRunning => _stage == Stage.Running;

    /// <summary>The last entry that the state machine holds.</summary>
    public ReadToken AppliedAt => _applied;

    /// <summary>Requests taken and not yet answered, and writes not yet durable: for checks of bounds.</summary>
    public (int Writes, int Reads, int Persists) Waiting => (_writes.Count, _reads.Waiting, _gate.Count);

    /// <summary>Something waits for <see cref="Finish"/>.</summary>
    public bool IsUnfinished => _isUnfinished;

    /// <summary>Reads the disk and joins the group.</summary>
    public void Start()
    {
        Invariant.Check(_stage == Stage.Created, "a replica is started once");
        _stage = Stage.Opening;
        _opening.Begin();
    }

    public void Receive(in RaftMessage message)
    {
        // A replica that is still reading its disk says nothing, as if the message had been lost.
        if (_stage == Stage.Running)
        {
            Take(RaftInput.FromPeer(_host.Now, message));
        }
    }

    public void Tick()
    {
        if (_stage == Stage.Running)
        {
            Take(RaftInput.Tick(_host.Now));
        }

        if (_policy.IsGivenUp)
        {
            SaveCheckpointWhenDue();
        }
    }

    /// <summary>How long ago this leader appended an entry, about; see <see cref="AppendTimes"/>.</summary>
    public Duration AgeOf(LogIndex index) => _appendTimes.AgeOf(index, _host.Now);

    /// <summary>Proposes a batch. Its place in the log, or none when it was refused.</summary>
    public ReadToken Write(RequestId request, ReadOnlyMemory<byte> batch, WriteLevel level, Instant deadline)
    {
        _appended = default;
        if (Takes(request))
        {
            Take(RaftInput.Propose(_host.Now, request, batch, level, deadline));
        }

        if (_appended != default)
        {
            _appendTimes.Note(_appended, _host.Now);
        }

        return _appended;
    }

    /// <summary>
    /// Asks when a read may be served: dropped by an answer, or <see cref="IReplicaHost.ReadWaits"/>, and then whoever
    /// looks at the state answers it.
    /// </summary>
    public void Read(RequestId request, ReadLevel level, ReadToken token, Instant deadline)
    {
        if (Takes(request))
        {
            _reads.Add(request);
            Take(RaftInput.Read(_host.Now, request, level, token, deadline));
        }
    }

    public void ChangeMembership(RequestId request, Membership target, Instant deadline)
    {
        if (Takes(request))
        {
            Take(RaftInput.ProposeMembership(_host.Now, request, target, deadline));
        }
    }

    public void Transfer(RequestId request, ReplicaId target)
    {
        if (Takes(request))
        {
            Take(RaftInput.Transfer(_host.Now, request, target));
        }
    }

    /// <summary>Nothing was heard from a node for so long that it may be gone.</summary>
    public void NodeFellSilent(NodeId node)
    {
        _silent.Add(node);
        if (_stage == Stage.Running && _group!.Membership.ReplicaOn(node) is { } peer)
        {
            Take(RaftInput.Unreachable(_host.Now, peer));
            Take(RaftInput.Wake(_host.Now));
        }
    }

    /// <summary>A node that was silent, or has started anew, is heard.</summary>
    public void NodeCameBack(NodeId node)
    {
        _silent.Remove(node);
        if (_stage == Stage.Running && _group!.Membership.ReplicaOn(node) is not null)
        {
            Take(RaftInput.Wake(_host.Now));
        }
    }

    /// <summary>Applies the next committed entries, if any wait; how many bytes they have.</summary>
    public long ApplyNext()
    {
        long bytes = 0;
        if (_stage != Stage.Running || !_ranges.TryDequeue(out ApplyRange range))
        {
            return bytes;
        }

        foreach (Entry entry in range.Entries)
        {
            Invariant.Check(
                entry.Index == _applied.Index.Next,
                $"entries are applied in order, {entry.Index} came after {_applied.Index}");
            bool wanted = _store.MakesResults && _writes.Wants(entry);
            ReadOnlyMemory<byte> result = _store.Apply(entry, wanted);
            bytes += entry.Payload.Length;
            if (_stage != Stage.Running)
            {
                return bytes;
            }

            if (wanted)
            {
                _writes.Applied(entry, result);
            }

            _applied = new ReadToken(entry.Term, entry.Index);
            _policy.Applied(entry);
        }

        Take(RaftInput.Applied(_host.Now, range.Last));
        SaveCheckpointWhenDue();
        return bytes;
    }

    /// <summary>
    /// Takes a read over that the host was told of by <see cref="IReplicaHost.ReadWaits"/>: the host answers it from
    /// the state as it is in this moment. A host that can not yet (a row is cold) takes it later: it stays ready.
    /// </summary>
    /// <param name="seen">What the client then has seen.</param>
    public bool TakeRead(RequestId request, out ReadToken seen)
    {
        seen = default;
        if (_stage != Stage.Running || !_reads.MayServe(request))
        {
            return false;
        }

        // The client sees the state as it is now, which may be newer than what the read was promised.
        _reads.Take(request, out ReadToken token);
        seen = _applied.Index > token.Index ? _applied : token;
        return true;
    }

    /// <summary>
    /// The entry up to which a checkpoint of this life of the replica is durable; zero before the first.
    /// </summary>
    public LogIndex CheckpointAt { get; private set; }

    /// <summary>The log needs the space that a checkpoint would let go: one is taken as soon as can be.</summary>
    public void WantCheckpoint()
    {
        _policy.Want();
        SaveCheckpointWhenDue();
        _spaceIsWanted = true;
        if (_stage == Stage.Running && _checkpoint is { } checkpoint)
        {
            // What it has need not wait for the next one, which may not come for long where nothing happens.
            Take(RaftInput.Checkpointed(_host.Now, checkpoint, spaceIsWanted: true));
        }
    }

    /// <summary>Reads were served that the group has not heard of: it stays awake for them.</summary>
    public void Used()
    {
        if (_stage == Stage.Running)
        {
            Take(RaftInput.Used(_host.Now));
        }
    }

    /// <summary>Takes nothing more: neither inputs nor the completions of what is under way.</summary>
    public void Close() => _stage = Stage.Ended;

    /// <summary>
    /// Writes and sends what the inputs since the last time have left to be written and sent, together.
    /// </summary>
    public void Finish()
    {
        if (!_isUnfinished || _stage != Stage.Running)
        {
            return;
        }

        _isUnfinished = false;
        _group!.Finish(_output);
        HandPersistsOver();
        foreach (RaftMessage message in _output.SendNow)
        {
            _host.Send(message);
        }

        if (!Guards.LeaseIsWithdrawnBeforeSends)
        {
            _host.ReadLeaseIs(_output.ReadLease);
        }

        _output.Clear();
        if (_stage != Stage.Running)
        {
            return;
        }

        _host.SetDeadline(_output.NextDeadline);
        if (_group.IsAsleep && _silent.Contains(_group.Leader.NodeId))
        {
            // A late word of a leader that has died must not put its followers to sleep: nobody would wake them.
            Take(RaftInput.Wake(_host.Now));
        }
    }

    void IReplicaStoreClient.StoreOpened(SnapshotMeta? checkpoint)
    {
        if (_stage == Stage.Opening)
        {
            _checkpoint = checkpoint;
            _opening.StoreOpened(checkpoint);
        }
    }

    void IGroupLogClient.LogOpened(RecoveredLog log)
    {
        if (_stage != Stage.Opening)
        {
            return;
        }

        if (_opening.LogOpened(log) is string problem)
        {
            End(problem);
        }
        else if (_opening.IsDone)
        {
            Join();
        }
    }

    void IGroupLogClient.LogDurable(ulong sequence)
    {
        if (_stage == Stage.Opening)
        {
            _opening.LogDurable();
            Join();
        }
        else if (_stage == Stage.Running)
        {
            ulong own = sequence - _opening.WritesBefore;
            _gate.Durable(own, _host);
            Take(RaftInput.Persisted(_host.Now, own));
        }
    }

    void IGroupLogClient.LogRead(ulong tag, Entry[] entries)
    {
        if (_stage == Stage.Running && _fetches.TakeEntries(tag, out EntriesFetch fetch))
        {
            Take(RaftInput.EntriesFetched(_host.Now, fetch.Peer, fetch.First, entries));
        }
    }

    void IGroupLogClient.LogFailed(string sentence) => End(sentence);

    void IReplicaStoreClient.CheckpointSaved(SnapshotMeta meta)
    {
        CheckpointAt = LogIndex.Max(CheckpointAt, meta.Index);
        if (_stage == Stage.Running)
        {
            _policy.Saved();
            _checkpoint = meta;
            Take(RaftInput.Checkpointed(_host.Now, meta, _spaceIsWanted));
            _spaceIsWanted = false;
        }
    }

    void IReplicaStoreClient.CheckpointGivenUp(SnapshotMeta meta) => _policy.GivenUp();

    void IReplicaStoreClient.SnapshotRead(
        ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done)
    {
        if (_stage == Stage.Running && _fetches.TakeSnapshot(tag, out SnapshotFetch fetch))
        {
            Take(RaftInput.SnapshotFetched(_host.Now, fetch.Peer, meta, offset, chunk, done));
        }
    }

    void IReplicaStoreClient.SnapshotReceived(SnapshotMeta meta)
    {
        // The store takes it only if the group does: then a write resets the log to it.
        if (_stage == Stage.Running)
        {
            Take(RaftInput.SnapshotPersisted(_host.Now, meta));

            // From now on the group answers reads from the snapshot, so the store must.
            Finish();
        }
    }

    void IReplicaStoreClient.SnapshotRefused(SnapshotMeta meta)
    {
        if (_stage == Stage.Running)
        {
            Take(RaftInput.SnapshotFailed(_host.Now, meta));
        }
    }

    void IReplicaStoreClient.StoreFailed(string sentence) => End(sentence);

    private bool Takes(RequestId request)
    {
        bool takes = _stage == Stage.Running;
        if (!takes)
        {
            _answers.Refuse(request);
        }

        return takes;
    }

    private void Join()
    {
        if (_opening.Checkpoint is { } checkpoint)
        {
            _applied = new ReadToken(checkpoint.Term, checkpoint.Index);
        }

        _stage = Stage.Running;
        _group = new RaftGroup(Id, _raftSettings, _opening.Recovered!, _seed, _host.Now);
        Take(RaftInput.Tick(_host.Now));
    }

    /// <summary>Takes an input; what is to be written and sent waits for <see cref="Finish"/>.</summary>
    private void Take(in RaftInput input)
    {
        _group!.Take(input, _output);
        if (Guards.LeaseIsWithdrawnBeforeSends)
        {
            _host.ReadLeaseIs(_output.ReadLease);
        }

        foreach (RoleChanged change in _output.RoleChanges)
        {
            _host.RoleChanged(change);
        }

        foreach (Appended appended in _output.Appended)
        {
            _appended = appended.Token;
            if (_store.MakesResults)
            {
                _writes.Appended(appended);
            }
        }

        foreach (ApplyRange range in _output.Applies)
        {
            _ranges.Enqueue(range);
            _host.ApplyWaits();
        }

        _answers.Give(_output, _applied, _group.Leader);
        _fetches.Begin(_output);
        foreach (InstallSnapshot piece in _output.Installs)
        {
            _store.Receive(piece);
        }

        _output.ClearTaken();
        if (!_isUnfinished)
        {
            _isUnfinished = true;
            if (!_host.FinishWaits())
            {
                Finish();
            }
        }
    }

    private void HandPersistsOver()
    {
        foreach (Persist persist in _output.Persists)
        {
            if (persist.ResetTo is { } snapshot)
            {
                Load(snapshot);
            }

            _gate.Add(persist);
            _log.Write(_opening.Numbered(persist));
        }
    }

    /// <summary>
    /// The group has taken a snapshot whose checkpoint is durable. From here on this replica answers from it; if
    /// the process ends before the log's reset is durable, <see cref="Recovery"/> does it over.
    /// </summary>
    private void Load(SnapshotMeta snapshot)
    {
        Invariant.Check(
            snapshot.Index > _applied.Index,
            $"a snapshot at {snapshot.Index} takes the place of an older state than {_applied.Index}");
        _store.TakeReceived(snapshot);
        _applied = new ReadToken(snapshot.Term, snapshot.Index);
        _ranges.Clear();
        _policy.Replaced();
    }

    private void SaveCheckpointWhenDue()
    {
        if (_stage == Stage.Running && _policy.TakeIfDue(_store.DirtyBytes))
        {
            _store.Checkpoint(_group!.CheckpointMeta);
        }
    }

    private void End(string sentence)
    {
        if (_stage != Stage.Ended)
        {
            _stage = Stage.Ended;
            _host.End(sentence);
        }
    }
}
