using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Protocol;
using Quorate.Server.Reading;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp;

/// <summary>What becomes of a request whose reply needs more than one call, or a look at another place.</summary>
internal abstract class RequestSteps
{
    /// <summary>
    /// All calls of the request have ended: ask for more, or finish it. On the connection's turn.
    /// </summary>
    public abstract void Next(RespRequest request);
}

/// <summary>
/// A command of a connection from its first byte until its reply is written. Used again for another when it is through;
/// one whose calls have not all ended never is.
/// </summary>
internal sealed class RespRequest : IReplyTaker
{
    /// <summary>Requests that a thread keeps for the next.</summary>
    private const int KeptMax = 1024;

    /// <summary>Words of the lines that are kept for the next command of as many.</summary>
    private const int KeptWordsMax = 8;

    /// <summary>Words of so many bytes may stay until they are overwritten.</summary>
    private const int KeptBytesMax = 4096;

    /// <summary>The room for a reply, in bytes: at first, and the largest that is kept.</summary>
    private const int RoomBytesMin = 256;

    private const int RoomBytesMax = 4096;

    [ThreadStatic]
    private static Stack<RespRequest>? _kept;

    private byte[] _room = [];

    private readonly ReadOnlyMemory<byte>[]?[] _words = new ReadOnlyMemory<byte>[KeptWordsMax + 1][];
    private readonly CommandLine?[] _lines = new CommandLine?[KeptWordsMax + 1];
    private readonly CommandLine[] _one = new CommandLine[1];

    private RespRequest() => Call = new RespCall(this);

    public RespCommand Command { get; } = new();

    /// <summary>The only call of most requests.</summary>
    public RespCall Call { get; }

    public RespConnection Connection { get; private set; } = null!;

    /// <summary>The command's words.</summary>
    public CommandLine Line { get; private set; } = null!;

    /// <summary>Its bytes while it counts as being in flight.</summary>
    public long Bytes { get; private set; }

    /// <summary>Null for a command of the connection itself.</summary>
    public CommandSpec? Spec { get; set; }

    public EdgeCommand? Edge { get; set; }

    /// <summary>When it had come, on the process's own clock.</summary>
    public long StartedAt { get; set; }

    /// <summary>2 or 3: the protocol that its reply is written in.</summary>
    public int Version { get; set; }

    /// <summary>It reads what a replica here has, as READONLY asks for.</summary>
    public bool ReadsReplica { get; set; }

    /// <summary>It is a part of an EXEC, which has its reply.</summary>
    public bool IsPart { get; private init; }

    /// <summary>Its reply is not written.</summary>
    public bool IsSilent { get; set; }

    public bool IsDone { get; private set; }

    /// <summary>Since it came the node has seen all that the metadata group had decided before.</summary>
    public bool HasSeenMap { get; set; }

    /// <summary>RESP3; counts once it is done.</summary>
    public ReadOnlyMemory<byte> Reply { get; private set; }

    /// <summary>
    /// What follows on <see cref="Reply"/>, which is then the head of an array: its elements, written one after the
    /// other and forgotten. Null for a reply in one piece.
    /// </summary>
    public ReadOnlyMemory<byte>[]? Elements { get; private set; }

    /// <summary>The next of <see cref="Elements"/> to write; -1 for the head.</summary>
    public int NextElement { get; set; }

    /// <summary>Of the whole reply.</summary>
    public long ReplyBytes { get; private set; }

    /// <summary>How far the reply, or the element of it that is written now, is written.</summary>
    public RespText Text;

    /// <summary>The shapes of a transaction's replies; else null.</summary>
    public Resp2Shape[]? Shapes { get; set; }

    /// <summary>
    /// Replies of its calls, in bytes, that count in <see cref="ReplyRoom"/> until it has its own.
    /// </summary>
    private long _counted;

    /// <summary>What it keeps besides its own words until it is through; null for nothing.</summary>
    public InputHold? Hold { get; set; }

    /// <summary>Calls that have not ended.</summary>
    public int Pending { get; set; }

    public RequestSteps? Steps { get; set; }

    /// <summary>The one behind it on its connection.</summary>
    public RespRequest? Next { get; set; }

    public static RespRequest Rent(RespConnection connection)
    {
        Stack<RespRequest> kept = _kept ??= new();
        RespRequest request = kept.TryPop(out RespRequest? used) ? used : new RespRequest();
        request.Connection = connection;
        request.Command.Budget = connection.Shared.Budget;
        return request;
    }

    /// <summary>
    /// A command of the connection within an EXEC: it takes its reply and tells nobody. Never used again.
    /// </summary>
    public static RespRequest PartOf(RespRequest request, CommandLine line) => new()
    {
        Connection = request.Connection, Line = line, Version = request.Connection.Client.Version, IsPart = true,
    };

    /// <summary>It is through. What it held is forgotten.</summary>
    public void Return()
    {
        ForgetWords();
        Hold?.Release();
        Hold = null;
        Command.Clear();
        Command.Budget = null;
        Call.Clear();
        Connection = null!;
        Spec = null;
        Edge = null;
        IsSilent = false;
        IsDone = false;
        ReadsReplica = false;
        HasSeenMap = false;
        Reply = default;
        ReplyBytes = 0;
        Elements = null;
        Text = default;
        Shapes = null;
        Steps = null;
        Next = null;
        Stack<RespRequest> kept = _kept ??= new();
        if (kept.Count < KeptMax)
        {
            kept.Push(this);
        }
    }

    /// <summary>All words have come.</summary>
    public void TakeWords()
    {
        int count = Command.Count;
        Bytes = Command.Bytes;
        Command.Finish();
        if (count > KeptWordsMax)
        {
            var words = new ReadOnlyMemory<byte>[count];
            Fill(words);
            Line = new CommandLine(words);
            return;
        }

        ReadOnlyMemory<byte>[] kept = _words[count] ??= new ReadOnlyMemory<byte>[count];
        Fill(kept);
        Line = _lines[count] ??= new CommandLine(kept);
        Line.WordsChanged();
    }

    /// <summary>Its call's lines: the command itself.</summary>
    public CommandLine[] OwnLines()
    {
        _one[0] = Line;
        return _one;
    }

    /// <summary>
    /// Counts the reply of one of its calls; false when it must be let go, since there is no room for it and its
    /// command has only read. Any thread.
    /// </summary>
    public bool TryCount(int bytes, bool writes)
    {
        ReplyRoom room = Connection.Shared.Replies;
        if (!writes && !room.HasRoomFor(bytes))
        {
            return false;
        }

        Interlocked.Add(ref _counted, bytes);
        room.Add(bytes);
        return true;
    }

    /// <summary>The replies of its calls no longer count.</summary>
    public void Uncount()
    {
        if (Interlocked.Exchange(ref _counted, 0) is var bytes and not 0)
        {
            Connection.Shared.Replies.Add(-bytes);
        }
    }

    public void Finish(ReadOnlyMemory<byte> reply)
    {
        if (IsDone)
        {
            return;
        }

        // What its calls have brought goes over into the reply, so it does not count twice.
        Uncount();
        if (MustRefuse(reply.Length))
        {
            RefuseReply(reply.Length);
            return;
        }

        IsDone = true;
        Reply = reply;
        ReplyBytes = reply.Length;
        if (!IsPart)
        {
            Connection.OnDone(this);
        }
    }

    /// <summary>
    /// Finishes with an array, whose elements stay where they are until they are written: strings, or nothing.
    /// </summary>
    public void Finish(ReadOnlyMemory<byte>[] elements)
    {
        if (IsDone)
        {
            return;
        }

        Uncount();
        ReadOnlyMemory<byte> head = Replies.Of(reply => reply.Array(elements.Length));
        long bytes = head.Length;
        foreach (ReadOnlyMemory<byte> element in elements)
        {
            bytes += element.Length;
        }

        if (MustRefuse(bytes))
        {
            RefuseReply(bytes);
            return;
        }

        Elements = elements;
        NextElement = -1;
        IsDone = true;
        Reply = head;
        ReplyBytes = bytes;
        Connection.OnDone(this);
    }

    /// <summary>Finishes with a copy of a reply.</summary>
    public void Take(ReadOnlySpan<byte> reply)
    {
        if (_room.Length < reply.Length)
        {
            if (MustRefuse(reply.Length))
            {
                // Before there is a copy.
                RefuseReply(reply.Length);
                return;
            }

            // Longer ones are rare, and would stay for ever with those that are kept.
            byte[] room = new byte[Math.Max(RoomBytesMin, reply.Length)];
            reply.CopyTo(room);
            _room = room.Length > RoomBytesMax ? _room : room;
            Finish(room.AsMemory(0, reply.Length));
            return;
        }

        reply.CopyTo(_room);
        Finish(_room.AsMemory(0, reply.Length));
    }

    public void Error(string text) => Finish(Replies.Error(text));

    public void Ok() => Finish(Replies.Ok);

    /// <summary>There is no room for the reply, and nothing is lost with it.</summary>
    private bool MustRefuse(long bytes) =>
        Spec is { Kind: not CommandKind.Write } && !Connection.Shared.Replies.HasRoomFor(bytes);

    private void RefuseReply(long bytes)
    {
        Connection.RefusedReply(bytes);
        Error(Outcomes.NoRoom);
    }

    /// <summary>Large buffers must not live on in the words of a request that waits for its next use.</summary>
    private void ForgetWords()
    {
        if (Bytes <= KeptBytesMax)
        {
            return;
        }

        int count = Command.Count;
        if (count <= KeptWordsMax && _words[count] is { } words)
        {
            Array.Clear(words);
        }

        _one[0] = null!;
        Line = null!;
        Call.Lines = [];
        Bytes = 0;
    }

    private void Fill(ReadOnlyMemory<byte>[] words)
    {
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Command.Word(i);
        }
    }
}
