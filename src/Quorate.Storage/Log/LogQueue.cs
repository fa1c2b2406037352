using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>A write that waits to become part of a batch; without a Persist the drop of its stream.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct LogWrite(NodeLogStream stream, Persist? persist, Action? dropped = null)
{
    public NodeLogStream Stream { get; } = stream;

    public Persist? Persist { get; } = persist;

    public Action? Dropped { get; } = dropped;

    /// <summary>It needs no sync.</summary>
    public bool IsLazy => Persist is { MustSync: false };

    /// <summary>What its records take, at most, in bytes; counted once, since it is asked for several times.</summary>
    public long Bytes { get; } = persist is null ? LogRecord.PrefixBytes : LogBatchBuilder.BytesOf(persist);

    /// <summary>Tells the stream's owner that the write is durable.</summary>
    public void Report()
    {
        if (Persist is not null)
        {
            Stream.Client?.LogDurable(Persist.Sequence);
        }

        Dropped?.Invoke();
    }
}

/// <summary>
/// The writes of all streams, in the order in which they came: those that wait and those of the batch under way.
/// <para>Invariant: a write is reported once, and never ahead of one that came before it and needs a sync.</para>
/// </summary>
internal sealed class LogQueue(int writesMax, int lazyMax)
{
    private readonly Queue<LogWrite> _waiting = new();
    private List<LogWrite> _underWay = [];

    /// <summary>How many of the waiting writes, from the front, were reported already.</summary>
    private int _reported;

    /// <summary>How many of the waiting writes need a sync.</summary>
    private int _urgent;

    /// <summary>Something is to be written: all but a few writes that were reported already may wait.</summary>
    public bool HasWork => _waiting.Count > _reported || _waiting.Count >= lazyMax;

    /// <summary>What the next write takes, at most, in bytes; beyond all bounds when there is none.</summary>
    public long NextBytes => _waiting.TryPeek(out LogWrite next) ? next.Bytes : long.MaxValue;

    public void Add(in LogWrite write)
    {
        Invariant.Check(_waiting.Count < writesMax, "groups bound their writes in flight");
        _waiting.Enqueue(write);
        _urgent += write.IsLazy ? 0 : 1;
    }

    /// <summary>Takes the next write into the batch under way.</summary>
    public LogWrite Take()
    {
        LogWrite next = _waiting.Dequeue();
        _urgent -= next.IsLazy ? 0 : 1;
        if (_reported > 0)
        {
            _reported--;
        }
        else
        {
            _underWay.Add(next);
        }

        return next;
    }

    /// <summary>
    /// The batch under way is durable: its writes, which are to be reported, in exchange for a list that is empty.
    /// </summary>
    public List<LogWrite> Complete(List<LogWrite> empty)
    {
        List<LogWrite> done = _underWay;
        _underWay = empty;
        return done;
    }

    /// <summary>
    /// Nothing is under way: writes that need no sync are to be reported if no other is before them; they are written
    /// with the next batch.
    /// </summary>
    public void CompleteLazy(List<LogWrite> reports)
    {
        if (_urgent == 0 && _waiting.Count > _reported)
        {
            reports.AddRange(_waiting.Skip(_reported));
            _reported = _waiting.Count;
        }
    }
}
