using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Quorate.Server.Runtime;

namespace Quorate.Server.Resp;

/// <summary>
/// Drives a <see cref="RespConnection"/> over a pipe: whoever has bytes, completions or room gives it a turn, one at a
/// time, and flushes once behind it.
/// <para>Invariant: the connection and the writing end of the pipe are touched under the gate alone. A flush that the
/// client's socket has not taken ends the turns until it has; nothing is read meanwhile.</para>
/// </summary>
internal sealed partial class RespPipe : IRespDriver, IThreadPoolWorkItem, IRoundListener
{
    private readonly Lock _gate = new();
    private readonly ConnectionContext _context;
    private readonly PipeReader _input;
    private readonly CountingWriter _output;
    private readonly Action _onFlushed;
    private ValueTaskAwaiter<FlushResult> _flush;
    private TaskCompletionSource? _awaited;
    private bool _isFlushing;
    private long _flushingSince;
    private volatile bool _isCut;
    private bool _isOver;

    public RespPipe(RespShared shared, ConnectionContext context, long id, bool isCluster = false)
    {
        _context = context;
        _input = context.Transport.Input;
        _output = new CountingWriter(context.Transport.Output);
        _onFlushed = OnFlushed;
        Connection = new RespConnection(
            shared,
            this,
            id,
            context.RemoteEndPoint?.ToString() ?? "",
            context.LocalEndPoint?.ToString() ?? "",
            isCluster ? shared.Node.Cluster : null);
    }

    public RespConnection Connection { get; }

    /// <summary>It is being closed without ceremony.</summary>
    public bool IsCut => _isCut;

    private RespShared Shared => Connection.Shared;

    private bool IsIdle => _awaited is null;

    /// <summary>Serves the client until it or the node closes the connection; then nothing more is written.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ServeAsync().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _isOver = true;
                _isFlushing = false;
                Connection.Unflushed = 0;
                Connection.End();
                GiveTurns();
            }
        }
    }

    /// <summary>
    /// The node stops: what the client asks from now on is refused, and then the connection closes, so that a client
    /// which waits for each reply is never left to guess.
    /// </summary>
    public void BeginLeave()
    {
        lock (_gate)
        {
            Connection.Leaving = (true, false);
        }
    }

    /// <summary>No more is taken from the client; what it has asked is answered.</summary>
    public void BeginClose()
    {
        lock (_gate)
        {
            if (!Connection.IsClosing)
            {
                Connection.Close();
                GiveTurns();
            }
        }

        _input.CancelPendingRead();
    }

    /// <summary>
    /// What is completed in a round of the node is written at its end, on the thread that drove it: a hand-off costs
    /// more than the write does.
    /// </summary>
    public void Wake()
    {
        if (!NodeLoop.TryListen(this))
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    public void Abort()
    {
        // Perhaps on another connection's turn, so not under the gate: the next turn of this one sees it.
        _isCut = true;
        _context.Abort();
        Wake();
    }

    void IRoundListener.RoundEnded() => ((IThreadPoolWorkItem)this).Execute();

    void IThreadPoolWorkItem.Execute()
    {
        lock (_gate)
        {
            GiveTurns();
        }
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            ReadResult read = await _input.ReadAsync().ConfigureAwait(false);
            SequencePosition taken = Take(read.Buffer);
            bool isAll = taken.Equals(read.Buffer.End);
            _input.AdvanceTo(taken, isAll ? read.Buffer.End : taken);
            if (Connection.IsClosing || (isAll && (read.IsCompleted || Connection.Leaving.IsTold)))
            {
                break;
            }

            if (!isAll || !MayRead())
            {
                await RoomAsync().ConfigureAwait(false);
            }
        }

        // What the client has asked is answered, even if it says nothing more.
        BeginClose();
        await RoomAsync().WaitAsync(TimeSpan.FromMilliseconds(Shared.Settings.DrainMilliseconds)).ConfigureAwait(false);
    }

    private SequencePosition Take(in ReadOnlySequence<byte> input)
    {
        lock (_gate)
        {
            Connection.Client.ActiveAt = Environment.TickCount64;
            SequencePosition taken = input.Start;
            foreach (ReadOnlyMemory<byte> segment in input)
            {
                int length = 0;
                while (length < segment.Length && MayTake())
                {
                    length += Connection.Take(segment.Span[length..]);
                    if (length < segment.Length)
                    {
                        // The connection has enough: what it has is answered, then perhaps it takes more.
                        GiveTurns();
                    }
                }

                taken = input.GetPosition(length, taken);
                if (length < segment.Length)
                {
                    break;
                }
            }

            GiveTurns();
            return taken;
        }
    }

    private bool MayRead()
    {
        lock (_gate)
        {
            return MayTake();
        }
    }

    private bool MayTake() => !_isFlushing && Connection.MayTake;

    /// <summary>Ends when more may be taken, or, of one that closes, when all is written.</summary>
    private Task RoomAsync()
    {
        lock (_gate)
        {
            if (HasRoom)
            {
                return Task.CompletedTask;
            }

            Shared.Replies.NoteWaiting();

            // The continuation must not run under the gate.
            _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _awaited.Task;
        }
    }

    private bool HasRoom => _isCut || (Connection.IsClosing ? Connection.IsThrough && !_isFlushing : MayTake());

    /// <summary>Turns and flushes until there is nothing to write, or the client does not take it.</summary>
    private void GiveTurns()
    {
        bool hasMore = true;
        while (hasMore && !_isFlushing)
        {
            if (_isOver)
            {
                // The pipe is completed: what ends now gives back what it held, and tells nobody.
                hasMore = Connection.Turn(NoOutput.Instance);
                continue;
            }

            hasMore = Connection.Turn(_output);
            if (_output.Pending == 0)
            {
                break;
            }

            Flush();
        }

        WakeIfRoom();
    }

    private void WakeIfRoom()
    {
        if (!IsIdle && HasRoom)
        {
            TaskCompletionSource? awaited = _awaited;
            _awaited = null;
            awaited!.SetResult();
        }
    }

    private void Flush()
    {
        long bytes = _output.Pending;
        Shared.Counters.Wrote(bytes);
        _output.Pending = 0;

        // The transport may run on inside the call, and come back here.
        _isFlushing = true;
#pragma warning disable CA2012 // The awaiter is used once: here, or by the callback that it is given.
        try
        {
            _flush = _output.FlushAsync().GetAwaiter();
        }
        catch (Exception error) when (IsOfClient(error))
        {
            _isFlushing = false;
            End(new FlushResult(isCanceled: false, isCompleted: true));
            return;
        }
#pragma warning restore CA2012
        if (_flush.IsCompleted)
        {
            _isFlushing = false;
            End(ResultOfFlush());
            return;
        }

        _flushingSince = Environment.TickCount64;
        Connection.Unflushed = bytes;
        _flush.UnsafeOnCompleted(_onFlushed);
    }

    /// <summary>
    /// What came of the flush. One that the client's host has broken ends the connection, and nothing else.
    /// </summary>
    private FlushResult ResultOfFlush()
    {
        try
        {
            return _flush.GetResult();
        }
        catch (Exception error) when (IsOfClient(error))
        {
            return new FlushResult(isCanceled: false, isCompleted: true);
        }
    }

    /// <summary>The transport ends a pipe by the exception that its socket met.</summary>
    private static bool IsOfClient(Exception error) =>
        error is IOException or SocketException or InvalidOperationException or OperationCanceledException;

    private void OnFlushed()
    {
        lock (_gate)
        {
            FlushResult result = ResultOfFlush();
            if (!_isOver)
            {
                _isFlushing = false;
                Connection.Unflushed = 0;
                End(result);
                GiveTurns();
            }
        }
    }

    private void End(FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled)
        {
            // Nobody is there to read any more.
            _isCut = true;
            Connection.Close();
        }
    }
}
