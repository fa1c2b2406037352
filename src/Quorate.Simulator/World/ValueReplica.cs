using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Node.Replicas;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;
using Quorate.Storage.Log;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>Watches one partition of a whole node: what is asked of it, what it applies, and what it answers.</summary>
internal sealed class ValueReplica(
    Simulation world, SimulatedNode node, int group, PlacedReplica placed, ValueProcess process)
    : SimulatedReplica(world, node, group, placed)
{
    private Partition? _partition;
    private ObservedStore? _rows;

    public Partition Partition => _partition ??= process.Runtime.Find(Partitioned)!;

    public override Replica Replica => Partition.Replica;

    public override ulong? StateHash => _rows!.HashNow();

    /// <summary>The entry that is applied just now.</summary>
    public Entry? Applying { get; private set; }

    /// <summary>All files of the rows are gone, as was asked.</summary>
    public bool IsDestroyed => _rows!.IsDestroyed;

    /// <summary>Rows are kept in memory for the checks.</summary>
    public bool Holds => _rows!.Holds;

    /// <summary>Requests that wait for rows.</summary>
    private int Cold => _partition?.Waiting.Cold ?? 0;

    private GroupId Partitioned => NodeFiles.GroupOf(Group);

    private ValueReplay Model => (ValueReplay)Checks.Model;

    public IGroupLog WatchLog(IGroupLogClient client, Func<IGroupLogClient, IGroupLog> log) =>
        Log = new ObservedLog(Record, client, log, Postpone);

    public IPartitionStore WatchRows(
        IPartitionStoreClient client, Func<IPartitionStoreClient, IPartitionStore> rows) =>
        _rows = new ObservedStore(this, Checks, client, rows);

    /// <summary>The replica is not to be found any more.</summary>
    public bool IsGone => HasEnded || IsClosed;

    /// <summary>The process is gone.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The process is gone: what it held in memory is given back.</summary>
    public void Ended()
    {
        NoteColdEnd();
        HasEnded = true;
        _rows?.Close();
    }

    /// <summary>It goes, perhaps while requests wait for rows.</summary>
    public void NoteColdEnd()
    {
        if (!IsGone && Cold > 0)
        {
            World.Judgements.Note(Judgements.ColdEnds);
        }
    }

    public void Replied(in PartitionReply reply)
    {
        var answer = new Answer(
            reply.Outcome, reply.Reason, reply.LeaderHint, reply.Token, reply.Reply, World.Now);
        if (Cold > 0 && reply.Outcome == Outcome.Done)
        {
            World.Judgements.Note(Judgements.ColdOvertaken);
        }

        if (Answer(reply.Request, answer) is { IsWrite: false, Answer.Outcome: Outcome.Done } read)
        {
            Model.CheckRead(read);
        }
    }

    /// <summary>A connection's own thread has served a read.</summary>
    public void ServedFast(Attempt attempt, ReadToken seen, byte[] reply)
    {
        World.Judgements.Note(Judgements.FastReads);
        attempt.Answer = new Answer(Outcome.Done, default, ReplicaId.None, seen, reply, World.Now);
        Checks.Answered(attempt, Replica.Group);
        World.AnswerClient(attempt);
        Model.CheckRead(attempt);
    }

    public void Proposed(RequestId request, ReadToken place, bool isExecuted, ReadOnlyMemory<byte> reply)
    {
        Attempt attempt = Attempts[request];
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"{(isExecuted ? "evaluates" : "recognises")} {attempt} at {place}");
        }

        Model.Evaluated(attempt, place, isExecuted, reply);
        if (!isExecuted)
        {
            World.Judgements.Note(Judgements.Repeats);
        }
    }

    /// <summary>The rows were hashed just now, so that most of them are in memory.</summary>
    public void CheckSessions(IRowSource rows)
    {
        World.Judgements.Note(Judgements.StateHashes);
        if (SessionWatch.Count(rows, World.Plan.Partition, Name) is { } sessions)
        {
            World.Judgements.Note(Judgements.SessionsCounted);
            if (sessions == World.Plan.Partition.SessionsMax)
            {
                World.Judgements.Note(Judgements.SessionsFull);
            }
        }
    }

    /// <summary>A received snapshot has taken the place of the rows.</summary>
    public void TookSnapshot() => World.Judgements.Note(Judgements.SnapshotsTaken);

    public void Evicts(ReadToken place, int changes)
    {
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"evicts with {changes} changes at {place}");
        }

        Model.Evictions.Proposed(place, changes);
    }

    public void RoleChanged(in RoleChanged change)
    {
        if (Cold > 0)
        {
            World.Judgements.Note(Judgements.ColdRoleChanges);
        }

        NoteRole(change);
    }

    /// <summary>The store is open: its files are walked from end to end, unless a bit was turned in them.</summary>
    public void CheckFiles()
    {
        if (!World.Operator.Rot.Doubts(Node.Number) && process.ProblemsOf(Group, Id) is [var first, ..])
        {
            RunClaims.Break(RunClaims.StrictFiles, $"{Name} has opened its rows, and {first}");
        }

        World.Judgements.Note(Judgements.StrictFiles);
    }

    /// <summary>An entry is about to be applied.</summary>
    public void Applies(Entry entry)
    {
        if (Record.Written.At(entry.Index.Value) is not { } written || written.Term != entry.Term)
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety, $"replica {Id} applies {entry}, which its log does not hold");
        }

        Applying = entry;
        Checks.Committed.Add(Id, entry, Replica.Group!.Term);
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"applies {entry} {entry.Kind}");
        }
    }

    /// <summary>Shows the checks where the group stands, after any input of the process.</summary>
    public void Look()
    {
        if (LookAtGroup())
        {
            CheckBounds();
            if (Partition.Waiting.Cold > 0)
            {
                World.Judgements.Note(Judgements.ColdWaits);
            }
        }
    }

    /// <summary>Holds what was applied against what others did, now and then.</summary>
    public void CheckRows()
    {
        if (!IsClosed && Replica.IsRunning)
        {
            _rows!.CheckNow();
        }
    }

    public override void AfterInput() => process.AfterInput();

    protected override void Submit(RequestId request, Attempt attempt, Instant deadline) =>
        process.Runtime.Submit(Partitioned, RequestOf(request, attempt, deadline));

    /// <summary>What a client's attempt asks of a node.</summary>
    public static PartitionRequest RequestOf(RequestId request, Attempt attempt, Instant deadline) => new()
    {
        Id = request,
        Lines = ValueRequest.CommandLines(attempt.Values!.Lines),
        IsBatch = attempt.Values.IsBatch,
        WriteLevel = attempt.WriteLevel,
        ReadLevel = attempt.ReadLevel,
        Token = attempt.Token,
        Deadline = deadline,
        Session = attempt.Numbered,
    };

    protected override void ChangeMembership(RequestId request, Membership target, Instant deadline) =>
        process.Runtime.ChangeMembership(Partitioned, request, target, deadline);

    protected override void Transfer(RequestId request, ReplicaId heir) =>
        process.Runtime.Transfer(Partitioned, request, heir);
}
