using System.Net.Sockets;

namespace Quorate.Server.Peers;

/// <summary>Who takes the frames of a connection. Called by one thread at a time.</summary>
internal interface IFrameTaker
{
    /// <summary>Takes a frame; a sentence when it cannot be: the connection is given up.</summary>
    string? Take(in Frame frame, ReadOnlySpan<byte> payload);

    /// <summary>All that has come is taken.</summary>
    void BatchEnded();

    /// <summary>The connection is over.</summary>
    void Broken(string why);
}

/// <summary>
/// Reads frames from a socket: as many as have come, then waits. No thread waits with it.
/// </summary>
internal sealed class FrameReader : IDisposable
{
    /// <summary>A socket that always has more is left to another thread now and then.</summary>
    private const int ReadsInARow = 16;

    private readonly Socket _socket;
    private readonly IFrameTaker _taker;
    private readonly SocketAsyncEventArgs _arguments = new();
    private readonly byte[] _buffer;
    private int _end;

    public FrameReader(Socket socket, int bufferBytes, IFrameTaker taker)
    {
        _socket = socket;
        _taker = taker;
        _buffer = new byte[bufferBytes];
        _arguments.Completed += (_, _) => GoOn();
    }

    public void Start() => Read();

    public void Dispose() => _arguments.Dispose();

    private void GoOn()
    {
        if (TakeWhatHasCome())
        {
            Read();
        }
    }

    private void Read()
    {
        for (int i = 0; i < ReadsInARow; i++)
        {
            try
            {
                _arguments.SetBuffer(_buffer, _end, _buffer.Length - _end);
                if (_socket.ReceiveAsync(_arguments))
                {
                    return;
                }
            }
            catch (ObjectDisposedException)
            {
                _taker.Broken("it was closed");
                return;
            }

            if (!TakeWhatHasCome())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static reader => reader.Read(), this, preferLocal: false);
    }

    private bool TakeWhatHasCome()
    {
        if (_arguments.SocketError != SocketError.Success || _arguments.BytesTransferred == 0)
        {
            _taker.Broken(_arguments.SocketError == SocketError.Success
                ? "the other end closed it"
                : $"it broke ({_arguments.SocketError})");
            return false;
        }

        _end += _arguments.BytesTransferred;
        int at = 0;
        string? problem;
        while (Frame.TryRead(_buffer.AsSpan(at, _end - at), out Frame frame, out problem))
        {
            problem = _taker.Take(frame, _buffer.AsSpan(at + Frame.HeadBytes, frame.PayloadBytes));
            if (problem is not null)
            {
                break;
            }

            at += Frame.HeadBytes + frame.PayloadBytes;
        }

        _taker.BatchEnded();
        _buffer.AsSpan(at, _end - at).CopyTo(_buffer);
        _end -= at;
        if (problem is null && _end == _buffer.Length)
        {
            problem = "a frame came that is too large here";
        }

        if (problem is not null)
        {
            _taker.Broken(problem);
        }

        return problem is null;
    }
}
