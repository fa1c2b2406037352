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
/// each reply; per partition a place for each header and the <see cref="SessionTotals"/>. Invariants: a number has a
/// reply row or is at most <see cref="SessionHeader.Forgotten"/>, or it was never executed in this slot; a session was
/// never here, has a header, or is at most <see cref="SessionBook.Watermark"/>; what was remembered is never executed
/// again; all sessions together stay within the bounds of the settings (<see cref="SessionRoom"/>).</para>
/// </summary>
internal sealed class RequestSessions(PartitionSettings settings)
{
    /// <summary>Before a reply that is remembered: version and term of its request's last write, in bytes.</summary>
    private const int VersionBytes = 16;

    private readonly byte[] _rowKey = new byte[SessionRows.RowKeyBytesMax];
    private readonly SessionRoom _room = new(settings);
    private SessionPlace _place;
    private SessionRequest _request;
    private SessionHeader? _header;

    /// <summary>How many changes one request adds at most.</summary>
    public int ChangesMax => _room.ChangesMax + settings.RepliesPerSessionMax + 5;

    /// <summary>Why a request is refused.</summary>
    public DropReason Refusal { get; private set; }

    /// <summary>The reply that is remembered, and the version of its request's last write.</summary>
    public (ValueVersion Version, byte[] Reply) Remembered { get; private set; }

    /// <summary>Looks a request up. <paramref name="rows"/> are the rows with the pending changes over them.</summary>
    public SessionVerdict Look(IRowSource rows, in SessionRequest request, Slot slot)
    {
        (_request, _place) = (request, new(slot, request.Session));
        _header = null;
        Lookup lookup = rows.Get(SessionRows.Header(_rowKey, _place), out Row row);
        if (lookup == Lookup.Cold)
        {
            return SessionVerdict.Cold;
        }

        if (lookup == Lookup.Found)
        {
            _header = SessionHeader.Read(_place, row.Value);
        }

        SessionVerdict verdict = _header is null ? LookAtBook(rows) : LookForReply(rows, _header);
        return verdict != SessionVerdict.Execute || _room.TryMake(rows, _place, isNew: _header is null)
            ? verdict
            : SessionVerdict.Cold;
    }

    /// <summary>The request has been executed: it is remembered, and what it lets go is forgotten.</summary>
    /// <param name="reply">When it is too large, no more is remembered than that the request was executed.</param>
    public void Remember(EntryBuilder entry, HybridTime time, in ValueVersion version, ReadOnlySpan<byte> reply)
    {
        _room.AddTo(entry);
        long bytesBefore = _header?.Bytes ?? 0;
        if (_header is null)
        {
            _header = new SessionHeader(_place);
            entry.Add(new RowChange(
                SessionRows.Place(_rowKey, settings.FirstSlot, _place), RowType.Session, 0, []));
        }

        LetGo(entry, _header);
        reply = _room.Holds(_header.Bytes - bytesBefore, reply.Length) ? reply : [];
        byte[] value = new byte[VersionBytes + reply.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(value, version.Row.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), version.Term.Value);
        reply.CopyTo(value.AsSpan(VersionBytes));
        entry.Add(new RowChange(SessionRows.Reply(_rowKey, _place, _request.Number), RowType.Session, 0, value));
        int at = _header.Numbers.FindIndex(each => each.Number > _request.Number);
        _header.Numbers.Insert(
            at < 0 ? _header.Numbers.Count : at,
            new(_request.Number, SessionRows.RowKeyBytesMax + value.Length));
        _header.LastUsed = time;
        entry.Add(new RowChange(SessionRows.Header(_rowKey, _place), RowType.Session, 0, _header.Encode()));
        _room.Fill(entry, bytesBefore == 0, _header.Bytes - bytesBefore);
    }

    private SessionVerdict LookForReply(IRowSource rows, SessionHeader header)
    {
        if (header.Numbers.Exists(each => each.Number == _request.Number))
        {
            Lookup lookup = rows.Get(SessionRows.Reply(_rowKey, _place, _request.Number), out Row row);
            if (lookup == Lookup.Cold)
            {
                return SessionVerdict.Cold;
            }

            Invariant.Check(lookup == Lookup.Found, "a session's header names the replies that are remembered");
            var version = new RowVersion(BinaryPrimitives.ReadUInt64LittleEndian(row.Value));
            var term = new Term(BinaryPrimitives.ReadUInt64LittleEndian(row.Value[8..]));
            Remembered = (new(term, version), row.Value[VersionBytes..].ToArray());
            if (!Guards.DuplicatesAreRecognised)
            {
                return SessionVerdict.Execute;
            }

            // No reply is empty: it was too large.
            return Remembered.Reply.Length == 0 ? Refuse(DropReason.RequestForgotten) : SessionVerdict.Answer;
        }

        bool isGone = _request.Number <= Math.Max(header.Forgotten, _request.Acknowledged);
        return isGone ? Refuse(DropReason.RequestForgotten) : SessionVerdict.Execute;
    }

    /// <summary>The session is not known here: it is new, unless it may have been evicted.</summary>
    private SessionVerdict LookAtBook(IRowSource rows)
    {
        Lookup lookup = rows.Get(SessionRows.Book(_rowKey, _place.Slot), out Row row);
        if (lookup == Lookup.Cold)
        {
            return SessionVerdict.Cold;
        }

        SessionBook book = lookup == Lookup.Found ? SessionBook.Read(row.Value) : default;
        if (_request.Session <= book.Watermark && Guards.EvictedSessionsAreRefused)
        {
            return Refuse(DropReason.SessionExpired);
        }

        return _request.Number <= _request.Acknowledged
            ? Refuse(DropReason.RequestForgotten)
            : SessionVerdict.Execute;
    }

    private SessionVerdict Refuse(DropReason reason)
    {
        Refusal = reason;
        return SessionVerdict.Refuse;
    }

    /// <summary>
    /// Forgets the replies that the client has seen, and those of the lowest numbers beyond the bound, so that there is
    /// a place for one more.
    /// </summary>
    private void LetGo(EntryBuilder entry, SessionHeader header)
    {
        int surplus = header.Numbers.Count + 1 - settings.RepliesPerSessionMax;
        List<ulong> gone = [];
        foreach (RememberedNumber each in header.Numbers)
        {
            // Its own reply stays, even when its number is the lowest: then the next one makes room.
            if (gone.Count < surplus || each.Number <= _request.Acknowledged)
            {
                entry.Add(new RowChange(
                    SessionRows.Reply(_rowKey, _place, each.Number), RowType.Tombstone, 0, []));
                header.Forgotten = Math.Max(header.Forgotten, each.Number);
                gone.Add(each.Number);
            }
        }

        header.Numbers.RemoveAll(each => gone.Contains(each.Number));
        ulong seen = Math.Min(_request.Acknowledged, _request.Number - 1);
        header.Forgotten = Math.Max(header.Forgotten, seen);
    }
}
