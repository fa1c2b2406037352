using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// A client that asks any node for one thing after the other. When it numbers its requests it asks elsewhere until
/// someone says how one ended; else what it is not told stays unknown.
/// </summary>
internal sealed class ClusterClient
{
    /// <summary>After a request's deadline, before a client no longer waits for the answer, in microseconds.</summary>
    private const long PatienceAfter = 500_000;

    private const int SessionTimeShift = 29;
    private const int SessionClientShift = 12;

    private static readonly string[] Names = ["default", "default", "a", "b", "c"];

    private readonly ClusterWorld _world;
    private readonly SeededRandom _random;
    private readonly ClusterWork _work;
    private readonly bool _isNumbering;

    /// <summary>What it has seen of each partition, and of each counter.</summary>
    private readonly SortedDictionary<GroupId, ReadToken> _tokens = [];
    private readonly SortedDictionary<long, long> _floors = [];
    private ulong _session;
    private ulong _number;
    private uint _sessions;
    private ClusterOperation? _now;
    private int _attempt;

    public ClusterClient(ClusterWorld world, int number)
    {
        _world = world;
        _work = world.Plan.Work;
        Number = number;
        _random = world.Streams.Open(StreamName.Clients, (ulong)number);
        _isNumbering = _random.Next(100) < _work.SessionPercent;
    }

    public int Number { get; }

    /// <summary>It waits for an answer.</summary>
    public bool IsBusy => _now is not null;

    /// <summary>It begins nothing more of its own accord.</summary>
    public bool HasStopped { get; set; }

    public void Begin() => _world.Later(1 + _random.Next(2 * _work.ThinkTime), EventKind.ClientStep, Step, Number);

    /// <summary>Asks one thing of a machine; <paramref name="ended"/> hears how it ended.</summary>
    public void Do(ClusterOperation operation, ClusterMachine at, Action<ClusterOperation> ended)
    {
        _world.History.Add(operation);
        Ask(operation, at, new Attempt(++_attempt), ended);
    }

    public ClusterOperation Read(string keyspace, int key) => New(keyspace, key, OperationKind.Read, 0);

    /// <summary>Adds one to a counter.</summary>
    public ClusterOperation Increase(string keyspace, int key) => New(keyspace, key, OperationKind.Add, 1);

    private void Step()
    {
        if (HasStopped || _world.History.Next >= _world.Plan.OperationsMax)
        {
            return;
        }

        _now = Draw();
        Do(_now, _world.Machines[_random.Next(_world.Machines.Length)], _ =>
        {
            _now = null;
            Begin();
        });
    }

    private ClusterOperation Draw()
    {
        string keyspace = _work.AdminTime == 0 ? "default" : Names[_random.Next(Names.Length)];
        int key = (int)_random.Next(2 * _work.Keys);
        bool isCounter = key >= _work.Keys;
        long draw = _random.Next(100);
        if (draw < 50)
        {
            long value = isCounter ? 1 + _random.Next(9) : _random.Next(8) == 0 ? 0 : _world.History.Next + 1;
            return New(keyspace, key, isCounter ? OperationKind.Add : OperationKind.Write, value);
        }

        ReadLevel level = draw < 80 ? ReadLevel.Linearizable : draw < 92 ? ReadLevel.Session : ReadLevel.Eventual;
        return New(keyspace, key, OperationKind.Read, 0, level);
    }

    private ClusterOperation New(string keyspace, int key, OperationKind kind, long value, ReadLevel level = default)
    {
        bool isNumbered = _isNumbering && kind != OperationKind.Read;
        if (isNumbered && _session == 0)
        {
            // Ids rise with the time of their making, as the server gives them out.
            ulong unit = (ulong)(1_700_000_000_000 + (_world.Now / 1000)) >> 7;
            _session = (unit << SessionTimeShift) | ((ulong)Number << SessionClientShift) | ++_sessions;
            _number = 0;
        }

        return new()
        {
            Id = _world.History.Next,
            Client = Number,
            Keyspace = keyspace,
            Key = key,
            Kind = kind,
            Argument = value,
            Level = level,
            Session = isNumbered ? new SessionRequest(_session, ++_number, _number - 1) : null,
            Invoked = _world.Now,
        };
    }

    private void Ask(ClusterOperation operation, ClusterMachine at, Attempt attempt, Action<ClusterOperation> ended)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note($"c{Number + 1}", $"asks {at.Name}: {operation}");
        }

        attempt.Told = (outcome, result) =>
        {
            if (!attempt.IsOver)
            {
                attempt.IsOver = true;
                Came(operation, outcome, result, ended);
            }
        };
        _world.Later(_work.Deadline + PatienceAfter, EventKind.ClientTimeout, () =>
            attempt.Told(Outcome.Unknown, null), Number, attempt.Number);
        if (IsLost())
        {
            return;
        }

        ulong number = attempt.Number;
        _world.Later(Way(), EventKind.ClientRequest, () => Arrive(operation, at, attempt), Number, number);
    }

    /// <summary>The request is at the machine's door.</summary>
    private void Arrive(ClusterOperation operation, ClusterMachine at, Attempt attempt)
    {
        if (at.State == World.NodeState.Down)
        {
            Answer(attempt, Outcome.Refused, null);
            return;
        }

        at.Later(0, EventKind.ClientRequest, attempt.Number, () => Take(operation, at, attempt));
        uint life = at.Life;

        // A connection that ends with its process is noticed soon.
        void Look()
        {
            if (attempt.IsOver)
            {
                return;
            }

            if (at.Life != life && !attempt.IsAnswered)
            {
                Answer(attempt, Outcome.Unknown, null);
                return;
            }

            _world.Later(100_000, EventKind.ClientStep, Look, Number, attempt.Number);
        }

        _world.Later(100_000, EventKind.ClientStep, Look, Number, attempt.Number);
    }

    /// <summary>The process takes the request, as its edges would.</summary>
    private void Take(ClusterOperation operation, ClusterMachine at, Attempt attempt)
    {
        if (at.Node is not { } node || !node.View.TryFind(operation.Keyspace, out KeyspaceView? keyspace)
            || (operation.KeyspaceId is { } known && known != keyspace.Record.Id))
        {
            // No such keyspace here, or another one of that name: it is not asked.
            Answer(attempt, Outcome.Refused, null);
            return;
        }

        operation.KeyspaceId = keyspace.Record.Id;
        operation.Attempts++;
        var call = new ClusterCall(_world, at, operation, result =>
        {
            CheckReason(operation, at, result);
            Answer(attempt, result.Outcome, result);
        });
        var group = new GroupId(keyspace.PartitionOf(call.Slot).Group);
        call.Token = _tokens.GetValueOrDefault(group);
        call.Deadline = at.Now + new Duration(_work.Deadline);
        attempt.Call = call;
        attempt.Floor = _floors.GetValueOrDefault(operation.GlobalKey);
        _world.History.Asked(call);
        node.Submit(call);
    }

    /// <summary>Nobody is told to try again what can not be done.</summary>
    private static void CheckReason(ClusterOperation operation, ClusterMachine at, in CallResult result)
    {
        if (result is { Outcome: Outcome.Refused, Reason: DropReason.NotLeader }
            && at.Node is { } node && !node.View.TryFind(operation.KeyspaceId!.Value, out _))
        {
            // A process that is about to end says so of all that is open.
            at.Later(0, EventKind.Schedule, (ulong)operation.Id, () => RunClaims.Break(
                RunClaims.WrongResult,
                $"{at.Name} says of {operation} that it finds no leader, and knows that the keyspace is dropped"));
        }
    }

    private void Answer(Attempt attempt, Outcome outcome, CallResult? result)
    {
        attempt.IsAnswered = true;
        if (!IsLost())
        {
            (Attempt Of, CallResult Result)? told = result is null ? null : (attempt, result.Value);
            _world.Later(
                Way(), EventKind.ClientReply, () => attempt.Told!(outcome, told), Number, attempt.Number);
        }
    }

    /// <summary>An attempt is over: done, or asked elsewhere, or given up.</summary>
    private void Came(
        ClusterOperation operation, Outcome outcome, (Attempt Of, CallResult Result)? told,
        Action<ClusterOperation> ended)
    {
        if (outcome == Outcome.Done)
        {
            Done(operation, told!.Value.Of, told.Value.Result);
            End(operation, Outcome.Done, ended);
            return;
        }

        Refused(told);
        operation.MayHaveRun |= outcome == Outcome.Unknown && operation.IsWrite;
        bool mayRepeat = !operation.MayHaveRun || operation.Session is not null;
        if (mayRepeat && ++operation.Tries < _work.AttemptsMax && !HasStopped)
        {
            ClusterMachine next = _world.Machines[_random.Next(_world.Machines.Length)];
            Ask(operation, next, new Attempt(++_attempt), ended);
            return;
        }

        End(operation, operation.MayHaveRun ? Outcome.Unknown : Outcome.Refused, ended);
    }

    private void Refused((Attempt Of, CallResult Result)? told)
    {
        if (told is not { } answer)
        {
            return;
        }

        if (answer.Result.Reason == DropReason.SessionLost)
        {
            RunClaims.Break(
                Claims.FalseSessionLost,
                $"{answer.Of.Call!.Operation} is told that its session is lost, and every write waits for a majority");
        }

        if (answer.Result.Reason is DropReason.SessionTooOld)
        {
            // It begins anew: what it has seen binds nobody any more.
            _tokens.Remove(answer.Result.Group);
            _floors.Clear();
        }
    }

    private void Done(ClusterOperation operation, Attempt attempt, in CallResult result)
    {
        long value = attempt.Call!.ValueOf(result.Reply.Span);
        operation.Result = operation.Kind == OperationKind.Write ? 0 : value;
        ReadToken seen = _tokens.GetValueOrDefault(result.Group);
        if (result.Token.Index > seen.Index)
        {
            _tokens[result.Group] = result.Token;
        }

        bool isCounter = operation.Key >= _work.Keys;
        if (operation.Kind == OperationKind.Read && operation.Level != ReadLevel.Linearizable)
        {
            _world.History.CheckFreeRead(operation, value, isCounter);
            _world.Judgements.Note(
                attempt.Call.Machine.IsReadReplica ? ClusterJudgements.ReplicaReads : ClusterJudgements.FreeReads);
        }

        if (operation.MayHaveRun)
        {
            _world.Judgements.Note(ClusterJudgements.Retries);
        }

        if (!isCounter)
        {
            return;
        }

        if (attempt.Floor > 0 && operation is { Kind: OperationKind.Read, Level: ReadLevel.Session })
        {
            _world.Judgements.Note(ClusterJudgements.SessionReads);
        }

        if (operation is { Kind: OperationKind.Read, Level: ReadLevel.Session } && value < attempt.Floor)
        {
            RunClaims.Break(
                Claims.MonotonicReads,
                $"{operation} returns {value} at {attempt.Call.Machine.Name}; this client has seen {attempt.Floor}");
        }

        if (operation.Level != ReadLevel.Eventual)
        {
            _floors[operation.GlobalKey] = Math.Max(_floors.GetValueOrDefault(operation.GlobalKey), value);
        }
    }

    private void End(ClusterOperation operation, Outcome outcome, Action<ClusterOperation> ended)
    {
        operation.Outcome = outcome;
        operation.Returned = _world.Now;
        if (outcome == Outcome.Unknown)
        {
            // What it may still come to is nobody's any more.
            _session = 0;
        }

        if (_world.Trace.Verbose)
        {
            _world.Note($"c{Number + 1}", $"{operation}: {outcome} {operation.Result}");
        }

        ended(operation);
    }

    private bool IsLost() => _world.Lines.Faulty && _random.Chance(_work.LossPpm);

    private long Way() => 1 + _world.Plan.Network.ClientLatency + _random.Next(_world.Plan.Network.ClientLatency + 1);

    private sealed class Attempt(int number)
    {
        public ulong Number => (ulong)number;

        public bool IsOver { get; set; }

        /// <summary>An answer has left the process.</summary>
        public bool IsAnswered { get; set; }

        public Action<Outcome, (Attempt Of, CallResult Result)?>? Told { get; set; }

        public ClusterCall? Call { get; set; }

        /// <summary>The counter was at least at this when it was asked.</summary>
        public long Floor { get; set; }
    }
}
