using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// A random life of a node's log on the lying disk, with several streams, some of which are dropped: the same seed
/// gives the same life, operation by operation, so that it can be cut short after each. Knows which states the log may
/// be in after a crash: what was handed over up to some moment, which is not before the last write that was reported
/// and needed a sync.
/// </summary>
internal sealed class LogRun
{
    private const int WritesInFlightMax = 8;
    private const int StreamsAtOnce = 3;

    private readonly SeededRandom _random;
    private readonly SortedDictionary<LogStream, Life> _lives = [];
    private readonly LogStream[] _active = new LogStream[StreamsAtOnce];
    private readonly List<string> _states = [];
    private readonly int _writes;
    private readonly ulong _seed;
    private readonly bool _hasStuck;
    private int _surelyThere;

    /// <param name="hasStuck">The first stream and those that take its place never release anything.</param>
    public LogRun(ulong seed, int writes, bool hasStuck = false)
    {
        _hasStuck = hasStuck;
        _seed = seed;
        _random = new(seed);
        _writes = writes;
        Disk = new(_ => { }, seed);
        Owner = NewOwner();
        for (uint i = 0; i < StreamsAtOnce; i++)
        {
            Begin((int)i, new(new(i + 1), 1));
        }

        Note();
        Owner.Log.Open();
    }

    public SimulatedDisk Disk { get; }

    public LogOwner Owner { get; private set; }

    /// <summary>Operations executed by the first process.</summary>
    public int Steps { get; private set; }

    public bool IsOver => Disk.Pending.Count == 0 && _states.Count > _writes;

    /// <summary>Nothing is under way on the disk, and no more may be handed over before what was is done.</summary>
    public bool IsWaiting => Disk.Pending.Count == 0 && Owner.Opened is not null
        && _lives.Values.Sum(life => life.InFlight) >= WritesInFlightMax;

    /// <summary>Writes and drops handed over so far.</summary>
    public int Handed => _states.Count - 1;

    /// <summary>Goes on by one disk operation, after perhaps some writes.</summary>
    public void Step()
    {
        while (Owner.Opened is not null
            && Owner.Failure is null
            && _states.Count <= _writes
            && _lives.Values.Sum(life => life.InFlight) < WritesInFlightMax
            && (Disk.Pending.Count == 0 || _random.Next(3) == 0))
        {
            HandOver();
        }

        if (Disk.Pending.Count > 0)
        {
            Disk.Execute(Disk.Pending[(int)_random.Next(Disk.Pending.Count)]);
            Steps++;
        }

        foreach (Life life in _lives.Values)
        {
            _surelyThere = Math.Max(_surelyThere, life.TakeReports());
        }
    }

    /// <summary>A new process opens the log; stops after some operations if asked to.</summary>
    public LogOwner Reopen(int stepsMax = int.MaxValue)
    {
        Owner = NewOwner();
        Owner.Log.Open();
        foreach (LogStream stream in _lives.Keys)
        {
            Assert.NotNull(Owner[stream]);
        }

        for (int i = 0; i < stepsMax && Disk.Pending.Count > 0; i++)
        {
            Disk.Execute(Disk.Pending[0]);
        }

        return Owner;
    }

    public void RunAll()
    {
        while (Disk.Pending.Count > 0)
        {
            Disk.Execute(Disk.Pending[0]);
        }
    }

    /// <summary>Opens the log and says what it holds, which must be a state that it may be in.</summary>
    public string ReopenAndCheck()
    {
        LogOwner owner = Reopen();
        Assert.Null(owner.Failure);
        string text = Text(owner);
        Assert.Contains(text, _states.Skip(_surelyThere), StringComparer.Ordinal);
        Assert.Empty(LogStrictCheck.Problems(LogOwner.Prefix, Disk.Names, file => Disk.Content(file)!.Value));
        return text;
    }

    /// <summary>All that all streams hold.</summary>
    public string Text(LogOwner owner) =>
        string.Join(
            '\n',
            _lives.Keys.Select(stream => $"{stream}: {owner[stream].Text(RunAll)}").Order(StringComparer.Ordinal));

    public void Crash(bool powerLost, ulong seed)
    {
        var random = new SeededRandom(seed);
        if (powerLost)
        {
            Disk.PowerLost(random);
        }
        else
        {
            Disk.ProcessDied(random);
        }
    }

    private void HandOver()
    {
        int which = (int)_random.Next(StreamsAtOnce);
        Life life = _lives[_active[which]];
        if (life.Owner.Opened is null)
        {
            // The stream is new and not open yet: let the disk work.
            if (Disk.Pending.Count > 0)
            {
                Disk.Execute(Disk.Pending[0]);
                Steps++;
            }
        }
        else if (_random.Next(40) == 0)
        {
            Owner.Log.Drop(_active[which]);
            life.Dropped();
            Note();
            Begin(which, _active[which] with { Incarnation = _active[which].Incarnation + 1 });
        }
        else
        {
            Persist persist = life.Maker.Next();
            life.Handed(persist, _states.Count);
            Note();
            life.Owner.Log.Write(persist);
        }
    }

    private void Begin(int which, LogStream stream)
    {
        _active[which] = stream;
        ulong seed = (_seed * 1000) + (stream.Group.Value * 100) + stream.Incarnation;
        bool releases = !_hasStuck || stream.Group.Value != 1;
        _lives.Add(stream, new(Owner[stream], new(seed, releases)));

        // A stream that was not there is one that holds nothing, also in the states before it was begun.
        for (int i = 0; i < _states.Count; i++)
        {
            _states[i] = string.Join(
                '\n', $"{_states[i]}\n{stream}: {LogModel.Empty.Text()}".Split('\n').Order(StringComparer.Ordinal));
        }
    }

    private void Note() => _states.Add(string.Join(
        '\n',
        _lives.Select(life => $"{life.Key}: {life.Value.Model.Text()}").Order(StringComparer.Ordinal)));

    private LogOwner NewOwner() => new(Disk, LogOwner.Small with { LazyWritesMax = 2 + (int)(_seed % 3) });

    /// <summary>One stream's writes.</summary>
    private sealed class Life(StreamOwner owner, PersistMaker maker)
    {
        private readonly List<(int State, bool MustSync)> _writes = [];
        private int _reported;
        private bool _isDropped;

        public StreamOwner Owner { get; } = owner;

        public PersistMaker Maker { get; } = maker;

        public LogModel Model => _isDropped ? LogModel.Empty : Maker.Model;

        public int InFlight => _isDropped ? 0 : _writes.Count - _reported;

        public void Handed(Persist persist, int state) => _writes.Add((state, persist.MustSync));

        public void Dropped() => _isDropped = true;

        /// <summary>The last state that the reports so far vouch for.</summary>
        public int TakeReports()
        {
            int state = 0;
            for (; _reported < Owner.Durable.Count; _reported++)
            {
                Assert.Equal((ulong)_reported + 1, Owner.Durable[_reported]);
                if (_writes[_reported].MustSync)
                {
                    state = _writes[_reported].State;
                }
            }

            return state;
        }
    }
}
