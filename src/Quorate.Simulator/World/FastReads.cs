using System.Runtime.InteropServices;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;
using Quorate.Storage.Memtables;

namespace Quorate.Simulator.World;

/// <summary>
/// Reads beside the one that drives the node, as threads of connections make them: each looks at what its partition
/// publishes when it arrives, and at the rows some time later: at once, after other events or a pause of the process,
/// or in the middle of an input, when the node sends or answers something.
/// <para>What cannot be served so goes to the partition, as at the edge.</para>
/// </summary>
internal sealed class FastReads : IDisposable
{
    /// <summary>Between the two looks of a read that is made after the faults, in microseconds, at most.</summary>
    private const long FinalDelayMax = 500;

    private readonly Simulation _world;
    private readonly SimulatedNode _node;
    private readonly int _percent;
    private readonly long _delayMax;
    private readonly ConcurrentReader _rows;
    private readonly PartitionReader _reader;
    private readonly SortedDictionary<ulong, Waiting> _waiting = [];
    private ulong _last;
    private bool _isServing;

    public FastReads(Simulation world, SimulatedNode node)
    {
        _world = world;
        _node = node;
        _percent = world.Plan.Values!.FastReadPercent;
        _delayMax = world.Plan.Values.FastReadDelayMax;
        _rows = ConcurrentReader.TryMake(Readers)!;
        _reader = new(_rows, world.Plan.Partition.Limits, seed: 1 + (ulong)node.Number);
    }

    /// <summary>Those who may read the rows of this life of the process.</summary>
    public MemtableReaders Readers { get; } = new(2);

    /// <summary>True when the attempt is a read that is served, or waits to be, beside the node.</summary>
    public bool Take(Attempt attempt)
    {
        bool isOne = !attempt.IsWrite && !attempt.Values!.IsBatch && _percent > 0;
        if (!isOne || (int)(attempt.Id % 100) >= _percent || _node.Replicas[attempt.Group] is not ValueReplica replica)
        {
            return false;
        }

        var publication = new EarlierLook(replica.Partition.Published);
        var read = new FastRead(attempt.ReadLevel, attempt.Token, _node.LocalTime, _node.WallMilliseconds);
        var waiting = new Waiting(attempt, replica, publication, read);

        // In the end hundreds are asked one after the other, within a time.
        long delay = _world.Yield(attempt.IsFinal ? Math.Min(_delayMax, FinalDelayMax) : _delayMax);
        if (delay == 0)
        {
            return TryServe(waiting);
        }

        _waiting.Add(++_last, waiting);
        _world.Queue.Add(_world.Now + delay, new SimEvent
        {
            Kind = EventKind.FastRead, Target = _node.Number, Life = _node.Life, Number = _last,
        });
        return true;
    }

    /// <summary>The node is in the middle of an input: another thread may go on just now.</summary>
    public void Interleave()
    {
        if (_waiting.Count == 0 || _isServing || _world.Yield(1) == 0)
        {
            return;
        }

        (ulong number, Waiting waiting) = _waiting.First();
        if (TryServe(waiting))
        {
            _waiting.Remove(number);
            _world.Judgements.Note(Judgements.FastReadsWithin);
        }
        else
        {
            // It has looked, so it asks the partition when its time comes.
            _waiting[number] = waiting with { MustAsk = true };
        }
    }

    /// <summary>A read goes on. What has to be asked of the partition; null when it was served.</summary>
    public Attempt? GoOn(ulong number)
    {
        if (!_waiting.Remove(number, out Waiting waiting))
        {
            return null;
        }

        return !waiting.MustAsk && TryServe(waiting) ? null : waiting.Attempt;
    }

    public void Dispose() => _rows.Dispose();

    private bool TryServe(in Waiting waiting)
    {
        Attempt attempt = waiting.Attempt;
        if (waiting.Replica.IsGone)
        {
            return false;
        }

        CommandLine line = ValueRequest.CommandLines(attempt.Values!.Lines)[0];
        ConcurrentRows rows = waiting.Replica.Partition.Rows.Concurrent;
        _isServing = true;
        bool isServed = _reader.TryServe(waiting.Publication, rows, line, waiting.Read, out ReadToken seen);
        _isServing = false;
        if (isServed)
        {
            waiting.Replica.ServedFast(attempt, seen, _reader.Reply.Bytes.ToArray());
        }

        return isServed;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Waiting(
        Attempt Attempt, ValueReplica Replica, EarlierLook Publication, FastRead Read, bool MustAsk = false);

    /// <summary>What was published when the read arrived, once; then what is published now.</summary>
    private sealed class EarlierLook : IReadPublication
    {
        private readonly IReadPublication _now;
        private readonly PublishedRead _then;
        private readonly bool _wasThere;
        private bool _hasLooked;

        public EarlierLook(IReadPublication now)
        {
            _now = now;
            _wasThere = now.TryRead(out _then);
        }

        public void Publish(in PublishedRead read) => throw new NotSupportedException("a reader publishes nothing");

        public bool TryRead(out PublishedRead read)
        {
            if (_hasLooked)
            {
                return _now.TryRead(out read);
            }

            _hasLooked = true;
            read = _then;
            return _wasThere;
        }

        public void MarkUsed() => _now.MarkUsed();

        public bool TakeUsed() => throw new NotSupportedException("a reader takes nothing");
    }
}
