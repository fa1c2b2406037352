using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>
/// The next moments at which rows expire, in milliseconds since 1970: an estimate, so that a leader knows when it is
/// worth while to move the logged time on. It forgets the latest ones when there are too many, and all with the
/// process; a row that is due and forgotten is found when it is read.
/// </summary>
internal sealed class ExpirySchedule(int momentsMax)
{
    private readonly SortedSet<long> _moments = [];

    public int Count => _moments.Count;

    /// <summary>Null when nothing is known to expire.</summary>
    public long? Earliest => _moments.Count == 0 ? null : _moments.Min;

    public void Note(ReadOnlySpan<byte> changes)
    {
        RowChangeReader reader = RowChanges.Read(changes);
        while (reader.TryNext(out RowChange change))
        {
            if (change.Expiry > 0)
            {
                Add(change.Expiry);
            }
        }
    }

    /// <summary>The logged time has come so far: what was due by then does not exist any more.</summary>
    public void Passed(HybridTime time)
    {
        while (_moments.Count > 0 && _moments.Min <= time.Milliseconds)
        {
            _moments.Remove(_moments.Min);
        }
    }

    private void Add(long moment)
    {
        if (_moments.Count >= momentsMax)
        {
            if (moment >= _moments.Max)
            {
                return;
            }

            _moments.Remove(_moments.Max);
        }

        _moments.Add(moment);
    }
}

/// <summary>
/// Looks at rows for a read and sees whether one of them is due by a clock that the log has not reached.
/// </summary>
internal sealed class ExpiryWatch(IRowSource rows) : IRowSource
{
    private long _logged;
    private long _clock;

    /// <summary>A row was shown that the clock says has expired, and the log does not yet.</summary>
    public bool SawDue { get; private set; }

    /// <summary>Both in milliseconds since 1970.</summary>
    public ExpiryWatch Begin(long logged, long clock)
    {
        (_logged, _clock) = (logged, clock);
        SawDue = false;
        return this;
    }

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        Lookup lookup = rows.Get(rowKey, out row);
        SawDue |= lookup == Lookup.Found && IsDue(row);
        return lookup;
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor) => rows.Scan(range, new Visitor(this, visitor));

    private bool IsDue(in Row row) => row.Expiry > _logged && row.Expiry <= _clock;

    private sealed class Visitor(ExpiryWatch watch, IRowVisitor visitor) : IRowVisitor
    {
        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            watch.SawDue |= watch.IsDue(row);
            return visitor.Visit(rowKey, row);
        }
    }
}
