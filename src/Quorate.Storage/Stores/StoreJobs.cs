using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Stores;

/// <summary>Which of a store's jobs goes first.</summary>
internal enum StoreJobRank : byte
{
    /// <summary>Compaction: whenever there is nothing else to do.</summary>
    Leisure,

    /// <summary>Compaction of a few small tables, since there are too many.</summary>
    Urgent,

    /// <summary>A checkpoint, for which the log waits.</summary>
    Checkpoint,

    /// <summary>What was asked from outside: opening, receiving, destroying.</summary>
    Request,
}

/// <summary>
/// A step of a job: an operation on the disk, other steps to take first, or a pause that says how many bytes the job
/// has worked through since its last.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct StoreStep(DiskOperation Operation, IEnumerable<StoreStep>? Inner, int? PauseBytes)
{
    public static implicit operator StoreStep(DiskOperation operation) => new(operation, null, null);

    public static StoreStep All(IEnumerable<StoreStep> inner) => new(default, inner, null);

    public static StoreStep Pause(int bytes) => new(default, null, bytes);
}

/// <summary>
/// Does a store's jobs one at a time. A job is the sequence of its steps, each taken up when the one before it has
/// ended. At a pause one of a higher rank goes in between. What is begun by <see cref="Work"/> stands still when its
/// budget is spent; what goes on after a disk operation gives way by another operation, one that only ends, and then
/// goes on by itself.
/// <para>Invariants: between two pauses no other job does anything; a job begins with an operation or a pause, so
/// nothing of it beyond that runs inside <see cref="Add"/>.</para>
/// </summary>
internal sealed class StoreJobs(IDisk disk, DiskOperation nothing, int jobsMax) : IDiskClient
{
    private const int Ranks = 4;

    private readonly Queue<IEnumerable<StoreStep>>[] _waiting = [new(), new(), new(), new()];
    private readonly Stack<Running> _running = new();
    private ulong _ticket;
    private long _budgetBytes;
    private int _budgetGiven;
    private bool _isCompleting;
    private State _state = State.Idle;
    private bool _isAtPause;
    private bool _isStopped;

    private enum State : byte
    {
        Idle,
        AtDisk,
        Paused,
        Advancing,
    }

    /// <summary>How the operation before ended, for the job that asked for it.</summary>
    public DiskCompletion Completion { get; private set; }

    /// <summary>Told when a job is through, before the next begins; it may add others.</summary>
    public Action Ended { get; set; } = static () => { };

    /// <summary>True when nothing is under way or waits.</summary>
    public bool IsIdle => _state == State.Idle;

    public bool Has(StoreJobRank rank) =>
        _waiting[(int)rank].Count > 0 || _running.Any(running => running.Rank == rank);

    public void Add(IEnumerable<StoreStep> job, StoreJobRank rank)
    {
        if (_isStopped)
        {
            return;
        }

        Queue<IEnumerable<StoreStep>> queue = _waiting[(int)rank];
        Invariant.Check(queue.Count < jobsMax, "the owner bounds its jobs in flight");
        queue.Enqueue(job);
        if (_state == State.Idle || (_state == State.Paused && _running.Peek().Rank < rank))
        {
            Advance();
        }
    }

    /// <summary>Lets jobs work through about as many bytes; true when one stands still for want of more.</summary>
    public bool Work(int budgetBytes)
    {
        _budgetBytes = _budgetGiven = budgetBytes;
        if (_state == State.Paused)
        {
            Advance();
        }

        return _state == State.Paused;
    }

    /// <summary>Nothing more is done, and no completion is taken.</summary>
    public void Stop()
    {
        _isStopped = true;
        if (_state != State.Advancing)
        {
            GiveUpAll();
        }

        _state = State.Idle;
        foreach (Queue<IEnumerable<StoreStep>> queue in _waiting)
        {
            queue.Clear();
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_isStopped)
        {
            return;
        }

        Invariant.Check(completion.Ticket == _ticket, "one disk operation is under way at a time");
        Completion = completion;
        _budgetBytes = Math.Max(1, _budgetGiven);
        _isCompleting = true;
        Advance();
        _isCompleting = false;
    }

    /// <summary>Goes on until a disk operation is under way, the budget is spent, or nothing is left to do.</summary>
    private void Advance()
    {
        _state = State.Advancing;
        while (!_isStopped && TakeUp())
        {
            IEnumerator<StoreStep> steps = _running.Peek().Steps;
            if (!steps.MoveNext())
            {
                // Below a whole job there is nothing, or one that stands at a pause.
                _isAtPause = _running.Pop().IsWhole;
                steps.Dispose();
                if (_isAtPause && !_isStopped)
                {
                    Ended();
                }

                continue;
            }

            StoreStep step = steps.Current;
            if (step.Inner is not null)
            {
                _running.Push(new(step.Inner.GetEnumerator(), _running.Peek().Rank, IsWhole: false));
            }
            else if (step.PauseBytes is int bytes)
            {
                _budgetBytes -= bytes;
                _isAtPause = true;
            }
            else if (!_isStopped)
            {
                Submit(step.Operation);
                return;
            }
        }

        if (_isStopped)
        {
            GiveUpAll();
        }
    }

    /// <summary>What jobs hold in the middle of their work is given back.</summary>
    private void GiveUpAll()
    {
        while (_running.TryPop(out Running running))
        {
            running.Steps.Dispose();
        }
    }

    private void Submit(in DiskOperation operation)
    {
        _state = State.AtDisk;
        disk.Submit(operation with { Ticket = ++_ticket }, this);
    }

    /// <summary>Decides what goes on next; false, with the state that says why, when nothing does.</summary>
    private bool TakeUp()
    {
        bool isFree = _running.Count == 0;
        if (!isFree && !_isAtPause)
        {
            return true;
        }

        int rankMin = isFree ? 0 : (int)_running.Peek().Rank + 1;
        for (int rank = Ranks - 1; rank >= rankMin; rank--)
        {
            if (_waiting[rank].TryDequeue(out IEnumerable<StoreStep>? job))
            {
                _running.Push(new(job.GetEnumerator(), (StoreJobRank)rank, IsWhole: true));
                _isAtPause = false;
                return true;
            }
        }

        bool hasBudget = !isFree && _budgetBytes > 0;
        _isAtPause = !hasBudget && !isFree;
        _state = isFree ? State.Idle : hasBudget ? State.Advancing : State.Paused;
        if (_state == State.Paused && _isCompleting)
        {
            Submit(nothing);
        }

        return hasBudget;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Running(IEnumerator<StoreStep> Steps, StoreJobRank Rank, bool IsWhole);
}
