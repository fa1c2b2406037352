using System.Net.Sockets;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Runtime;

namespace Quorate.Server.Peers;

/// <summary>
/// A lane from another node to this one: messages are put together and handed over, all that have come at once; credit
/// and signs of life go back.
/// </summary>
internal sealed class IncomingLink : IFrameTaker, IMessageSource, IDisposable
{
    private const int BufferBytes = 2 * Frame.BytesMax;

    private readonly PeerNetwork _network;
    private readonly Socket _socket;
    private readonly PeerLane _lane;
    private readonly PeerIdentity _from;
    private readonly MessageAssembly?[] _assemblies = new MessageAssembly?[(int)PeerClass.Bulk + 1];
    private readonly List<NodeInput> _batch = [];
    private readonly FrameReader _reader;
    private readonly SignWriter _signs;
    private readonly int _windowBytes;
    private long _heardAt;
    private int _isClosed;

    public IncomingLink(PeerNetwork network, Socket socket, PeerLane lane, in PeerIdentity from)
    {
        _network = network;
        _socket = socket;
        _lane = lane;
        _from = from;
        _windowBytes = network.Settings.WindowBytes(lane);
        _reader = new(socket, BufferBytes, this);
        _signs = new(socket, _windowBytes / 4);
        for (PeerClass by = PeerClass.Urgent; by <= PeerClass.Bulk; by++)
        {
            if (PeerLanes.Carries(lane, by))
            {
                _assemblies[(int)by] = new(network.Partial, network.Settings.MessageBytesMax);
            }
        }

        Awaken(MonotonicClock.Now);
    }

    public NodeId From => _from.Node;

    public PeerLane Lane => _lane;

    public void Start() => _reader.Start();

    public bool IsSilent(Instant now) =>
        now.Microseconds - Volatile.Read(ref _heardAt) > 2 * _network.Settings.SilentAfter.Microseconds;

    /// <summary>This process was not running for a while, so that silence says nothing of the other end.</summary>
    public void Awaken(Instant now) => Volatile.Write(ref _heardAt, now.Microseconds);

    public string? Take(in Frame frame, ReadOnlySpan<byte> payload)
    {
        int frameBytes = Frame.HeadBytes + payload.Length;
        if (frame.Kind == FrameKind.Ping)
        {
            _signs.AddPong();
            _signs.AddCredit(frameBytes);
            return null;
        }

        if ((int)frame.Kind >= _assemblies.Length || _assemblies[(int)frame.Kind] is not { } assembly)
        {
            return $"a frame came that does not belong to lane {_lane}";
        }

        long lost = assembly.Lost;
        if (!assembly.TryAdd(frame, payload, out byte[]? message))
        {
            return "frames came that make no message";
        }

        _network.CountLost(assembly.Lost - lost);

        // A message of one frame counts until the node has taken it; longer ones have a bound of their own.
        bool counts = frame.IsFirst && frame.IsLast && _windowBytes > 0;
        _signs.AddCredit(counts ? Frame.HeadBytes : frameBytes);
        if (message is not null)
        {
            _batch.Add(new(message, _from.Node, (PeerClass)frame.Kind, counts ? this : null));
        }

        return null;
    }

    public void BatchEnded()
    {
        Awaken(MonotonicClock.Now);
        _signs.Flush();
        if (_batch.Count > 0)
        {
            _network.Receive(CollectionsMarshal.AsSpan(_batch));
            _batch.Clear();
        }
    }

    public void Taken(int bytes)
    {
        _signs.AddCredit(bytes);
        _signs.Flush();
    }

    public void Broken(string why) => _network.Closed(this);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _socket.Dispose();
            _signs.Dispose();
            _reader.Dispose();
        }
    }

    /// <summary>The reader has come to its end: what it had begun is given up.</summary>
    public void Drop()
    {
        foreach (MessageAssembly? assembly in _assemblies)
        {
            assembly?.Drop();
        }
    }
}
