using System.Runtime.InteropServices;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
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
    private readonly Queue<FinalTask> _tasks = new();
    private Attempt? _attempt;
    private Attempt? _again;
    private int _attempts;
    private readonly bool _onlyReads;
    private readonly bool _wanders;
    private readonly RegisterAsking _registers;
    private readonly ValueAsking? _values;

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
        _registers = new(world.Plan.Workload, groups, _random);
        for (int group = 0; group < groups; group++)
        {
            _leaders[group] = (int)_random.Next(world.Plan.Nodes);
        }

        _values = world.Plan.Values is { } values ? new(values, number, groups, _random) : null;
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
        else if (_again is { } again)
        {
            _again = null;
            AskAgain(again);
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

        if (answer.Outcome == Outcome.Refused && answer.Reason == DropReason.SessionExpired)
        {
            _values!.LeaveSession(attempt.Group);
        }
        else if (answer.Outcome == Outcome.Refused)
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
        else if (Works && AsksAgain(attempt, outcome))
        {
            _again = attempt;
            StepAfter(1000 + _random.Next(BackOffMax));
        }
        else
        {
            StepAfter(_random.Next((2 * ThinkTime) + 1));
        }
    }

    /// <summary>
    /// What was refused surely had no effect, so asking again is safe; it is an attempt of its own. What has a number
    /// may be asked again whatever became of it.
    /// </summary>
    private bool AsksAgain(Attempt attempt, Outcome outcome) => outcome switch
    {
        Outcome.Refused => ++_attempts < Plan.AttemptsMax && MayHelp(attempt.Answer!.Reason),
        Outcome.Unknown => attempt.Numbered is not null && ++_attempts < Plan.AttemptsMax,
        _ => _values is not null && _values.RepeatsLate(attempt) && ++_attempts < Plan.AttemptsMax,
    };

    private static bool MayHelp(DropReason reason) => reason is not (DropReason.LevelImpossible or DropReason.TooLarge
        or DropReason.RequestForgotten or DropReason.SessionExpired);

    private void StepAfter(long delay) => _world.Queue.Add(
        _world.Now + delay, new SimEvent { Kind = EventKind.ClientStep, Target = _number });

    private void Ask(in FinalTask task)
    {
        ReadLevel level = task.Node < 0 ? ReadLevel.Linearizable : ReadLevel.Eventual;
        int node = task.Node < 0 ? LikelyLeader(task.Group) : task.Node;
        if (_values is not null)
        {
            ValueRequest request = ValueAsking.Final(task, _world.NextAttempt);
            SendValues(task.Group, request, WriteLevel.Majority, level, node, NumberFor(task.Group, request), true);
            return;
        }

        Command command = task.IsWrite
            ? RegisterAsking.WriteOf(task.Key, _world.NextAttempt, 0)
            : new Command(OperationKind.Read, task.Key, 0);
        Send(task.Group, [command], task.IsWrite, WriteLevel.Majority, level, node, isFinal: true);
    }

    private SessionRequest? NumberFor(int group, ValueRequest request) =>
        request.IsWrite ? _values!.NextNumber(group, _world.Now) : null;

    private void AskSomething()
    {
        int group = (int)_random.Next(_world.Plan.Groups.Length);
        bool isQuiet = Plan.QuietTime > 0 && _world.Now / Plan.QuietTime % 2 == 1;
        bool isWrite = !_onlyReads && !isQuiet && _random.Next(100) < Plan.WritePercent;
        if (_values is not null)
        {
            AskForValues(group, isWrite);
            return;
        }

        int count = _registers.DrawCount();
        WriteLevel writeLevel = DrawWriteLevel();
        ReadLevel readLevel = (ReadLevel)Draw(Plan.ReadLevels);
        Command[] commands = _registers.Draw(group, count, isWrite, writeLevel, _world.NextAttempt);
        Send(group, commands, isWrite, writeLevel, readLevel, DrawNode(group, isWrite, readLevel), isFinal: false);
    }

    private void AskForValues(int group, bool isWrite)
    {
        WriteLevel writeLevel = DrawWriteLevel();
        ReadLevel readLevel = (ReadLevel)Draw(Plan.ReadLevels);
        ValueRequest request = _values!.Draw(group, _world.NextAttempt, isWrite);
        int node = DrawNode(group, isWrite, readLevel);
        SendValues(group, request, writeLevel, readLevel, node, NumberFor(group, request), isFinal: false);
    }

    private int DrawNode(int group, bool isWrite, ReadLevel readLevel)
    {
        bool anyNode = !isWrite && (readLevel != ReadLevel.Linearizable || _random.Next(3) == 0);
        return anyNode || _wanders || _random.Next(10) == 0
            ? (int)_random.Next(_world.Plan.Nodes)
            : LikelyLeader(group);
    }

    private void AskAgain(Attempt before)
    {
        bool isSessionRead = !before.IsWrite && before.ReadLevel != ReadLevel.Linearizable;
        int node = isSessionRead || _wanders ? (int)_random.Next(_world.Plan.Nodes) : LikelyLeader(before.Group);
        if (before.Values is { } request)
        {
            SendValues(
                before.Group, request, before.WriteLevel, before.ReadLevel, node, before.Numbered, isFinal: false);
            return;
        }

        Send(
            before.Group,
            before.Commands,
            before.IsWrite,
            before.WriteLevel,
            before.ReadLevel,
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

    private void Send(
        int group,
        Command[] commands,
        bool isWrite,
        WriteLevel writeLevel,
        ReadLevel readLevel,
        int node,
        bool isFinal) =>
        Send(new Attempt
        {
            Id = _world.NextAttempt,
            Client = _number,
            Group = group,
            Session = _sessions[group],
            IsWrite = isWrite,
            Commands = commands,
            Batch = CommandBatch.Encode(_world.NextAttempt, commands, isWrite ? Plan.PaddingBytes : 0),
            WriteLevel = writeLevel,
            ReadLevel = readLevel,
            Token = _tokens[group],
            Invoked = _world.Now,
            Deadline = _world.Now + (isFinal ? Math.Max(Plan.Deadline, FinalDeadline) : Plan.Deadline),
            Node = node,
            IsFinal = isFinal,
        });

    private void SendValues(
        int group,
        ValueRequest request,
        WriteLevel writeLevel,
        ReadLevel readLevel,
        int node,
        SessionRequest? numbered,
        bool isFinal) =>
        Send(new Attempt
        {
            Id = _world.NextAttempt,
            Client = _number,
            Group = group,
            Session = _sessions[group],
            IsWrite = request.IsWrite,
            Commands = [],
            Batch = [],
            Values = request,
            Numbered = numbered,
            WriteLevel = writeLevel,
            ReadLevel = readLevel,
            Token = _tokens[group],
            Invoked = _world.Now,
            Deadline = _world.Now + (isFinal ? Math.Max(Plan.Deadline, FinalDeadline) : Plan.Deadline),
            Node = node,
            IsFinal = isFinal,
        });

    private void Send(Attempt attempt)
    {
        _world.Attempts.Add(attempt);
        _attempt = attempt;
        _world.Queue.Add(
            attempt.Deadline + Patience, new SimEvent
            {
                Kind = EventKind.ClientTimeout, Target = _number, Number = attempt.Id
            });
        if (_world.Network.ClientTime() is { } time)
        {
            var request = new SimEvent
            {
                Kind = EventKind.ClientRequest, Target = attempt.Node, Number = attempt.Id
            };
            _world.Queue.Add(_world.Now + time, request);
        }
    }

    private void Learn(Attempt attempt, Answer answer)
    {
        ReadToken held = _tokens[attempt.Group];
        if ((answer.Token.Term, answer.Token.Index).CompareTo((held.Term, held.Index)) > 0)
        {
            _tokens[attempt.Group] = answer.Token;
        }

        if (_values is not null)
        {
            _values.Learn(attempt, (ValueReplay)_world.Checks[attempt.Group].Model);
        }
        else
        {
            _registers.Learn(attempt, answer);
        }
    }
}

/// <summary>After the faults: a key to be written, or to be read linearizably.</summary>
/// <param name="Node">To be read from this node as it stands there; -1 for any.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FinalTask(int Group, int Key, bool IsWrite, int Node = -1);
