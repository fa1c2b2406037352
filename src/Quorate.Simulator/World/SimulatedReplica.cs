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
internal abstract class SimulatedReplica
{
    /// <summary>A timer that is due already fires after this, in microseconds: no timer is finer.</summary>
    private const long TimerGrain = 50;

    private readonly Dictionary<RequestId, OperatorRequest> _operations = [];
    private readonly CommitCounting _counting;
    private ulong _lastRequest;
    private Instant _deadline = Instant.Never;
    private long _timerAt = long.MaxValue;
    private ulong _timerNumber;
    private bool _announced;

    protected SimulatedReplica(Simulation world, SimulatedNode node, int group, PlacedReplica placed)
    {
        World = world;
        Node = node;
        Group = group;
        Checks = world.Checks[group];
        Record = Checks.RecordOf(placed.Id);
        Invariant.Check(!Record.Lost, "a replica whose disk is lost does not start again");
        _counting = new(Checks);
        Number = world.NextReplica();
    }

    public abstract Replica Replica { get; }

    /// <summary>Null when it can not be told without reading the disk; asking has it read.</summary>
    public abstract ulong? StateHash { get; }

    /// <summary>
    /// Unique in the run. Events name it, so that those of a replica that was taken away do not happen to the next one
    /// here.
    /// </summary>
    public int Number { get; }

    protected Simulation World { get; }

    protected SimulatedNode Node { get; }

    protected int Group { get; }

    protected GroupChecks Checks { get; }

    protected ReplicaRecord Record { get; }

    protected bool IsClosed { get; private set; }

    protected Dictionary<RequestId, Attempt> Attempts { get; } = [];

    /// <summary>The log, as the checks watch it.</summary>
    protected ObservedLog? Log { get; set; }

    protected string Name => $"{Node.Name}g{Group + 1}";

    public override string ToString() => ReplicaText.Of(Replica);

    public void Start()
    {
        Open();
        AfterInput();
    }

    /// <summary>The operator has taken the replica away; it is neither told nor heard any more.</summary>
    public virtual void Close() => IsClosed = true;

    /// <summary>The log needs space that a checkpoint would let go.</summary>
    public virtual void WantCheckpoint() => Replica.WantCheckpoint();

    /// <summary>The process is gone: what it held in memory is given back.</summary>
    public virtual void Ended()
    {
    }

    public abstract void Receive(in RaftMessage message);

    public abstract void Hear(in NodeNews news);

    /// <summary>Does what waits in the process.</summary>
    public abstract void ApplyNext();

    public abstract void ServeRead(RequestId request);

    /// <summary>Goes on with what is done in the background.</summary>
    public virtual void Work()
    {
    }

    public void Timer(ulong number)
    {
        if (number != _timerNumber)
        {
            return;
        }

        _timerAt = long.MaxValue;
        if (Node.LocalTime >= _deadline)
        {
            Tick();
            AfterInput();
        }
        else
        {
            ArmTimer();
        }
    }

    public void Take(Attempt attempt)
    {
        var request = new RequestId(++_lastRequest);
        Attempts.Add(request, attempt);
        Submit(request, attempt, Node.LocalTime + new Duration(Math.Max(1, attempt.Deadline - World.Now)));
        AfterInput();
    }

    public void Take(OperatorRequest operation)
    {
        var request = new RequestId(++_lastRequest);
        _operations.Add(request, operation);
        if (operation.Membership is not null)
        {
            ChangeMembership(request, operation.Membership, Node.LocalTime + new Duration(operation.TimeMax));
        }
        else
        {
            Transfer(request, operation.Heir);
        }

        AfterInput();
    }

    /// <summary>The word of a durable write arrives.</summary>
    public void Notice(ulong sequence)
    {
        Log!.Tell(sequence);
        AfterInput();
    }

    /// <summary>To be called after the replica took an input by another way (the disk).</summary>
    public void AfterInput()
    {
        do
        {
            if (IsClosed || Replica.Group is not { } group)
            {
                return;
            }

            if (!_announced)
            {
                _announced = true;
                Node.Announce();
            }

            _counting.AfterInput(group);
        }
        while (DoWhatWaits());

        CheckState();
        BoundChecks.Check(World.Plan, Replica, Attempts.Count, _operations.Count);
    }

    /// <summary>Each request is answered in time, as long as the process ran all the while.</summary>
    public void CheckAnswers(long slack)
    {
        foreach ((_, Attempt attempt) in Attempts)
        {
            long due = Math.Max(attempt.Deadline, Node.RunningSince) + slack;
            if (due < World.Now)
            {
                RunClaims.Break(
                    RunClaims.SingleAnswer, $"{attempt} has no answer from {Name}, "
                        + $"{(World.Now - attempt.Deadline) / 1000} ms after its deadline");
            }
        }
    }

    protected abstract void Open();

    protected abstract void Tick();

    protected abstract void Submit(RequestId request, Attempt attempt, Instant deadline);

    protected abstract void ChangeMembership(RequestId request, Membership target, Instant deadline);

    protected abstract void Transfer(RequestId request, ReplicaId heir);

    /// <summary>What the process does before it takes another input; false when there was nothing.</summary>
    protected abstract bool DoWhatWaits();

    /// <summary>Holds what was applied against what others did.</summary>
    protected abstract void CheckState();

    protected void SendMessage(in RaftMessage message)
    {
        if (!IsClosed)
        {
            World.Network.Send(World.Now, Node.Number, (int)message.To.Node - 1, Group, message);
        }
    }

    /// <summary>An answer to the operator or a client; null when it goes to the operator or to nobody.</summary>
    protected Attempt? Answer(RequestId request, Answer answer)
    {
        if (IsClosed)
        {
            return null;
        }

        if (_operations.Remove(request, out OperatorRequest? operation))
        {
            operation.Answered = true;
            operation.Outcome = answer.Outcome;
            if (World.Trace.Verbose)
            {
                World.Note(Name, $"operator's request: {answer.Outcome} {answer.Reason}");
            }

            return null;
        }

        if (!Attempts.Remove(request, out Attempt? attempt))
        {
            RunClaims.Break(
                RunClaims.SingleAnswer, $"{Name} answered request {request} a second time, or was never asked");
        }

        attempt.Answer = answer;
        Checks.Answered(attempt, Replica.Group);
        World.AnswerClient(attempt);
        return attempt;
    }

    protected void KeepDeadline(Instant deadline)
    {
        _deadline = deadline;
        ArmTimer();
    }

    protected void NoteRole(in RoleChanged change)
    {
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"is {change.Role} in term {change.Term}, leader {change.Leader}");
        }

        if (change.Role == Role.Leader)
        {
            World.Elections++;
            Checks.Elected(Replica.Id, change.Term, Node.Life, _counting.Memberships(Replica.Group!));
            World.CheckLeases(Group, Replica.Id, change.Term);
            World.Faults.Elected(Group, Node);
        }
    }

    protected void EndProcess(string sentence)
    {
        if (!IsClosed)
        {
            Node.Ending = sentence;
        }
    }

    protected bool Postpone(ulong sequence)
    {
        long delay = Replica.IsRunning ? World.Yield(World.Plan.Disk.NoticeDelayMax) : 0;
        if (delay == 0)
        {
            return false;
        }

        HappensAfter(delay, EventKind.Notice, sequence);
        return true;
    }

    /// <summary>Something will happen to this replica, in this life of its node.</summary>
    protected void HappensAfter(long delay, EventKind kind, ulong number) => World.Queue.Add(
        World.Now + delay, Happening(kind, number));

    private void ArmTimer()
    {
        if (_deadline == Instant.Never || IsClosed)
        {
            return;
        }

        long at = Math.Max(World.Now + TimerGrain, Node.Clock.TrueTimeOf(_deadline, World.Now));
        if (at >= _timerAt)
        {
            // The timer that is set comes earlier; it will be set anew when it fires.
            return;
        }

        _timerAt = at;
        World.Queue.Add(at, Happening(EventKind.ReplicaTimer, ++_timerNumber));
    }

    private SimEvent Happening(EventKind kind, ulong number) => new()
    {
        Kind = kind, Target = Node.Number, Group = Group, Slot = Number, Life = Node.Life, Number = number,
    };
}
