using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// A random life of a log on the lying disk: the same seed gives the same life, operation by operation, so that it
/// can be cut short after each. Knows which states the log may be in after a crash: one after a write was handed
/// over, and not before the last one that was reported.
/// </summary>
internal sealed class LogRun
{
    private const int WritesInFlightMax = 6;

    private readonly SeededRandom _random;
    private readonly PersistMaker _maker;
    private readonly List<LogModel> _states = [LogModel.Empty];
    private readonly List<bool> _mustSync = [true];
    private readonly int _writes;
    private int _reported;
    private int _noted;

    public LogRun(ulong seed, int writes)
    {
        _random = new(seed);
        _maker = new(seed);
        _writes = writes;
        Disk = new(_ => { }, seed);
        Owner = NewOwner();
        Owner.Log.Open();
    }

    public SimulatedDisk Disk { get; }

    public LogOwner Owner { get; private set; }

    /// <summary>Operations executed by the first process.</summary>
    public int Steps { get; private set; }

    public bool IsOver => Disk.Pending.Count == 0 && _states.Count - 1 == _writes;

    /// <summary>Goes on by one disk operation, after perhaps some writes.</summary>
    public void Step()
    {
        while (Owner.Opened is not null
            && _states.Count - 1 < _writes
            && _states.Count - 1 - _reported < WritesInFlightMax
            && (Disk.Pending.Count == 0 || _random.Next(3) == 0))
        {
            Persist persist = _maker.Next();
            _states.Add(_maker.Model);
            _mustSync.Add(persist.MustSync);
            Owner.Log.Write(persist);
        }

        if (Disk.Pending.Count > 0)
        {
            Disk.Execute(Disk.Pending[(int)_random.Next(Disk.Pending.Count)]);
            Steps++;
        }

        for (; _noted < Owner.Durable.Count; _noted++)
        {
            Assert.Equal((ulong)_reported + 1, Owner.Durable[_noted]);
            _reported++;
        }
    }

    /// <summary>A new process opens the log; stops after some operations if asked to.</summary>
    public LogOwner Reopen(int stepsMax = int.MaxValue)
    {
        Owner = NewOwner();
        Owner.Log.Open();
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
    public string ReopenAndCheck(bool powerWasLost)
    {
        LogOwner owner = Reopen();
        Assert.Null(owner.Failure);
        string text = owner.Text(RunAll);
        Assert.Contains(text, Allowed(powerWasLost), StringComparer.Ordinal);
        return text;
    }

    public List<string> Allowed(bool powerWasLost)
    {
        int from = _reported;
        while (powerWasLost && !_mustSync[from])
        {
            from--;
        }

        return [.. _states.Skip(from).Select(state => state.Text())];
    }

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

    private LogOwner NewOwner() =>
        new(Disk, new SimpleLogSettings { SegmentBytes = 700, OpenPieceBytes = 512, BatchBytesMax = 600 });
}
