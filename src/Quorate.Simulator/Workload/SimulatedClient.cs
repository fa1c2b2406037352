using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Workload;

/// <summary>
/// A client: asks one thing at a time, thinks, and asks again. It follows leader hints and asks again only when it
/// was refused; what is unknown to it stays unknown. After the faults it works off what it is told to write.
/// </summary>
internal sealed class SimulatedClient
{
    /// <summary>How long after the deadline a client still waits for the answer, in microseconds.</summary>
    private const long Patience = 500_000;

    /// <summary>
    /// After the faults clients give a slow group time, so that what they ask again does not pile up; in microseconds.
    /// </summary>
    private const long FinalDeadline = 10_000_000;

    /// <summary>A refused client waits a draw from [1 ms, this] before it asks again, in microseconds.</summary>
    private const long BackOffMax = 30_000;

    /// <summary>Sessions are numbered so that those of two clients never meet.</summary>
    private const long SessionStep = 1_000_000;

    private readonly Simulation _world;
    private readonly int _number;
    private readonly SeededRandom _random;
    private readonly ReadToken[] _tokens;
    private readonly long[] _sessions;
    private readonly int[] _leaders;
    private readonly long[,] _lastSeen;
    private readonly Queue<FinalTask> _tasks = new();
    private Attempt? _attempt;
    private Attempt? _refused;
    private int _attempts;
    private readonly bool _onlyReads;
    private readonly bool _wanders;

    public SimulatedClient(Simulation world, int number)
    {
        _world = world;
        _number = number;
        _random = world.Streams.Open(StreamName.Clients, (ulong)number);
        _onlyReads = _random.Next(100) < Plan.ReaderPercent;
        _wanders = _random.Next(100) < Plan.WandererPercent && !_onlyReads;
        int groups = world.Plan.Groups.Length;
        _tokens = new ReadToken[groups];
        _sessions = new long[groups];
        Array.Fill(_sessions, number);
        _leaders = new int[groups];
        _lastSeen = new long[groups, world.Plan.Workload.KeysPerGroup];
        for (int group = 0; group < groups; group++)
        {
            _leaders[group] = (int)_random.Next(world.Plan.Nodes);
        }
    }

    /// <summary>While true the client goes on by itself.</summary>
    public bool Works { get; set; } = true;

    /// <summary>True when nothing is under way and nothing left to do.</summary>
    public bool IsIdle => _attempt is null && _tasks.Count == 0;

    /// <summary>What the client was told to do and has not done.</summary>
    public int TasksLeft => _tasks.Count;

    private WorkloadPlan Plan => _world.Plan.Workload;

    private long ThinkTime => _wanders ? Plan.ThinkTime * Plan.WandererSlowness : Plan.ThinkTime;

    public void Begin() => StepAfter(_random.Next(2 * ThinkTime));

    /// <summary>Write a key, or read it, until that is done.</summary>
    public void Do(FinalTask task)
    {
        _tasks.Enqueue(task);
        if (_tasks.Count == 1 && _attempt is null)
        {
            StepAfter(1 + _random.Next(1000));
        }
    }

    /// <summary>Begins the next operation, unless one is under way.</summary>
    public void Step()
    {
        if (_attempt is not null)
        {
            return;
        }

        if (_tasks.TryPeek(out FinalTask task))
        {
            Ask(task);
        }
        else if (_refused is { } refused)
        {
            _refused = null;
            AskAgain(refused);
        }
        else if (Works && _world.TakeTurn())
        {
            _attempts = 0;
            AskSomething();
        }
    }

    public void Replied(Attempt attempt)
    {
        if (attempt != _attempt)
        {
            return;
        }

        attempt.Returned = _world.Now;
        _attempt = null;
        Answer answer = attempt.Answer!;
        if (answer.Outcome == Outcome.Done)
        {
            Learn(attempt, answer);
        }
        else if (answer.Reason is DropReason.SessionLost or DropReason.SessionTooOld)
        {
            _tokens[attempt.Group] = default;
            _sessions[attempt.Group] += answer.Reason == DropReason.SessionTooOld ? SessionStep : 0;
        }

        if (answer.Outcome == Outcome.Refused)
        {
            _leaders[attempt.Group] = answer.Hint.IsNone
                ? (int)_random.Next(_world.Plan.Nodes)
                : (int)answer.Hint.Node - 1;
        }

        Next(attempt, answer.Outcome);
    }

    public void TimedOut(Attempt attempt)
    {
        if (attempt == _attempt)
        {
            _attempt = null;
            _leaders[attempt.Group] = (int)_random.Next(_world.Plan.Nodes);
            Next(attempt, Outcome.Unknown);
        }
    }

    private void Next(Attempt attempt, Outcome outcome)
    {
        if (_tasks.Count > 0)
        {
            if (outcome == Outcome.Done && attempt.IsFinal)
            {
                _tasks.Dequeue();
            }

            StepAfter(outcome == Outcome.Done ? 1 : 1000 + _random.Next(BackOffMax));
        }
        else if (outcome == Outcome.Refused && ++_attempts < Plan.AttemptsMax && Works
            && MayHelp(attempt.Answer!.Reason))
        {
            // What was refused surely had no effect, so asking again is safe; it is an attempt of its own.
            _refused = attempt;
            StepAfter(1000 + _random.Next(BackOffMax));
        }
        else
        {
            StepAfter(_random.Next((2 * ThinkTime) + 1));
        }
    }

    private static bool MayHelp(DropReason reason) => reason is not (DropReason.LevelImpossible or DropReason.TooLarge);

    private void StepAfter(long delay) => _world.Queue.Add(
        _world.Now + delay, new SimEvent { Kind = EventKind.ClientStep, Target = _number });

    private void Ask(in FinalTask task)
    {
        Command command = task.IsWrite
            ? WriteOf(task.Key, _world.NextAttempt, 0)
            : new Command(OperationKind.Read, task.Key, 0);
        int node = LikelyLeader(task.Group);
        Send(task.Group, [command], task.IsWrite, WriteLevel.Majority, ReadLevel.Linearizable, node, isFinal: true);
    }

    private void AskSomething()
    {
        int group = (int)_random.Next(_world.Plan.Groups.Length);
        bool isQuiet = Plan.QuietTime > 0 && _world.Now / Plan.QuietTime % 2 == 1;
        bool isWrite = !_onlyReads && !isQuiet && _random.Next(100) < Plan.WritePercent;
        int count = _random.Next(100) < Plan.BatchPercent ? (int)_random.Between(2, Math.Max(2, Plan.KeysPerGroup)) : 1;
        count = Math.Min(count, Plan.KeysPerGroup);
        WriteLevel writeLevel = DrawWriteLevel();
        ReadLevel readLevel = (ReadLevel)Draw(Plan.ReadLevels);
        int first = (int)_random.Next(Plan.KeysPerGroup);
        var commands = new Command[count];
        for (int i = 0; i < count; i++)
        {
            int key = (first + i) % Plan.KeysPerGroup;
            commands[i] = !isWrite ? new Command(OperationKind.Read, key, 0)
                : writeLevel.Kind == WriteLevelKind.Leader ? WriteOf(key, _world.NextAttempt, i)
                : DrawWrite(group, key, i);
        }

        bool anyNode = !isWrite && (readLevel != ReadLevel.Linearizable || _random.Next(3) == 0);
        int node = anyNode || _wanders || _random.Next(10) == 0
            ? (int)_random.Next(_world.Plan.Nodes)
            : LikelyLeader(group);
        Send(group, commands, isWrite, writeLevel, readLevel, node, isFinal: false);
    }

    private void AskAgain(Attempt refused)
    {
        bool isSessionRead = !refused.IsWrite && refused.ReadLevel != ReadLevel.Linearizable;
        int node = isSessionRead || _wanders ? (int)_random.Next(_world.Plan.Nodes) : LikelyLeader(refused.Group);
        Send(
            refused.Group,
            refused.Commands,
            refused.IsWrite,
            refused.WriteLevel,
            refused.ReadLevel,
            node,
            isFinal: false);
    }

    private int LikelyLeader(int group) => _leaders[group];

    private WriteLevel DrawWriteLevel() => Draw(Plan.WriteLevels) switch
    {
        0 => WriteLevel.Leader,
        1 => WriteLevel.Majority,
        2 => WriteLevel.Count(2),
        3 => WriteLevel.Count(3),
        _ => WriteLevel.All,
    };

    private int Draw(int[] weights)
    {
        long left = _random.Next(weights.Sum());
        int choice = 0;
        while (left >= weights[choice])
        {
            left -= weights[choice++];
        }

        return choice;
    }

    /// <summary>Every fourth key is a counter, so that the checker need not follow additions everywhere.</summary>
    private static bool IsCounter(int key) => key % 4 == 3;

    /// <summary>Every written value is unlike every other one.</summary>
    private static Command WriteOf(int key, ulong attempt, int number) => IsCounter(key)
        ? new Command(OperationKind.Add, key, (long)(attempt * 16) + number + 1)
        : new Command(OperationKind.Write, key, (long)(attempt * 16) + number + 1);

    private Command DrawWrite(int group, int key, int number)
    {
        Command write = WriteOf(key, _world.NextAttempt, number);
        long kind = _random.Next(100);
        if (IsCounter(key))
        {
            return write;
        }

        return kind switch
        {
            < 5 => write with { Argument = 0 },
            < 35 => write with { Kind = OperationKind.CompareAndSet, Expected = _lastSeen[group, key] },
            _ => write,
        };
    }

    private void Send(
        int group, Command[] commands, bool isWrite, WriteLevel writeLevel, ReadLevel readLevel, int node, bool isFinal)
    {
        ulong id = _world.NextAttempt;
        var attempt = new Attempt
        {
            Id = id,
            Client = _number,
            Group = group,
            Session = _sessions[group],
            IsWrite = isWrite,
            Commands = commands,
            Batch = CommandBatch.Encode(id, commands, isWrite ? Plan.PaddingBytes : 0),
            WriteLevel = writeLevel,
            ReadLevel = readLevel,
            Token = _tokens[group],
            Invoked = _world.Now,
            Deadline = _world.Now + (isFinal ? Math.Max(Plan.Deadline, FinalDeadline) : Plan.Deadline),
            Node = node,
            IsFinal = isFinal,
        };
        _world.Attempts.Add(attempt);
        _attempt = attempt;
        _world.Queue.Add(
            attempt.Deadline + Patience, new SimEvent
            {
                Kind = EventKind.ClientTimeout, Target = _number, Number = id
            });
        if (_world.Network.ClientTime() is { } time)
        {
            _world.Queue.Add(
                _world.Now + time, new SimEvent { Kind = EventKind.ClientRequest, Target = node, Number = id });
        }
    }

    private void Learn(Attempt attempt, Answer answer)
    {
        ReadToken held = _tokens[attempt.Group];
        if ((answer.Token.Term, answer.Token.Index).CompareTo((held.Term, held.Index)) > 0)
        {
            _tokens[attempt.Group] = answer.Token;
        }

        for (int i = 0; i < attempt.Commands.Length && !answer.Result.IsEmpty; i++)
        {
            Command command = attempt.Commands[i];
            CommandResult result = CommandBatch.ResultAt(answer.Result.Span, i);
            _lastSeen[attempt.Group, command.Key] = command.Kind switch
            {
                OperationKind.Read => result.Result,
                OperationKind.CompareAndSet when result.Result == 0 => _lastSeen[attempt.Group, command.Key],
                _ => command.Argument,
            };
        }
    }
}

/// <summary>After the faults: a key to be written, or to be read linearizably.</summary>
internal readonly record struct FinalTask(int Group, int Key, bool IsWrite);
