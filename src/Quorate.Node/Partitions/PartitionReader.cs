using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>What a read on a connection's own thread asks for.</summary>
/// <param name="Level">What it may return.</param>
/// <param name="Token">At level `session`: what the client has seen.</param>
/// <param name="Now">The node's monotonic clock, read after the command had arrived.</param>
/// <param name="WallClockMilliseconds">The node's wall clock, in milliseconds since 1970.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct FastRead(ReadLevel Level, ReadToken Token, Instant Now, long WallClockMilliseconds);

/// <summary>
/// Serves reads of rows that are in memory on the thread that asks, without a word to the partition: no hand-off, no
/// lock, and no allocation beyond the reply. One for each thread, for all partitions of a node.
/// <para>Invariants: a linearizable read looks at the lease first, then begins to look at rows, so that there is a
/// moment within the read at which this replica led and the rows held all that had been acknowledged; what is served
/// is of one moment, judged by the logged time; nothing is served when anything else would have to be done first (a
/// fetch, an entry that moves the time on, a round): then the request goes to the partition.</para>
/// <para>A connection's own unfinished writes are the edge's matter: behind one, a read goes to the partition.</para>
/// </summary>
public sealed class PartitionReader
{
    /// <summary>Readings that a change of the rows may spoil before the request goes to the partition.</summary>
    private const int AttemptsMax = 4;

    private readonly ConcurrentReader _rows;
    private readonly CommandEvaluation _evaluation;
    private readonly ExpiryWatch _watch;
    private readonly CommandLine[] _line = new CommandLine[1];
    private PublishedRead _published;
    private ulong _seed;

    /// <param name="rows">This thread's place among the readers of the node's stores.</param>
    /// <param name="seed">For random choices; another one for each reader.</param>
    public PartitionReader(ConcurrentReader rows, EvaluationLimits limits, ulong seed)
    {
        _rows = rows;
        _seed = seed;
        _watch = new(rows);
        _evaluation = new(limits) { TermAt = TermAt };
    }

    /// <summary>For the simulator and tests: called between the look at the lease and that at the rows.</summary>
    public Action? Yields { get; set; }

    /// <summary>The reply to what was served last; it holds until the next one.</summary>
    public Reply Reply => _evaluation.Reply;

    /// <summary>
    /// Serves a read. False when the partition has to be asked, or when the line is no read; nothing was done then.
    /// </summary>
    /// <param name="seen">What the client then has seen, for its session.</param>
    public bool TryServe(Partition partition, CommandLine line, in FastRead read, out ReadToken seen) =>
        TryServe(partition.Published, partition.Rows.Concurrent, line, read, out seen);

    /// <summary>As the other one, for an edge that knows what a partition publishes and not the partition.</summary>
    public bool TryServe(
        IReadPublication publication, ConcurrentRows rows, CommandLine line, in FastRead read, out ReadToken seen)
    {
        seen = default;
        if (CommandTable.Check(line, out _) is not { Kind: CommandKind.Read })
        {
            return false;
        }

        _line[0] = line;
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            if (!publication.TryRead(out _published) || !Suffices(_published, read))
            {
                return false;
            }

            Yields?.Invoke();
            if (!_rows.TryBegin(rows))
            {
                return false;
            }

            bool isWhole;
            bool isSlow;
            LogIndex newest;
            try
            {
                isWhole = TryEvaluate(read, out isSlow);
                newest = _rows.Seen;
            }
            finally
            {
                // Whatever happens, nobody is left inside: memory that is let go of waits for those who are.
                _rows.End();
            }

            if (isSlow)
            {
                return false;
            }

            // The rows may be a little newer than what is published; a token has to name all that was seen.
            if (isWhole && publication.TryRead(out PublishedRead after) && after.Applied.Index >= newest)
            {
                publication.MarkUsed();
                seen = after.Applied;
                return true;
            }
        }

        return false;
    }

    private static bool Suffices(in PublishedRead published, in FastRead read) => read.Level switch
    {
        _ when published.Applied.Index == LogIndex.Zero => false,
        ReadLevel.Linearizable => published.Lease.Until > read.Now
            && (published.Applied.Index >= published.Lease.Index || !Guards.FastReadsAwaitApplied),

        // Logs that hold an entry of a term are alike up to it.
        ReadLevel.Session => read.Token.Index == LogIndex.Zero
            || (read.Token.Term == published.Applied.Term && read.Token.Index <= published.Applied.Index),
        _ => true,
    };

    /// <summary>True when a reply was made of rows of one moment; slow when trying again would not help.</summary>
    private bool TryEvaluate(in FastRead read, out bool isSlow)
    {
        EvaluationOutcome outcome = _evaluation.Run(
            _watch.Begin(_rows.Time.Milliseconds, read.WallClockMilliseconds),
            _line,
            isBatch: false,
            _rows.Time,
            RowVersion.At(_rows.Applied.Next, 0),
            SeededRandom.SplitMix64(ref _seed));
        bool isDue = _watch.SawDue && read.Level == ReadLevel.Linearizable;

        // What is too long here, where many read at once, may not be for the partition, which serves one at a time.
        bool isLarge = _evaluation.ReplyWasTooLong && Guards.LargeReadsAreOneAtATime;
        isSlow = outcome == EvaluationOutcome.Cold || isDue || isLarge;
        return !isSlow && _rows.Validate();
    }

    /// <summary>Of an older term the partition has to be asked.</summary>
    private Term? TermAt(LogIndex index)
    {
        ReadLease lease = _published.Lease;
        bool isOfTerm = lease.Term > Term.Zero && index >= lease.First && index <= _published.Applied.Index;
        return isOfTerm ? lease.Term : null;
    }
}
