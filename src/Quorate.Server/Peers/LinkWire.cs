using System.Net.Sockets;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Server.Runtime;

namespace Quorate.Server.Peers;

/// <summary>
/// An open connection of a <see cref="PeerLink"/>: it writes what waits there, and reads credit and signs of life
/// on the way back.
/// <para>Invariants: one write is under way at a time; the link's lock guards what it takes from the queues.</para>
/// </summary>
internal sealed class LinkWire : IFrameTaker, IDisposable
{
    private const int WayBackBytes = 1024;

    /// <summary>A socket that takes everything is left to another thread now and then.</summary>
    private const int WritesInARow = 8;

    private readonly PeerLink _link;
    private readonly Socket _socket;
    private readonly FrameReader _wayBack;
    private readonly SocketAsyncEventArgs _arguments = new();
    private readonly List<OutChunk> _chunks = [];
    private readonly List<ArraySegment<byte>> _pieces = [];
    private readonly bool _hasWindow;
    private long _credit;
    private long _heardAt;
    private long _askedAt;
    private bool _isWriting;
    private bool _isClosed;

    public LinkWire(PeerLink link, Socket socket, uint windowBytes)
    {
        _link = link;
        _socket = socket;
        _hasWindow = windowBytes > 0;
        _credit = windowBytes;
        _wayBack = new(socket, WayBackBytes, this);
        _arguments.Completed += (_, _) => GoOn();
        Awaken(MonotonicClock.Now);
    }

    public void Start()
    {
        _wayBack.Start();
        Flush();
    }

    /// <summary>Writes what waits, unless a write is under way, which then goes on with it.</summary>
    public void Flush()
    {
        lock (_link.Gate)
        {
            if (_isWriting || _isClosed || !Gather())
            {
                return;
            }

            _isWriting = true;
        }

        Write();
    }

    /// <summary>
    /// Asks whether the other end is there, when it is time to; true when it has not answered for too long.
    /// </summary>
    public bool IsSilent(Instant now, PeerSettings settings)
    {
        long sinceHeard = now.Microseconds - Volatile.Read(ref _heardAt);
        if (sinceHeard > settings.SilentAfter.Microseconds)
        {
            return true;
        }

        // One question at a time: an answer is later than the question.
        bool isAnswered = Volatile.Read(ref _heardAt) >= _askedAt;
        if (isAnswered && now.Microseconds - _askedAt >= settings.KeepAlive.Microseconds)
        {
            _askedAt = now.Microseconds;
            lock (_link.Gate)
            {
                _link.Urgent.AddSign(FrameKind.Ping, 0);
            }

            Flush();
        }

        return false;
    }

    /// <summary>This process was not running for a while, so that silence says nothing of the other end.</summary>
    public void Awaken(Instant now) => Volatile.Write(ref _heardAt, now.Microseconds);

    public string? Take(in Frame frame, ReadOnlySpan<byte> payload)
    {
        Volatile.Write(ref _heardAt, MonotonicClock.Now.Microseconds);
        if (frame.Kind == FrameKind.Credit)
        {
            lock (_link.Gate)
            {
                _credit += frame.Number;
            }
        }

        // Signs of later versions mean nothing here.
        return null;
    }

    public void BatchEnded()
    {
        if (_hasWindow)
        {
            Flush();
        }
    }

    public void Broken(string why) => _link.Break(this, why);

    /// <summary>Closes the socket. A write that is under way gives its chunks back when it ends.</summary>
    public void Dispose()
    {
        lock (_link.Gate)
        {
            _isClosed = true;
        }

        _socket.Dispose();
        _arguments.Dispose();
        _wayBack.Dispose();
    }

    private void GoOn()
    {
        if (WriteHasEnded())
        {
            Write();
        }
    }

    private void Write()
    {
        for (int i = 0; i < WritesInARow; i++)
        {
            try
            {
                if (_socket.SendAsync(_arguments))
                {
                    return;
                }
            }
            catch (ObjectDisposedException)
            {
                GiveBack();
                return;
            }

            if (!WriteHasEnded())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static wire => wire.Write(), this, preferLocal: false);
    }

    /// <summary>True when there is more to write.</summary>
    private bool WriteHasEnded()
    {
        GiveBack();
        bool hasFailed = _arguments.SocketError != SocketError.Success;
        lock (_link.Gate)
        {
            if (!hasFailed && !_isClosed && Gather())
            {
                return true;
            }

            _isWriting = false;
        }

        if (hasFailed)
        {
            _link.Break(this, $"it broke ({_arguments.SocketError})");
        }

        return false;
    }

    private void GiveBack()
    {
        foreach (OutChunk chunk in _chunks)
        {
            chunk.GiveBack();
        }

        _chunks.Clear();
        _pieces.Clear();
    }

    /// <summary>Takes what the next write is to carry: what is urgent first. False when there is nothing.</summary>
    private bool Gather()
    {
        int bytes = 0;
        if (!Guards.UrgentLeavesFirst && _link.Others is { } first)
        {
            Take(first, ref bytes);
        }

        Take(_link.Urgent, ref bytes);
        if (_link.Others is { } others)
        {
            Take(others, ref bytes);
        }

        if (_chunks.Count == 0)
        {
            return false;
        }

        if (_pieces.Count == 1)
        {
            _arguments.BufferList = null;
            _arguments.SetBuffer(_pieces[0].Array, _pieces[0].Offset, _pieces[0].Count);
        }
        else
        {
            _arguments.SetBuffer(null, 0, 0);
            _arguments.BufferList = _pieces;
        }

        return true;
    }

    private void Take(OutQueue queue, ref int bytes)
    {
        while (bytes < _link.Network.Settings.WriteBytesMax && !(_hasWindow && _credit <= 0)
            && queue.TryTake(out OutChunk chunk))
        {
            _chunks.Add(chunk);
            _pieces.Add(chunk.First);
            if (chunk.Rest.Count > 0)
            {
                _pieces.Add(chunk.Rest);
            }

            bytes += chunk.Count;
            _credit -= chunk.Count;
        }
    }
}
