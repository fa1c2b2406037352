using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Protocol;
using Quorate.Server.Runtime;

namespace Quorate.Server.Resp;

/// <summary>
/// The endpoint that speaks the Redis protocol: it looks like one standalone Redis, whatever the cluster behind it.
/// Kestrel hands it each connection.
/// </summary>
public sealed class RespEndpoint : ConnectionHandler, IDisposable
{
    /// <summary>How often slow clients are looked for, in milliseconds; while memory is not short, every fourth
    /// time.</summary>
    private const int CheckMilliseconds = 250;

    private readonly RespShared _shared;
    private readonly Timer _checks;
    private readonly TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isDraining;
    private int _checksDone;
    private int _isChecking;

    public RespEndpoint(RespSettings settings, INodeGateway gateway, RespNode node)
    {
        _shared = new RespShared(settings, gateway, node);
        _shared.Budget.RoomCame = LookForRoomSoon;
        _checks = new Timer(_ => Check(), null, CheckMilliseconds, CheckMilliseconds);
    }

    /// <summary>Open connections.</summary>
    public int ConnectionCount => _shared.Connections.Count;

    /// <summary>Replies that wait for clients to take them, in bytes.</summary>
    public long ReplyBytesWaiting => _shared.Replies.Held;

    /// <summary>
    /// What the commands of all clients take until they are answered, in bytes. While one is executed its words count
    /// as a request's, too: they are there a second time as soon as they go on to another node or into an entry.
    /// </summary>
    public long InputBytesWaiting => _shared.Budget.Taken;

    internal RespShared Shared => _shared;

    public override Task OnConnectedAsync(ConnectionContext connection) => ServeAsync(connection, isCluster: false);

    /// <summary>Serves a connection until its end.</summary>
    /// <param name="isCluster">It came by the cluster endpoint.</param>
    public async Task ServeAsync(ConnectionContext connection, bool isCluster)
    {
        long id = _shared.NextId();
        if (_isDraining || _shared.Connections.Count >= _shared.Settings.ConnectionsMax)
        {
            await RejectAsync(connection).ConfigureAwait(false);
            return;
        }

        _shared.Counters.Accepted();
        var pipe = new RespPipe(_shared, connection, id, isCluster);
        _shared.Connections.TryAdd(id, pipe);
        if (_isDraining)
        {
            // It came in between: the drain has not seen it.
            pipe.BeginLeave();
        }

        IConnectionLifetimeNotificationFeature? lifetime =
            connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using CancellationTokenRegistration closing =
            lifetime?.ConnectionClosedRequested.Register(pipe.BeginClose) ?? default;
        try
        {
            await pipe.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException
            or TimeoutException or OperationCanceledException)
        {
            // The client has gone, or did not take its last replies in time.
            connection.Abort();
        }
        catch (Exception e) when (e is OutOfMemoryException or InvariantBrokenException)
        {
            // Kestrel would close the connection and go on; what else was to be done is not known to have been done.
            ProcessEnd.Now(ProcessEnd.CodeOf(e), ProcessEnd.SentenceOf(e));
        }
        finally
        {
            _shared.Connections.TryRemove(id, out _);
            LookWhetherEmpty();
        }
    }

    /// <summary>
    /// Executes no more commands: for a while those that come are refused, then connections close. Ends when all that
    /// was begun is answered, or the time for it is over.
    /// </summary>
    public async Task DrainAsync()
    {
        _isDraining = true;
        Each(pipe => pipe.BeginLeave());
        LookWhetherEmpty();
        await Emptied(_shared.Settings.LeaveMilliseconds).ConfigureAwait(false);
        Each(pipe => pipe.BeginClose());
        await Emptied(_shared.Settings.DrainMilliseconds).ConfigureAwait(false);
        Each(pipe => pipe.Abort());
    }

    public void Dispose() => _checks.Dispose();

    private void Each(Action<RespPipe> action)
    {
        foreach (RespPipe pipe in _shared.Connections.Values)
        {
            action(pipe);
        }
    }

    private void LookWhetherEmpty()
    {
        if (_isDraining && _shared.Connections.IsEmpty)
        {
            _emptied.TrySetResult();
        }
    }

    /// <summary>Waits until no connection is left, but no longer than this.</summary>
    private Task Emptied(int milliseconds) => Task.WhenAny(_emptied.Task, Task.Delay(milliseconds));

    private async Task RejectAsync(ConnectionContext connection)
    {
        _shared.Counters.RejectedOne();
        var reply = new Reply();
        reply.Error(_isDraining
            ? $"{ErrorCodes.RefusedByStop}, nothing was done; ask another node"
            : "ERR max number of clients reached");
        await connection.Transport.Output.WriteAsync(reply.ToArray()).ConfigureAwait(false);
    }

    private void Check()
    {
        // A timer does not wait for the call before it.
        if (Interlocked.Exchange(ref _isChecking, 1) != 0)
        {
            return;
        }

        long now = Environment.TickCount64;
        if (_shared.Replies.IsPressed)
        {
            Relieve(now);
        }

        if (_shared.Budget.IsTight)
        {
            RelieveInput(now);
        }

        LookForRoom();

        if (++_checksDone % 4 == 0)
        {
            foreach (RespPipe pipe in _shared.Connections.Values)
            {
                pipe.Check(now);
            }
        }

        Volatile.Write(ref _isChecking, 0);
    }

    private void LookForRoom()
    {
        if (_shared.Replies.TakeWaiting())
        {
            foreach (RespPipe pipe in _shared.Connections.Values)
            {
                pipe.LookForRoom();
            }
        }
    }

    /// <summary>Who gave the room back may be in the middle of a turn, so not on that thread.</summary>
    private void LookForRoomSoon() =>
        ThreadPool.UnsafeQueueUserWorkItem(static endpoint => endpoint.LookForRoom(), this, preferLocal: false);

    /// <summary>
    /// Commands wait for room: of the clients that send nothing of what they have begun, those that hold most are
    /// closed, until unfinished commands take a quarter of what all may.
    /// </summary>
    private void RelieveInput(long now)
    {
        List<(long Held, RespPipe Pipe)> stalled = [];
        foreach (RespPipe pipe in _shared.Connections.Values)
        {
            if (pipe.LookAtInput(now) is > 0 and long held)
            {
                stalled.Add((held, pipe));
            }
        }

        long toGo = _shared.Budget.Unfinished - (_shared.Budget.BytesMax / 4);
        foreach ((long held, RespPipe pipe) in stalled.OrderByDescending(each => each.Held))
        {
            if (toGo <= 0 || !Guards.UnfinishedInputIsCut)
            {
                break;
            }

            pipe.CutUnfinished();
            toGo -= held;
        }
    }

    /// <summary>Closes the clients that hold most of those that take nothing, until there is room again.</summary>
    private void Relieve(long now)
    {
        (long Held, RespPipe Pipe)[] heaviest =
        [
            .. _shared.Connections.Values.Select(pipe => (pipe.Connection.Held, Pipe: pipe))
                .Where(each => each.Held > 0).OrderByDescending(each => each.Held),
        ];
        long toGo = _shared.Replies.Held - (_shared.Replies.BytesMax / 2);
        foreach ((long held, RespPipe pipe) in heaviest)
        {
            if (toGo <= 0)
            {
                break;
            }

            // What it holds goes when its own thread sees that it is cut.
            toGo -= pipe.TryCut(now) ? held : 0;
        }
    }
}
