using System.Net.Sockets;

namespace Quorate.Server.Peers;

/// <summary>
/// What goes back on a connection: credit, when it has become worth a frame, and answers to "are you there". Any thread
/// may add to it; one write is under way at a time.
/// </summary>
internal sealed class SignWriter : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly int _creditMin;
    private readonly SocketAsyncEventArgs _arguments = new();
    private readonly byte[] _frames = new byte[2 * Frame.HeadBytes];
    private long _credit;
    private bool _pong;
    private bool _isWriting;
    private bool _isClosed;

    /// <param name="creditMin">Less credit than this waits for more, in bytes; zero: none is given.</param>
    public SignWriter(Socket socket, int creditMin)
    {
        _socket = socket;
        _creditMin = creditMin;
        _arguments.Completed += (_, _) =>
        {
            lock (_lock)
            {
                _isWriting = false;
            }

            Flush();
        };
    }

    public void AddCredit(int bytes)
    {
        lock (_lock)
        {
            _credit += _creditMin > 0 ? bytes : 0;
        }
    }

    public void AddPong()
    {
        lock (_lock)
        {
            _pong = true;
        }
    }

    /// <summary>Writes what waits. A connection that has broken is noticed by its reader.</summary>
    public void Flush()
    {
        while (TryFill())
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
                return;
            }

            lock (_lock)
            {
                _isWriting = false;
            }

            if (_arguments.SocketError != SocketError.Success)
            {
                return;
            }
        }
    }

    /// <summary>A write that is under way comes to its end first.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isClosed = true;
        }

        _arguments.Dispose();
    }

    private bool TryFill()
    {
        lock (_lock)
        {
            bool hasCredit = _credit > 0 && _credit >= _creditMin;
            if (_isWriting || _isClosed || !(hasCredit || _pong))
            {
                return false;
            }

            int length = 0;
            if (hasCredit)
            {
                uint number = (uint)Math.Min(_credit, uint.MaxValue);
                length = new Frame(0, FrameKind.Credit, IsFirst: true, IsLast: true, number).Seal(_frames);
                _credit -= number;
            }

            if (_pong)
            {
                Span<byte> rest = _frames.AsSpan(length);
                length += new Frame(0, FrameKind.Pong, IsFirst: true, IsLast: true, 0).Seal(rest);
                _pong = false;
            }

            _arguments.SetBuffer(_frames, 0, length);
            _isWriting = true;
            return true;
        }
    }
}
