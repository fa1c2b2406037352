using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Server.Runtime;

namespace Quorate.Server.Resp;

/// <summary>
/// The endpoint that speaks the Redis protocol: it looks like one standalone Redis, whatever the cluster behind it.
/// Kestrel hands it each connection.
/// </summary>
public sealed class RespEndpoint : ConnectionHandler, IDisposable
{
    /// <summary>How often slow clients are looked for, in milliseconds.</summary>
    private const int CheckMilliseconds = 1000;

    private readonly RespShared _shared;
    private readonly Timer _checks;
    private bool _isDraining;

    public RespEndpoint(RespSettings settings, INodeGateway gateway, RespNode node)
    {
        _shared = new RespShared(settings, gateway, node);
        _checks = new Timer(_ => Check(), null, CheckMilliseconds, CheckMilliseconds);
    }

    /// <summary>Open connections.</summary>
    public int ConnectionCount => _shared.Connections.Count;

    internal RespShared Shared => _shared;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        long id = _shared.NextId();
        if (_isDraining || _shared.Connections.Count >= _shared.Settings.ConnectionsMax)
        {
            await RejectAsync(connection).ConfigureAwait(false);
            return;
        }

        _shared.Counters.Accepted();
        var pipe = new RespPipe(_shared, connection, id);
        _shared.Connections.TryAdd(id, pipe);
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
        catch (OutOfMemoryException e)
        {
            // What else was to be done when memory ran out is not known to have been done.
            ProcessEnd.Now(ExitCode.Internal, ProcessEnd.SentenceOf(e));
        }
        catch (InvariantBrokenException e)
        {
            // Kestrel would close the connection and go on; a node that finds a broken invariant must not.
            Environment.FailFast(e.Message, e);
        }
        finally
        {
            _shared.Connections.TryRemove(id, out _);
        }
    }

    /// <summary>Takes no more commands; ends when all that was begun is answered, or the time for it is over.</summary>
    public async Task DrainAsync()
    {
        _isDraining = true;
        foreach (RespPipe pipe in _shared.Connections.Values)
        {
            pipe.BeginClose();
        }

        long until = Environment.TickCount64 + _shared.Settings.DrainMilliseconds;
        while (!_shared.Connections.IsEmpty && Environment.TickCount64 < until)
        {
            await Task.Delay(10).ConfigureAwait(false);
        }

        foreach (RespPipe pipe in _shared.Connections.Values)
        {
            pipe.Abort();
        }
    }

    public void Dispose() => _checks.Dispose();

    private async Task RejectAsync(ConnectionContext connection)
    {
        _shared.Counters.RejectedOne();
        var reply = new Reply();
        reply.Error(_isDraining ? "ERR the node is stopping" : "ERR max number of clients reached");
        await connection.Transport.Output.WriteAsync(reply.ToArray()).ConfigureAwait(false);
    }

    private void Check()
    {
        long now = Environment.TickCount64;
        foreach (RespPipe pipe in _shared.Connections.Values)
        {
            pipe.Check(now);
        }
    }
}
