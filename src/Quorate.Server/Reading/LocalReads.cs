using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Node.Runtime;
using Quorate.Storage.Memtables;

namespace Quorate.Server.Reading;

/// <summary>What readers on other threads see of a partition of this node.</summary>
public sealed record LocalPartition(IReadPublication Publication, ConcurrentRows Rows);

/// <summary>The partitions of this node at one moment. It never changes; a change makes another.</summary>
public sealed class LocalPartitions(Dictionary<GroupId, LocalPartition> partitions)
{
    public LocalPartition? Find(GroupId group) => partitions.GetValueOrDefault(group);
}

/// <summary>
/// Serves reads on the threads of the connections that ask, from the rows of this node's partitions in memory. One for
/// a node.
/// <para>Invariants: a reader serves one thread at a time, and whoever has one waits for nothing; a partition that is
/// dropped has withdrawn what it published, so a table that still names it sends reads to the node.</para>
/// </summary>
public sealed class LocalReads
{
    /// <summary>
    /// A longer reply is made by the partition, in bytes: there one is made at a time, and counted before the next;
    /// here each of many threads may make one at once, and nobody knows of it before it is copied.
    /// </summary>
    public const int ReplyBytesMax = 256 * 1024;

    /// <summary>Room for a reply that a reader keeps for the next one, in bytes.</summary>
    private const int KeptReplyBytesMax = 256 * 1024;

    private readonly Place?[] _free;
    private LocalPartitions _partitions = new([]);

    /// <param name="readersMax">Reads at the same moment; one more goes to the node.</param>
    public LocalReads(EvaluationLimits limits, int readersMax)
    {
        EvaluationLimits own = limits with { ReplyBytesMax = Math.Min(limits.ReplyBytesMax, ReplyBytesMax) };
        Readers = new(readersMax);
        _free = new Place?[readersMax];
        for (int i = 0; i < readersMax; i++)
        {
            _free[i] = new(ConcurrentReader.TryMake(Readers)!, own);
        }
    }

    /// <summary>Where the readers meet the writers of the rows: every store of the node is made with it.</summary>
    public MemtableReaders Readers { get; }

    /// <summary>The newest table. Any thread may look.</summary>
    public LocalPartitions Partitions => Volatile.Read(ref _partitions);

    /// <summary>Partitions were opened or dropped; called on the thread that drives the node.</summary>
    public void Show(NodeRuntime runtime)
    {
        var partitions = new Dictionary<GroupId, LocalPartition>();
        foreach (GroupId group in runtime.Partitions)
        {
            Partition partition = runtime.Find(group)!;
            partitions.Add(group, new(partition.Published, partition.Rows.Concurrent));
        }

        Volatile.Write(ref _partitions, new(partitions));
    }

    /// <summary>
    /// Serves a read on this thread. False when the node has to be asked; nothing was done then.
    /// </summary>
    /// <param name="taker">Is given the reply, which holds until it returns; it must wait for nothing.</param>
    /// <param name="seen">What the client then has seen.</param>
    public bool TryServe<T>(
        LocalPartition partition, CommandLine line, in FastRead read, T taker, out ReadToken seen)
        where T : IReplyTaker
    {
        int at = Rent(out Place? place);
        if (place is null)
        {
            seen = default;
            return false;
        }

        try
        {
            bool isServed = place.Reader.TryServe(partition.Publication, partition.Rows, line, read, out seen);
            if (isServed)
            {
                taker.Take(place.Reader.Reply.Bytes);
            }

            if (place.Reader.Reply.Capacity > KeptReplyBytesMax)
            {
                place.Reader.Reply.Clear();
            }

            return isServed;
        }
        finally
        {
            Volatile.Write(ref _free[at], place);
        }
    }

    /// <summary>Each processor begins at another place, so that its reader stays in its cache.</summary>
    private int Rent(out Place? place)
    {
        int first = Thread.GetCurrentProcessorId();
        for (int i = 0; i < _free.Length; i++)
        {
            int at = (int)((uint)(first + i) % (uint)_free.Length);
            if (Volatile.Read(ref _free[at]) is not null)
            {
                place = Interlocked.Exchange(ref _free[at], null);
                if (place is not null)
                {
                    return at;
                }
            }
        }

        place = null;
        return -1;
    }

    private sealed class Place
    {
        public Place(ConcurrentReader rows, EvaluationLimits limits) =>
            Reader = new(rows, limits, unchecked((ulong)Random.Shared.NextInt64()));

        public PartitionReader Reader { get; }
    }
}

/// <summary>Who is given a reply that holds only for the moment.</summary>
public interface IReplyTaker
{
    void Take(ReadOnlySpan<byte> reply);
}
