using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Storage.Disk;

/// <summary>A step of a job: one operation, or another sequence of steps to take first.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct DiskStep(DiskOperation Operation, IEnumerable<DiskStep>? Inner)
{
    public static implicit operator DiskStep(DiskOperation operation) => new(operation, null);

    public static DiskStep All(IEnumerable<DiskStep> inner) => new(default, inner);
}

/// <summary>
/// Does jobs in the order in which they are handed over, one disk operation at a time. A job is written as the
/// sequence of its steps, each taken up when the one before it has ended.
/// <para>Invariant: a job begins with an operation, so none of it beyond that runs inside <see cref="Add"/>.</para>
/// </summary>
internal sealed class DiskJobs(IDisk disk, int jobsMax) : IDiskClient
{
    private readonly Queue<IEnumerable<DiskStep>> _waiting = new();
    private readonly Stack<IEnumerator<DiskStep>> _running = new();
    private ulong _ticket;
    private bool _isStopped;

    /// <summary>How the operation before ended, for the job that asked for it.</summary>
    public DiskCompletion Completion { get; private set; }

    public void Add(IEnumerable<DiskStep> job)
    {
        if (_isStopped)
        {
            return;
        }

        Invariant.Check(_waiting.Count < jobsMax, "the owner bounds its jobs in flight");
        _waiting.Enqueue(job);
        if (_running.Count == 0)
        {
            Advance();
        }
    }

    /// <summary>Nothing more is done, and no completion is taken.</summary>
    public void Stop()
    {
        _isStopped = true;
        _waiting.Clear();
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_isStopped)
        {
            return;
        }

        Invariant.Check(completion.Ticket == _ticket, "one disk operation is under way at a time");
        Completion = completion;
        Advance();
    }

    /// <summary>Goes on until the next operation is submitted or nothing is left to do.</summary>
    private void Advance()
    {
        while (!_isStopped && (_running.Count > 0 || StartNext()))
        {
            IEnumerator<DiskStep> job = _running.Peek();
            if (!job.MoveNext())
            {
                _running.Pop().Dispose();
            }
            else if (_isStopped)
            {
                return;
            }
            else if (job.Current.Inner is IEnumerable<DiskStep> inner)
            {
                _running.Push(inner.GetEnumerator());
            }
            else
            {
                disk.Submit(job.Current.Operation with { Ticket = ++_ticket }, this);
                return;
            }
        }
    }

    private bool StartNext()
    {
        if (!_waiting.TryDequeue(out IEnumerable<DiskStep>? next))
        {
            return false;
        }

        _running.Push(next.GetEnumerator());
        return true;
    }
}
