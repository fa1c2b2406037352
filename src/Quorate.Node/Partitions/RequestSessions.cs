using System.Buffers.Binary;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>What the rows of the sessions say of a numbered request.</summary>
internal enum SessionVerdict
{
    /// <summary>It is new.</summary>
    Execute,

    /// <summary>It was executed; its reply is remembered.</summary>
    Answer,

    /// <summary>
    /// It may have been executed, and its reply is gone; or its session is: it is not executed (again).
    /// </summary>
    Refuse,

    /// <summary>Rows are cold: to be looked at again from the beginning.</summary>
    Cold,
}

/// <summary>
/// Recognises requests that come a second time (Raft, section 8; pitfalls F27 and R25), by rows that travel with the
/// slot of the request's first key. All is decided by the leader from rows, pending ones included, and logged as
/// changes, so that every replica remembers the same.
/// <para>Per slot there are a <see cref="SessionBook"/>, a <see cref="SessionHeader"/> for each session and a row for
/// each reply. Invariants: a number has a reply row or is at most <see cref="SessionHeader.Forgotten"/>, or it was
/// never executed in this slot; a session was never here, has a header, or is at most <see
/// cref="SessionBook.Watermark"/>; what was remembered is never executed again.</para>
/// </summary>
internal sealed class RequestSessions(PartitionSettings settings)
{
    /// <summary>A reply that is to be remembered, in bytes: with its version it is a row's value.</summary>
    public const int ReplyBytesMax = RowLimits.ValueBytesMax - VersionBytes;

    /// <summary>Before a reply that is remembered: version and term of its request's last write, in bytes.</summary>
    private const int VersionBytes = 16;

    private readonly byte[] _rowKey = new byte[RowKey.BytesMax(8, 8)];
    private Slot _slot;
    private SessionRequest _request;
    private SessionBook _book;
    private SessionHeader? _header;
    private List<SessionHeader> _evicted = [];

    /// <summary>How many changes one request adds at most.</summary>
    public int ChangesMax => (EvictedAtOnce * (settings.RepliesPerSessionMax + 1)) + settings.RepliesPerSessionMax + 4;

    /// <summary>Why a request is refused.</summary>
    public DropReason Refusal { get; private set; }

    /// <summary>The reply that is remembered, and the version of its request's last write.</summary>
    public (ValueVersion Version, byte[] Reply) Remembered { get; private set; }

    private int EvictedAtOnce => Math.Max(1, settings.SessionsPerSlotMax / 8);

    /// <summary>Looks a request up. <paramref name="rows"/> are the rows with the pending changes over them.</summary>
    public SessionVerdict Look(IRowSource rows, in SessionRequest request, Slot slot)
    {
        (_request, _slot) = (request, slot);
        _header = null;
        _evicted = [];
        Lookup lookup = rows.Get(SessionRows.Header(_rowKey, slot, request.Session), out Row row);
        if (lookup == Lookup.Cold)
        {
            return SessionVerdict.Cold;
        }

        if (lookup == Lookup.Found)
        {
            _header = SessionHeader.Read(request.Session, row.Value);
            return LookForReply(rows, _header);
        }

        return LookAtBook(rows);
    }

    /// <summary>The request has been executed: it is remembered, and what it lets go is forgotten.</summary>
    public void Remember(EntryBuilder entry, HybridTime time, in ValueVersion version, ReadOnlySpan<byte> reply)
    {
        foreach (SessionHeader evicted in _evicted)
        {
            Forget(entry, evicted);
        }

        if (_header is null)
        {
            _header = new SessionHeader(_request.Session);
            _book = _book with { Count = _book.Count + 1 };
            entry.Add(new RowChange(SessionRows.Book(_rowKey, _slot), RowType.Session, 0, _book.Encode()));
        }

        byte[] value = new byte[VersionBytes + reply.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(value, version.Row.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), version.Term.Value);
        reply.CopyTo(value.AsSpan(VersionBytes));
        _header.Numbers.Add(_request.Number);
        entry.Add(new RowChange(
            SessionRows.Reply(_rowKey, _slot, _request.Session, _request.Number), RowType.Session, 0, value));
        LetGo(entry, _header);
        _header.LastUsed = time;
        entry.Add(new RowChange(
            SessionRows.Header(_rowKey, _slot, _request.Session), RowType.Session, 0, _header.Encode()));
    }

    private SessionVerdict LookForReply(IRowSource rows, SessionHeader header)
    {
        if (header.Numbers.Contains(_request.Number))
        {
            Lookup lookup = rows.Get(
                SessionRows.Reply(_rowKey, _slot, _request.Session, _request.Number), out Row row);
            if (lookup == Lookup.Cold)
            {
                return SessionVerdict.Cold;
            }

            Invariant.Check(lookup == Lookup.Found, "a session's header names the replies that are remembered");
            var version = new RowVersion(BinaryPrimitives.ReadUInt64LittleEndian(row.Value));
            var term = new Term(BinaryPrimitives.ReadUInt64LittleEndian(row.Value[8..]));
            Remembered = (new(term, version), row.Value[VersionBytes..].ToArray());
            return Guards.DuplicatesAreRecognised ? SessionVerdict.Answer : SessionVerdict.Execute;
        }

        bool isGone = _request.Number <= Math.Max(header.Forgotten, _request.Acknowledged);
        return isGone ? Refuse(DropReason.RequestForgotten) : SessionVerdict.Execute;
    }

    /// <summary>The session is not known here: it is new, unless it may have been evicted.</summary>
    private SessionVerdict LookAtBook(IRowSource rows)
    {
        Lookup lookup = rows.Get(SessionRows.Book(_rowKey, _slot), out Row row);
        if (lookup == Lookup.Cold)
        {
            return SessionVerdict.Cold;
        }

        _book = lookup == Lookup.Found ? SessionBook.Read(row.Value) : default;
        if (_request.Session <= _book.Watermark && Guards.EvictedSessionsAreRefused)
        {
            return Refuse(DropReason.SessionExpired);
        }

        if (_request.Number <= _request.Acknowledged)
        {
            return Refuse(DropReason.RequestForgotten);
        }

        return _book.Count < settings.SessionsPerSlotMax ? SessionVerdict.Execute : ChooseEvicted(rows);
    }

    private SessionVerdict Refuse(DropReason reason)
    {
        Refusal = reason;
        return SessionVerdict.Refuse;
    }

    /// <summary>The least recently used sessions of the slot make room, by the logged time of their last use.</summary>
    private SessionVerdict ChooseEvicted(IRowSource rows)
    {
        var headers = new HeaderVisitor();
        byte[] from = SessionRows.FirstHeader(_slot);
        byte[] to = SessionRows.EndOfHeaders(_slot);
        if (rows.Scan(new RowRange(from, to), headers) == Lookup.Cold)
        {
            return SessionVerdict.Cold;
        }

        _evicted = headers.Found;
        _evicted.Sort(static (a, b) => a.LastUsed == b.LastUsed
            ? a.Session.CompareTo(b.Session)
            : a.LastUsed.CompareTo(b.LastUsed));
        int count = _evicted.Count;
        _evicted.RemoveRange(Math.Min(EvictedAtOnce, count), Math.Max(0, count - EvictedAtOnce));
        ulong watermark = _book.Watermark;
        foreach (SessionHeader evicted in _evicted)
        {
            watermark = Math.Max(watermark, evicted.Session);
        }

        _book = new SessionBook(watermark, count - _evicted.Count);
        return SessionVerdict.Execute;
    }

    private void Forget(EntryBuilder entry, SessionHeader session)
    {
        foreach (ulong number in session.Numbers)
        {
            Delete(entry, SessionRows.Reply(_rowKey, _slot, session.Session, number));
        }

        Delete(entry, SessionRows.Header(_rowKey, _slot, session.Session));
    }

    /// <summary>
    /// Forgets the replies that the client has seen, and those of the lowest numbers beyond the bound.
    /// </summary>
    private void LetGo(EntryBuilder entry, SessionHeader header)
    {
        header.Numbers.Sort();
        int surplus = header.Numbers.Count - settings.RepliesPerSessionMax;
        List<ulong> gone = [];
        foreach (ulong number in header.Numbers)
        {
            // Its own reply stays, even when its number is the lowest: then the next one makes room.
            if (number != _request.Number && (gone.Count < surplus || number <= _request.Acknowledged))
            {
                Delete(entry, SessionRows.Reply(_rowKey, _slot, _request.Session, number));
                header.Forgotten = Math.Max(header.Forgotten, number);
                gone.Add(number);
            }
        }

        header.Numbers.RemoveAll(gone.Contains);
        ulong seen = Math.Min(_request.Acknowledged, _request.Number - 1);
        header.Forgotten = Math.Max(header.Forgotten, seen);
    }

    private static void Delete(EntryBuilder entry, ReadOnlySpan<byte> rowKey) =>
        entry.Add(new RowChange(rowKey, RowType.Tombstone, 0, []));

    private sealed class HeaderVisitor : IRowVisitor
    {
        public List<SessionHeader> Found { get; } = [];

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            if (SessionRows.TryReadHeaderKey(rowKey, out ulong session))
            {
                Found.Add(SessionHeader.Read(session, row.Value));
            }

            return true;
        }
    }
}
