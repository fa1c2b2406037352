using Quorate.Core.Model;
using Quorate.Core.Raft;
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
    private readonly Dictionary<RequestId, OperatorRequest> _operations = [];
    private readonly CommitCounting _counting;

    protected SimulatedReplica(Simulation world, SimulatedNode node, int group, PlacedReplica placed)
    {
        World = world;
        Node = node;
        Group = group;
        Checks = world.Checks[group];
        Record = Checks.RecordOf(placed.Id);
        if (node.Recorded is { } recorded)
        {
            Record.Promises ??= new ReplicaPromises(() => recorded.Moments);
        }

        Invariant.Check(!Record.Lost, "a replica whose disk is lost does not start again");
        _counting = new(Checks);
        Number = world.NextReplica();
        Id = placed.Id;
    }

    /// <summary>Known before the replica is.</summary>
    public ReplicaId Id { get; }

    public int Group { get; }

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


    protected GroupChecks Checks { get; }

    protected ReplicaRecord Record { get; }

    protected bool IsClosed { get; private set; }

    protected Dictionary<RequestId, Attempt> Attempts { get; } = [];

    /// <summary>The log, as the checks watch it.</summary>
    protected ObservedLog? Log { get; set; }

    protected string Name => $"{Node.Name}g{Group + 1}";

    public override string ToString() => ReplicaText.Of(Replica);

    /// <summary>The operator has taken the replica away; it is neither told nor heard any more.</summary>
    public void Close()
    {
        IsClosed = true;
        if (World.Plan.Values is not null && Attempts.Count + _operations.Count > 0)
        {
            RunClaims.Break(
                RunClaims.SingleAnswer,
                $"{Name} has gone and not answered {Attempts.Count} attempts and {_operations.Count} operations");
        }
    }

    public void Take(RequestId request, Attempt attempt)
    {
        Attempts.Add(request, attempt);
        Submit(request, attempt, Node.LocalTime + new Duration(Math.Max(1, attempt.Deadline - World.Now)));
        AfterInput();
    }

    public void Take(OperatorRequest operation)
    {
        RequestId request = Node.Process.NextRequest();
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

    protected abstract void Submit(RequestId request, Attempt attempt, Instant deadline);

    protected abstract void ChangeMembership(RequestId request, Membership target, Instant deadline);

    protected abstract void Transfer(RequestId request, ReplicaId heir);

    /// <summary>What follows from an input: checks, and what the process does before it takes another one.</summary>
    public abstract void AfterInput();

    /// <summary>Shows the checks where the group stands; false while it is not running.</summary>
    protected bool LookAtGroup()
    {
        if (IsClosed || Replica.Group is not { } group)
        {
            return false;
        }

        _counting.AfterInput(group);
        return true;
    }

    protected void CheckBounds() => BoundChecks.Check(World.Plan, Replica, Attempts.Count, _operations.Count);

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

    protected SimEvent Happening(EventKind kind, ulong number) => new()
    {
        Kind = kind, Target = Node.Number, Group = Group, Slot = Number, Life = Node.Life, Number = number,
    };
}
