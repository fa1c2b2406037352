using System.Buffers;
using System.Diagnostics;
using Quorate.Core;
using Quorate.Protocol;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Resp;

/// <summary>
/// The handler of one client's connection: bytes in, bytes out, with no task, pipe or lock inside. Its driver gives it
/// turns, one at a time; only <see cref="OnCompleted"/> may come from elsewhere meanwhile.
/// <para>Invariants: replies are in the order of the commands; all commands that have come are handed to the node
/// together; all that waits for the client or for the node is bounded by <see cref="RespSettings"/>.</para>
/// </summary>
internal sealed partial class RespConnection
{
    private readonly IRespDriver _driver;
    private readonly RespReader _reader;
    private RespRequest? _arriving;
    private RespRequest? _first;
    private RespRequest? _last;
    private RespRequest? _stalled;
    private RespRequest? _alone;
    private RespCall? _completed;
    private int _isTurning;
    private int _count;
    private long _bytes;
    private long _replyBytes;

    /// <summary>As <see cref="_largeReply"/>, for the room that all share; -1 while nothing is known.</summary>
    private long _usualReply = -1;
    private long _unflushed;

    /// <summary>As much of what waits as was counted in <see cref="ReplyRoom"/>.</summary>
    private long _held;
    private int _takenSinceTurn;
    private bool _needsRoom;

    /// <summary>Of the largest among the latest replies, in bytes: how large the next ones may be.</summary>
    private long _largeReply;

    /// <param name="address">Of the client.</param>
    /// <param name="localAddress">Where it has reached the node.</param>
    /// <param name="endpoint">The cluster endpoint that it came by; null for the plain one.</param>
    public RespConnection(
        RespShared shared,
        IRespDriver driver,
        long id,
        string address,
        string localAddress = "",
        ClusterEndpoint? endpoint = null)
    {
        Shared = shared;
        _driver = driver;
        _reader = new RespReader(shared.Settings.Limits);
        _largeReply = shared.Settings.ReplyBytesWaitingMax / shared.Settings.FirstCommandsMax;
        Client = new RespClient(id, address)
        {
            Endpoint = endpoint,
            WatchHold = new InputHold(shared.Budget),
            LocalAddress = localAddress,
            CreatedAt = Environment.TickCount64,
            ActiveAt = Environment.TickCount64,
        };
        Calls = new ConnectionCalls(this);
    }

    /// <summary>What all connections of the endpoint share.</summary>
    public RespShared Shared { get; }

    /// <summary>What the connection is set to.</summary>
    public RespClient Client { get; }

    /// <summary>Its calls to partitions.</summary>
    public ConnectionCalls Calls { get; }

    /// <summary>Commands that have no reply yet.</summary>
    public int Unfinished { get; private set; }

    /// <summary>Bytes of replies that wait to be written.</summary>
    public long ReplyBytesWaiting => _replyBytes;

    /// <summary>The node stops: whatever comes is refused, and the client knows once something was.</summary>
    public (bool IsSo, bool IsTold) Leaving { get; set; }

    /// <summary>
    /// Bytes that were handed to the socket, which has not taken them. Its driver says so; it counts with the replies.
    /// </summary>
    public long Unflushed
    {
        get => _unflushed;
        set
        {
            _unflushed = value;
            CountHeld();
        }
    }

    /// <summary>What it counts for among the replies of all clients, in bytes; any thread may look.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>No more commands are taken; it ends once the replies are written.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>It is closing, and nothing is left to write.</summary>
    public bool IsThrough => IsClosing && _first is null;

    /// <summary>What it holds of commands that are not whole or not executed, as far as that is counted.</summary>
    public long InputHeld => (_arriving?.Command.Held ?? 0) + Client.QueuedBytes;

    /// <summary>Bytes that it has taken.</summary>
    public long InputTaken { get; private set; }

    /// <summary>A command has come in part, and waits for room for its rest.</summary>
    public bool NeedsRoom => _needsRoom;

    /// <summary>More bytes may be given to <see cref="Take"/>.</summary>
    public bool MayTake => !IsClosing
        && (!_needsRoom || _arriving!.Command.HasRoom)
        && _stalled is null
        && _alone is null
        && _count < Shared.Settings.CommandsInFlightMax
        && _bytes < Shared.Settings.CommandBytesInFlightMax
        && _takenSinceTurn < Shared.Settings.CommandsPerTurnMax
        && (_replyBytes + (_count * _largeReply) <= Shared.Settings.ReplyBytesWaitingMax
            || !Guards.RepliesWaitingAreBounded)
        && (!Shared.Replies.IsTight || (_count == 0 && Shared.Replies.HasRoomForLike(_usualReply)));

    /// <summary>
    /// Takes bytes and gives what there is to answer: <see cref="Take"/> and <see cref="Turn"/> until nothing more
    /// happens. The number of bytes that were taken.
    /// </summary>
    public int Consume(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        int taken = 0;
        do
        {
            taken += Take(input[taken..]);
            while (Turn(output))
            {
            }
        }
        while (taken < input.Length && MayTake);
        return taken;
    }

    /// <summary>
    /// Takes commands from bytes as long as it may; the number of bytes taken. What they ask is handed over at the next
    /// <see cref="Turn"/>.
    /// </summary>
    public int Take(ReadOnlySpan<byte> input)
    {
        int length = input.Length;
        long commands = Client.Commands;
        Calls.BeginTurn();
        while (!input.IsEmpty && MayTake)
        {
            _needsRoom = false;
            RespRequest request = _arriving ??= RespRequest.Rent(this);
            switch (_reader.Read(ref input, request.Command))
            {
                case RespRead.Command:
                    _arriving = null;
                    request.TakeWords();
                    Append(request);
                    Dispatch.Start(request);
                    break;
                case RespRead.Malformed:
                    _arriving = null;
                    request.Command.Clear();
                    Append(request);
                    request.Error(_reader.Error);
                    Close();
                    break;
                case RespRead.NeedsRoom:
                    _needsRoom = true;
                    break;
                default:
                    ReturnEmpty();
                    break;
            }
        }

        InputTaken += length - input.Length;
        Shared.Counters.Took(Client.Commands - commands, length - input.Length, Calls.TakeReadsHere());
        return length - input.Length;
    }

    /// <summary>
    /// Hands over what was taken, sees what has ended, and writes replies; true when more could be written at once.
    /// </summary>
    public bool Turn(IBufferWriter<byte> output)
    {
        _takenSinceTurn = 0;
        do
        {
            Volatile.Write(ref _isTurning, 1);
            do
            {
                FinishCompleted();
                StartStalled();
                Calls.Submit();
            }
            while (Volatile.Read(ref _completed) is not null || MayStartStalled);

            // After this a completion wakes the driver; one that came before is seen by the look behind it.
            Interlocked.Exchange(ref _isTurning, 0);
        }
        while (Volatile.Read(ref _completed) is not null);
        return WriteReplies(output);
    }

    /// <summary>A call has ended. Any thread.</summary>
    public void OnCompleted(RespCall call)
    {
        RespCall? head = Volatile.Read(ref _completed);
        while (true)
        {
            call.NextCompleted = head;
            RespCall? seen = Interlocked.CompareExchange(ref _completed, call, head);
            if (seen == head)
            {
                break;
            }

            head = seen;
        }

        if (head is null && Volatile.Read(ref _isTurning) == 0)
        {
            _driver.Wake();
        }
    }

    /// <summary>
    /// A command that must be alone: it runs once all before it are done, and none behind it begins before it is done.
    /// False when it has to wait: then it is dispatched again.
    /// </summary>
    public bool TryBeAlone(RespRequest request)
    {
        if (Unfinished > 1)
        {
            _stalled = request;
            return false;
        }

        _alone = request;
        return true;
    }

    /// <summary>Answers a command that came when the connection was already leaving.</summary>
    public void RefuseToLeave(RespRequest request)
    {
        Leaving = (true, true);
        request.Error($"{ErrorCodes.RefusedByStop}, nothing was done; ask another node");
    }

    /// <summary>Takes no more commands; what was taken is answered.</summary>
    public void Close()
    {
        IsClosing = true;
        if (_stalled is { } stalled)
        {
            _stalled = null;
            stalled.Error($"{ErrorCodes.Refused} the connection is closing, nothing was done");
        }
    }

    /// <summary>The client has gone: what it began to send is forgotten.</summary>
    public void End()
    {
        Close();
        _arriving?.Return();
        _arriving = null;
        _needsRoom = false;
        Client.DropTransaction();
        Client.Unwatch();
    }

    /// <summary>The command that waits for room is refused; its rest is read and forgotten.</summary>
    public void RefuseArriving()
    {
        Shared.Counters.RefusedInput();
        _arriving!.Command.RefuseForRoom();
        _needsRoom = false;
    }

    /// <summary>Another client's command goes first: this one sends nothing.</summary>
    public void LetOthersPass()
    {
        if (_arriving is { } arriving)
        {
            Shared.Budget.Leave(arriving.Command);
        }
    }

    public void Abort() => _driver.Abort();

    private bool MayStartStalled => _stalled is not null && Unfinished == 1;

    private void StartStalled()
    {
        if (MayStartStalled)
        {
            RespRequest request = _stalled!;
            _stalled = null;
            Calls.BeginTurn();
            Dispatch.Start(request);
        }
    }

    private void FinishCompleted()
    {
        if (Volatile.Read(ref _completed) is null)
        {
            return;
        }

        Calls.BeginTurn();
        RespCall? call = Interlocked.Exchange(ref _completed, null);
        while (call is not null)
        {
            RespCall? next = call.NextCompleted;
            call.NextCompleted = null;
            Calls.End(call);
            call = next;
        }
    }

    /// <summary>An idle connection keeps no buffer.</summary>
    private void ReturnEmpty()
    {
        if (!_reader.IsInside && _arriving is { } empty)
        {
            _arriving = null;
            empty.Return();
        }
    }

    private void Append(RespRequest request)
    {
        request.Version = Client.Version;
        request.StartedAt = Stopwatch.GetTimestamp();
        request.IsSilent = Client.IsSilentNow();
        if (_last is null)
        {
            _first = request;
        }
        else
        {
            _last.Next = request;
        }

        _last = request;
        _count++;
        _bytes += request.Bytes;
        Unfinished++;
        _takenSinceTurn++;
        Client.Commands++;
    }
}
