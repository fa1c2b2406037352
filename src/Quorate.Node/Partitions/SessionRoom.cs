using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>
/// Keeps the sessions of a partition within their bounds. A hand goes round their places, as in the clock algorithm of
/// page replacement: of the next few sessions behind it the one that was not used for longest goes, with all its
/// replies, and its slot's watermark rises to its id. All of this is decided from rows and logged as changes.
/// </summary>
internal sealed class SessionRoom(PartitionSettings settings)
{
    private readonly byte[] _rowKey = new byte[SessionRows.RowKeyBytesMax];
    private readonly List<(SessionHeader Header, SessionBook Book)> _evicted = [];
    private IRowSource _rows = null!;
    private SessionPlace _own;
    private SessionTotals _totals;

    /// <summary>How many changes one request adds at most, to let go of others.</summary>
    public int ChangesMax => (settings.SessionsEvictedAtOnceMax * (settings.RepliesPerSessionMax + 3)) + 1;

    /// <summary>While more bytes are in use than this, sessions go, so that there is room for one reply.</summary>
    private long BytesWanted => Math.Max(0, settings.SessionBytesMax - settings.RememberedReplyBytesMax);

    /// <summary>
    /// Chooses what goes before this session may remember something more. False when rows are cold.
    /// </summary>
    /// <param name="rows">The rows with the pending changes over them.</param>
    public bool TryMake(IRowSource rows, SessionPlace own, bool isNew)
    {
        (_rows, _own) = (rows, own);
        _evicted.Clear();
        Lookup lookup = rows.Get(SessionRows.Totals(_rowKey, settings.FirstSlot), out Row row);
        if (lookup == Lookup.Cold)
        {
            return false;
        }

        _totals = lookup == Lookup.Found ? SessionTotals.Read(row.Value) : default;
        while (Guards.SessionsAreBounded
            && _evicted.Count < settings.SessionsEvictedAtOnceMax
            && (_totals.Count + (isNew ? 1 : 0) > settings.SessionsMax || _totals.Bytes > BytesWanted))
        {
            if (!TryChoose(out SessionHeader? chosen))
            {
                return false;
            }

            if (chosen is null || !TryEvict(chosen))
            {
                return chosen is null;
            }
        }

        return true;
    }

    /// <summary>What was chosen goes.</summary>
    public void AddTo(EntryBuilder entry)
    {
        foreach ((SessionHeader header, SessionBook book) in _evicted)
        {
            foreach (RememberedNumber each in header.Numbers)
            {
                Delete(entry, SessionRows.Reply(_rowKey, header.Place, each.Number));
            }

            Delete(entry, SessionRows.Header(_rowKey, header.Place));
            Delete(entry, SessionRows.Place(_rowKey, settings.FirstSlot, header.Place));
            entry.Add(new RowChange(
                SessionRows.Book(_rowKey, header.Place.Slot), RowType.Session, 0, book.Encode()));
        }
    }

    /// <summary>Whether a reply may be remembered.</summary>
    /// <param name="moreBytes">That its session takes in any case; negative when it takes less.</param>
    public bool Holds(long moreBytes, int replyBytes) =>
        replyBytes <= settings.RememberedReplyBytesMax
        && (_totals.Bytes + moreBytes + replyBytes <= settings.SessionBytesMax || !Guards.SessionsAreBounded);

    /// <summary>A session takes more now, or less.</summary>
    public void Fill(EntryBuilder entry, bool isNew, long moreBytes)
    {
        _totals = _totals with { Count = _totals.Count + (isNew ? 1 : 0), Bytes = _totals.Bytes + moreBytes };
        entry.Add(new RowChange(
            SessionRows.Totals(_rowKey, settings.FirstSlot), RowType.Session, 0, _totals.Encode()));
    }

    /// <summary>
    /// The longest unused of the next sessions; null when there is no other. False when rows are cold.
    /// </summary>
    private bool TryChoose(out SessionHeader? chosen)
    {
        chosen = null;
        var next = new PlaceVisitor(settings.SessionsComparedMax, IsTaken);
        ReadOnlySpan<byte> hand = SessionRows.Place(_rowKey, settings.FirstSlot, _totals.Hand);
        byte[] start = SessionRows.StartOfPlaces(settings.FirstSlot);
        byte[] end = SessionRows.EndOfPlaces(settings.FirstSlot);
        byte[] afterHand = [.. hand, 0];
        if (_rows.Scan(new RowRange(afterHand, end), next) == Lookup.Cold
            || (!next.HasEnough && _rows.Scan(new RowRange(start, afterHand), next) == Lookup.Cold))
        {
            return false;
        }

        foreach (SessionPlace place in next.Found)
        {
            Lookup lookup = _rows.Get(SessionRows.Header(_rowKey, place), out Row row);
            if (lookup == Lookup.Cold)
            {
                return false;
            }

            Invariant.Check(lookup == Lookup.Found, "a session that has a place has a header");
            var header = SessionHeader.Read(place, row.Value);
            chosen = chosen is null || header.LastUsed < chosen.LastUsed ? header : chosen;
        }

        if (next.Found.Count > 0)
        {
            _totals = _totals with { Hand = next.Found[^1] };
        }

        return true;
    }

    private bool TryEvict(SessionHeader chosen)
    {
        Lookup lookup = _rows.Get(SessionRows.Book(_rowKey, chosen.Place.Slot), out Row row);
        if (lookup == Lookup.Cold)
        {
            return false;
        }

        ulong watermark = lookup == Lookup.Found ? SessionBook.Read(row.Value).Watermark : 0;
        foreach ((SessionHeader header, SessionBook book) in _evicted)
        {
            watermark = header.Place.Slot == chosen.Place.Slot ? Math.Max(watermark, book.Watermark) : watermark;
        }

        _evicted.Add((chosen, new SessionBook(Math.Max(watermark, chosen.Place.Session))));
        _totals = _totals with { Count = _totals.Count - 1, Bytes = _totals.Bytes - chosen.Bytes };
        return true;
    }

    private bool IsTaken(SessionPlace place) =>
        place == _own || _evicted.Exists(evicted => evicted.Header.Place == place);

    private static void Delete(EntryBuilder entry, ReadOnlySpan<byte> rowKey) =>
        entry.Add(new RowChange(rowKey, RowType.Tombstone, 0, []));

    private sealed class PlaceVisitor(int countMax, Predicate<SessionPlace> isTaken) : IRowVisitor
    {
        public List<SessionPlace> Found { get; } = [];

        public bool HasEnough => Found.Count >= countMax;

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            SessionPlace place = SessionRows.ReadPlace(rowKey);
            if (!isTaken(place))
            {
                Found.Add(place);
            }

            return !HasEnough;
        }
    }
}
