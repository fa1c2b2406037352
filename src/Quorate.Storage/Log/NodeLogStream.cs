using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>
/// One replica's log within the node's: what the log holds of it, its reads, and where it will stand once all writes
/// that wait are in.
/// </summary>
internal sealed class NodeLogStream(LogStream id, LogContents contents, LogReads reads) : IGroupLog
{
    private readonly Queue<(ulong Sequence, LogIndex From)> _cuts = new();
    private NodeLog? _log;
    private ulong _lastSequence;

    /// <summary>There are some: most writes cut nothing, and need not look.</summary>
    private bool _hasCuts;
    private bool _isDropped;

    /// <summary>Where its base was when it was asked for a checkpoint, and how often it was since then.</summary>
    private (LogIndex Base, int Times) _asked;

    public LogStream Id { get; } = id;

    public LogContents Contents { get; } = contents;

    public LogReads Reads { get; } = reads;

    /// <summary>The memberships that were replayed; given to the owner when it opens the stream.</summary>
    public List<MembershipAt> Memberships { get; } = [];

    /// <summary>Null for a stream that nobody has asked for, or that is dropped.</summary>
    public IGroupLogClient? Client { get; private set; }

    public bool IsOpened { get; private set; }

    /// <summary>The last entry once all waiting writes are in.</summary>
    public LogIndex LastWaiting { get; private set; }

    /// <summary>The lowest index at which a waiting write cuts the stream.</summary>
    public LogIndex Cut
    {
        get
        {
            var cut = new LogIndex(ulong.MaxValue);
            foreach ((_, LogIndex from) in _cuts)
            {
                cut = LogIndex.Min(cut, from);
            }

            return cut;
        }
    }

    /// <summary>It was asked for a checkpoint more than once and has released nothing since.</summary>
    public bool IsStuck => _asked.Times > 1 && _asked.Base == Contents.Base;

    /// <summary>It is asked for a checkpoint, so that it releases something.</summary>
    public void NoteAsked() => _asked = (Contents.Base, _asked.Base == Contents.Base ? _asked.Times + 1 : 1);

    /// <summary>A replayed entry that was written again: a membership that only this record brings is kept.</summary>
    public void NoteAgain(LogIndex index, Membership? membership)
    {
        int at = Memberships.FindIndex(known => known.Index >= index);
        if (membership is not null && (at < 0 || Memberships[at].Index != index))
        {
            Memberships.Insert(at < 0 ? Memberships.Count : at, new(index, membership));
        }
    }

    public void Attach(NodeLog log, IGroupLogClient client)
    {
        Invariant.Check(Client is null && !_isDropped, $"{Id} has one owner and is not being dropped");
        _log = log;
        Client = client;
    }

    /// <summary>The stream is to be dropped, and the owner is told nothing more.</summary>
    public void Detach()
    {
        _isDropped = true;
        Client = null;
        _log = null;
    }

    public void Open() => _log?.OpenStream(this);

    /// <summary>What is there, for the owner.</summary>
    public RecoveredLog Recovered()
    {
        Invariant.Check(!IsOpened, "a stream is opened once");
        IsOpened = true;
        LastWaiting = Contents.Last;
        MembershipAt[] memberships = [.. Memberships.Where(m => m.Index > Contents.Base)];
        Memberships.Clear();
        Memberships.TrimExcess();
        return new(
            Contents.HardState, Contents.Base, Contents.BaseTerm, Contents.Last, Contents.TermStarts(), memberships);
    }

    public void Write(Persist persist) => _log?.Write(this, persist);

    public void Read(ulong tag, LogIndex first, LogIndex last, int maxBytes) =>
        _log?.Read(this, new(Id, tag, first, last, maxBytes));

    /// <summary>Follows where the stream will end once all waiting writes are in, and what they take from
    /// reads.</summary>
    public void NoteWaiting(Persist persist)
    {
        Invariant.Check(IsOpened, "a log is written after it has been opened");
        Invariant.Check(persist.Sequence == _lastSequence + 1, $"write {persist.Sequence} follows {_lastSequence}");
        _lastSequence = persist.Sequence;
        if (persist.ResetTo is SnapshotMeta snapshot)
        {
            Reads.Cut(LogIndex.Zero);
            LastWaiting = snapshot.Index;
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            Reads.Cut(persist.TruncateFrom);
            LastWaiting = LogIndex.Min(LastWaiting, persist.TruncateFrom.Previous);
        }

        if (persist.ResetTo is not null || persist.TruncateFrom != LogIndex.Zero)
        {
            _hasCuts = true;
            _cuts.Enqueue((persist.Sequence, persist.ResetTo is null ? persist.TruncateFrom : new(1)));
        }

        if (persist.Entries.Length > 0)
        {
            Invariant.Check(
                persist.Entries[0].Index == LastWaiting.Next,
                $"entry {persist.Entries[0].Index} follows the log's last entry {LastWaiting}");
            LastWaiting = persist.Entries[^1].Index;
        }
    }

    /// <summary>A write has become part of a batch.</summary>
    public void NoteComposed(ulong sequence)
    {
        while (_hasCuts && _cuts.Peek().Sequence <= sequence)
        {
            _cuts.Dequeue();
            _hasCuts = _cuts.Count > 0;
        }
    }
}
