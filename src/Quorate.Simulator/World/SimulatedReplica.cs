using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Replicas;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.World;

/// <summary>
/// Hosts one replica of the real code in the simulated world: carries its messages, keeps its timer, gives its
/// answers to whoever asked, and shows the checks everything it applies and acknowledges.
/// </summary>
internal sealed class SimulatedReplica : IReplicaHost, IStateMachine
{
    /// <summary>A timer that is due already fires after this, in microseconds: no timer is finer.</summary>
    private const long TimerGrain = 50;

    private readonly Simulation _world;
    private readonly SimulatedNode _node;
    private readonly int _group;
    private readonly GroupChecks _checks;
    private readonly RegisterStore _store = new();
    private readonly Dictionary<RequestId, Attempt> _attempts = [];
    private readonly Dictionary<RequestId, OperatorRequest> _operations = [];
    private readonly List<RequestId> _readsWaiting = [];
    private ulong _lastRequest;
    private bool _applyWaits;
    private LogIndex _checkedAt;
    private Instant _deadline = Instant.Never;
    private long _timerAt = long.MaxValue;
    private ulong _timerNumber;
    private ObservedLog? _log;

    /// <summary>
    /// Events name it, so that those of a replica that was taken away do not happen to the next one here.
    /// </summary>
    private readonly int _number;

    private readonly CommitCounting _counting;
    private bool _closed;
    private bool _announced;

    public SimulatedReplica(Simulation world, SimulatedNode node, int group, PlacedReplica placed, ulong seed)
    {
        _world = world;
        _node = node;
        _group = group;
        _checks = world.Checks[group];
        _counting = new(_checks);
        _number = world.NextReplica();
        ReplicaRecord record = _checks.RecordOf(placed.Id);
        Invariant.Check(!record.Lost, "a replica whose disk is lost does not start again");
        Replica = new Replica(
            placed.Id,
            world.Plan.Raft,
            world.Plan.Replica,
            this,
            client => _log = node.Storage.LogOf(group, placed.Id, record, client, Postpone),
            client => new CheckpointedMachine(
                this, inner => node.Storage.CheckpointsOf(group, placed.Id, _checks, inner), client),
            placed.Bootstrap,
            seed);
    }

    public Replica Replica { get; }

    /// <summary>Unique in the run.</summary>
    public int Number => _number;

    Instant IReplicaHost.Now => _node.LocalTime;

    ulong IStateMachine.StateHash => _store.StateHash;

    string? IStateMachine.Problem => null;

    public ulong StateHash => _store.StateHash;

    private string Name => $"{_node.Name}g{_group + 1}";

    public override string ToString() => ReplicaText.Of(Replica);

    public void Start()
    {
        Replica.Start();
        AfterInput();
    }

    /// <summary>The operator has taken the replica away; it is neither told nor heard any more.</summary>
    public void Close() => _closed = true;

    public void Receive(in RaftMessage message)
    {
        Replica.Receive(message);
        AfterInput();
    }

    public void Timer(ulong number)
    {
        if (number != _timerNumber)
        {
            return;
        }

        _timerAt = long.MaxValue;
        if (_node.LocalTime >= _deadline)
        {
            Replica.Tick();
            AfterInput();
        }
        else
        {
            ArmTimer();
        }
    }

    public void Hear(in NodeNews news)
    {
        if (news.Heard)
        {
            Replica.NodeCameBack(news.Node);
        }
        else
        {
            Replica.NodeFellSilent(news.Node);
        }

        AfterInput();
    }

    public void Take(Attempt attempt)
    {
        var request = new RequestId(++_lastRequest);
        _attempts.Add(request, attempt);
        Instant deadline = _node.LocalTime + new Duration(Math.Max(1, attempt.Deadline - _world.Now));
        if (attempt.IsWrite)
        {
            Replica.Write(request, attempt.Batch, attempt.WriteLevel, deadline);
        }
        else
        {
            Replica.Read(request, attempt.ReadLevel, attempt.Token, deadline);
        }

        AfterInput();
    }

    public void Take(OperatorRequest operation)
    {
        var request = new RequestId(++_lastRequest);
        _operations.Add(request, operation);
        if (operation.Membership is not null)
        {
            Instant deadline = _node.LocalTime + new Duration(operation.TimeMax);
            Replica.ChangeMembership(request, operation.Membership, deadline);
        }
        else
        {
            Replica.Transfer(request, operation.Heir);
        }

        AfterInput();
    }

    public void ApplyNext()
    {
        Replica.ApplyNext();
        AfterInput();
    }

    public void ServeRead(RequestId request)
    {
        Serve(request);
        AfterInput();
    }

    /// <summary>The word of a durable write arrives.</summary>
    public void Notice(ulong sequence)
    {
        _log!.Tell(sequence);
        AfterInput();
    }

    /// <summary>To be called after the replica took an input by another way (the disk).</summary>
    public void AfterInput()
    {
        do
        {
            if (_closed || Replica.Group is not { } group)
            {
                return;
            }

            if (!_announced)
            {
                _announced = true;
                _node.Announce();
            }

            _counting.AfterInput(group);

            foreach (RequestId request in _readsWaiting)
            {
                Serve(request);
            }

            _readsWaiting.Clear();
            if (!_applyWaits)
            {
                break;
            }

            _applyWaits = false;
            Replica.ApplyNext();
        }
        while (true);

        if (Replica.AppliedAt.Index != _checkedAt)
        {
            _checkedAt = Replica.AppliedAt.Index;
            _checks.Committed.CheckState(Replica.Id, Replica.AppliedAt, _store.StateHash);
        }

        BoundChecks.Check(_world.Plan, Replica, _attempts.Count, _operations.Count);
    }

    /// <summary>Each request is answered in time, as long as the process ran all the while.</summary>
    public void CheckAnswers(long slack)
    {
        foreach ((_, Attempt attempt) in _attempts)
        {
            long due = Math.Max(attempt.Deadline, _node.RunningSince) + slack;
            if (due < _world.Now)
            {
                RunClaims.Break(
                    RunClaims.SingleAnswer, $"{attempt} has no answer from {Name}, "
                        + $"{(_world.Now - attempt.Deadline) / 1000} ms after its deadline");
            }
        }
    }

    void IReplicaHost.Send(in RaftMessage message)
    {
        if (!_closed)
        {
            _world.Network.Send(_world.Now, _node.Number, (int)message.To.Node - 1, _group, message);
        }
    }

    void IReplicaHost.Reply(in ReplicaReply reply)
    {
        if (_closed)
        {
            return;
        }

        if (_operations.Remove(reply.Request, out OperatorRequest? operation))
        {
            operation.Answered = true;
            operation.Outcome = reply.Outcome;
            if (_world.Trace.Verbose)
            {
                _world.Note(Name, $"operator's request: {reply.Outcome} {reply.Reason}");
            }
        }
        else if (_attempts.Remove(reply.Request, out Attempt? attempt))
        {
            attempt.Answer = new Answer(
                reply.Outcome, reply.Reason, reply.LeaderHint, reply.Token, reply.Result, _world.Now);
            _checks.Answered(attempt, Replica.Group);
            _world.AnswerClient(attempt);
        }
        else
        {
            RunClaims.Break(
                RunClaims.SingleAnswer, $"{Name} answered request {reply.Request} a second time, or was never asked");
        }
    }

    void IReplicaHost.SetDeadline(Instant deadline)
    {
        _deadline = deadline;
        ArmTimer();
    }

    void IReplicaHost.ApplyWaits()
    {
        long delay = _world.Yield(_world.Plan.Workload.ApplyDelayMax);
        if (delay == 0)
        {
            _applyWaits = true;
        }
        else
        {
            _world.Queue.Add(_world.Now + delay, Happening(EventKind.Apply, 0));
        }
    }

    void IReplicaHost.ReadWaits(RequestId request)
    {
        long delay = _world.Yield(_world.Plan.Workload.ReadDelayMax);
        if (delay == 0)
        {
            _readsWaiting.Add(request);
        }
        else
        {
            _world.Queue.Add(_world.Now + delay, Happening(EventKind.ServeRead, request.Value));
        }
    }

    void IReplicaHost.RoleChanged(in RoleChanged change)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note(Name, $"is {change.Role} in term {change.Term}, leader {change.Leader}");
        }

        if (change.Role == Role.Leader)
        {
            _world.Elections++;
            _checks.Elected(
                Replica.Id, change.Term, _node.Life, _counting.Memberships(Replica.Group!));
            _world.CheckLeases(_group, Replica.Id, change.Term);
            _world.Faults.Elected(_group, _node);
        }
    }

    void IReplicaHost.End(string sentence)
    {
        if (!_closed)
        {
            _node.Ending = sentence;
        }
    }

    ReadOnlyMemory<byte> IStateMachine.Apply(Entry entry, bool resultWanted)
    {
        _checks.Committed.Add(Replica.Id, entry, Replica.Group!.Term);
        if (_world.Trace.Verbose)
        {
            _world.Note(Name, $"applies {entry} {entry.Kind}");
        }

        return _store.Apply(entry, resultWanted);
    }

    byte[] IStateMachine.Snapshot() => _store.Snapshot();

    void IStateMachine.Load(ReadOnlyMemory<byte> state) => _store.Load(state);

    private void Serve(RequestId request)
    {
        if (Replica.TakeRead(request, out ReadToken seen))
        {
            ReadOnlyMemory<byte> result = _store.Query(_attempts[request].Batch);
            ((IReplicaHost)this).Reply(
                new ReplicaReply(request, Outcome.Done, default, ReplicaId.None, seen, result));
        }
    }

    private bool Postpone(ulong sequence)
    {
        long delay = Replica.IsRunning ? _world.Yield(_world.Plan.Disk.NoticeDelayMax) : 0;
        if (delay == 0)
        {
            return false;
        }

        _world.Queue.Add(_world.Now + delay, Happening(EventKind.Notice, sequence));
        return true;
    }

    private void ArmTimer()
    {
        if (_deadline == Instant.Never || _closed)
        {
            return;
        }

        long at = Math.Max(_world.Now + TimerGrain, _node.Clock.TrueTimeOf(_deadline, _world.Now));
        if (at >= _timerAt)
        {
            // The timer that is set comes earlier; it will be set anew when it fires.
            return;
        }

        _timerAt = at;
        _world.Queue.Add(at, Happening(EventKind.ReplicaTimer, ++_timerNumber));
    }

    /// <summary>Something that will happen to this replica, in this life of its node.</summary>
    private SimEvent Happening(EventKind kind, ulong number) => new()
    {
        Kind = kind, Target = _node.Number, Group = _group, Slot = _number, Life = _node.Life, Number = number,
    };
}
