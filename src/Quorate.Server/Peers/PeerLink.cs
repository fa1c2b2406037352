using System.Net.Sockets;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Runtime;

namespace Quorate.Server.Peers;

/// <summary>
/// One lane from this node to another: what waits to be sent, and the connection, which is opened when something is to
/// be sent, kept, and opened again after a failure, later each time.
/// <para>Invariants: what waits is bounded and goes with the connection, since an old message is worth less than none;
/// while it is known that nothing can be sent, nothing waits; between the end of a connection and the node's word that
/// it has heard of it nothing is taken, so that all that was lost with it is what the node had sent by then.</para>
/// </summary>
internal sealed class PeerLink : IDisposable
{
    private readonly NodeId _to;
    private readonly PeerLane _lane;
    private string _address;
    private LinkWire? _wire;
    private State _state;
    private int _failures;
    private Instant _retryAt = Instant.Zero;
    private string? _said;
    private long _lost;
    private bool _isLossUnheard;

    public PeerLink(PeerNetwork network, NodeId to, PeerLane lane, string address)
    {
        Network = network;
        _to = to;
        _lane = lane;
        _address = address;
        PeerSettings settings = network.Settings;
        PeerClass first = lane switch
        {
            PeerLane.Requests => PeerClass.Requests,
            PeerLane.Bulk => PeerClass.Bulk,
            _ => PeerClass.Urgent,
        };
        Urgent = new((FrameKind)first, settings.QueueBytesMax(first));
        Others = lane == PeerLane.Control
            ? new(FrameKind.Log, settings.QueueBytesMax(PeerClass.Log))
            : null;
    }

    private enum State
    {
        Closed,
        Connecting,
        Open,
        Disposed,
    }

    public PeerNetwork Network { get; }

    /// <summary>Guards the queues and the state. Nothing is called while it is held.</summary>
    public Lock Gate { get; } = new();

    /// <summary>What goes first; on lanes of one class, all of it.</summary>
    public OutQueue Urgent { get; }

    /// <summary>What follows; null on lanes of one class.</summary>
    public OutQueue? Others { get; }

    /// <summary>Noted by who drives the node: it is to be flushed at the end of the round.</summary>
    public bool IsDirty { get; set; }

    public bool IsOpen => _state == State.Open;

    /// <summary>Messages that were refused or thrown away.</summary>
    public long Lost => Volatile.Read(ref _lost);

    public long WaitingBytes => Urgent.Bytes + (Others?.Bytes ?? 0);

    /// <summary>
    /// Copies a message, but for its tail, which never changes. It leaves at the next <see cref="Flush"/>; false when
    /// it surely is lost.
    /// </summary>
    public bool TrySend(PeerClass by, ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail)
    {
        bool isSent;
        bool connect = false;
        lock (Gate)
        {
            OutQueue queue = by == PeerClass.Log ? Others! : Urgent;
            bool canWait = _state is State.Open or State.Connecting
                || (_state == State.Closed && MonotonicClock.Now >= _retryAt
                    && !(_isLossUnheard && Guards.LossesAreHeardFirst));
            isSent = canWait && message.Length + (long)tail.Length <= Network.Settings.MessageBytesMax
                && queue.TryAdd(message, tail);
            _lost += isSent ? 0 : 1;
            if (isSent && _state == State.Closed)
            {
                _state = State.Connecting;
                connect = true;
            }
        }

        if (connect)
        {
            // Not on the thread that drives the node: even to begin a connection takes long.
            ThreadPool.UnsafeQueueUserWorkItem(static link => _ = link.Connect(), this, preferLocal: false);
        }

        return isSent;
    }

    public void Flush() => _wire?.Flush();

    /// <summary>The node knows that the last connection is over.</summary>
    public void LossHeard()
    {
        lock (Gate)
        {
            _isLossUnheard = false;
        }
    }

    /// <summary>The node has another address from now on, or still the same.</summary>
    public void SetAddress(string address)
    {
        if (string.Equals(Volatile.Read(ref _address), address, StringComparison.Ordinal))
        {
            return;
        }

        Volatile.Write(ref _address, address);
        if (_wire is { } wire)
        {
            Break(wire, "its address has changed");
        }

        Encourage();
    }

    /// <summary>The node has been heard: the next attempt need not wait.</summary>
    public void Encourage()
    {
        lock (Gate)
        {
            _failures = 0;
            _retryAt = Instant.Zero;
        }
    }

    /// <summary>To be called now and then.</summary>
    /// <param name="hasSlept">This process was not running for a while.</param>
    public void LookAfter(Instant now, bool hasSlept)
    {
        if (_wire is not { } wire)
        {
            return;
        }

        if (hasSlept)
        {
            wire.Awaken(now);
        }
        else if (wire.IsSilent(now, Network.Settings))
        {
            Break(wire, "the other end has fallen silent");
        }
    }

    /// <summary>A connection has come to its end; what waits goes with it.</summary>
    public void Break(LinkWire wire, string why)
    {
        lock (Gate)
        {
            if (_wire != wire)
            {
                return;
            }

            _wire = null;
            FailWhileHeld();
        }

        wire.Dispose();
        Network.LinkLost(_to, _lane, LinkLoss.Broken);
        Say($"The {_lane} connection to {_to} at {_address} is over: {why}.");
    }

    public void Dispose()
    {
        LinkWire? wire;
        lock (Gate)
        {
            (wire, _wire) = (_wire, null);
            _state = State.Disposed;
            Clear();
        }

        wire?.Dispose();
    }

    private async Task Connect()
    {
        string address = Volatile.Read(ref _address);
        Socket socket = PeerSockets.Create();
        LinkWire? wire = null;
        try
        {
            using var cancel = new CancellationTokenSource(Network.Settings.HandshakeTime.AsTimeSpan());
            Welcome welcome = await Greet(socket, address, cancel.Token).ConfigureAwait(false);
            wire = new(this, socket, welcome.WindowBytes);
            if (TryOpen(wire))
            {
                wire.Start();
                return;
            }
        }
        catch (Exception e) when (PeerSockets.IsBroken(e))
        {
            string why = e is OperationCanceledException ? "No answer in time." : e.Message;
            Fail($"No {_lane} connection to {_to} at {address}: {why}");
        }

        wire?.Dispose();
        socket.Dispose();
    }

    private async Task<Welcome> Greet(Socket socket, string address, CancellationToken cancel)
    {
        PeerIdentity self = Network.Identity
            ?? throw new InvalidDataException("This node belongs to no cluster yet.");
        await PeerSockets.Connect(socket, address, cancel).ConfigureAwait(false);
        PeerSockets.Tune(socket, Network.Settings.UnsentBytesMax);
        Hello hello = new(Handshake.VersionMin, Handshake.Version, _lane, self, _to);
        await socket.WriteAll(Handshake.Encode(hello), cancel).ConfigureAwait(false);
        Welcome welcome = await Handshake.ReadWelcome(socket, cancel).ConfigureAwait(false);
        if (welcome.Refusal != PeerRefusal.None)
        {
            throw new InvalidDataException(Handshake.Sentence(welcome.Refusal, address, _to));
        }

        // The other end has looked at the same, but it may not be the one that it should be.
        return welcome.From.Cluster == self.Cluster && welcome.From.Node == _to
            ? welcome
            : throw new InvalidDataException(Handshake.Sentence(PeerRefusal.AnotherNode, address, _to));
    }

    private bool TryOpen(LinkWire wire)
    {
        lock (Gate)
        {
            if (_state != State.Connecting)
            {
                return false;
            }

            _state = State.Open;
            _wire = wire;
            _failures = 0;
            _said = null;
            return true;
        }
    }

    /// <summary>No connection has come about, so nothing that waited for it has left.</summary>
    private void Fail(string sentence)
    {
        lock (Gate)
        {
            if (_state != State.Connecting)
            {
                return;
            }

            FailWhileHeld();
        }

        Network.LinkLost(_to, _lane, LinkLoss.NeverOpened);
        Say(sentence);
    }

    /// <summary>How long the next attempt waits at most, after so many failures before this one.</summary>
    internal static Duration LongestWait(PeerSettings settings, int failures) => new(Math.Min(
        settings.BackOffMin.Microseconds << Math.Min(failures, 20), settings.BackOffMax.Microseconds));

    private void FailWhileHeld()
    {
        // Somewhere between half of the time and all of it, so that nodes do not all knock together.
        PeerSettings settings = Network.Settings;
        long longest = LongestWait(settings, _failures).Microseconds;
        _retryAt = MonotonicClock.Now + new Duration((longest / 2) + Random.Shared.NextInt64((longest / 2) + 1));
        _failures++;
        _state = State.Closed;
        _isLossUnheard = true;
        Clear();
    }

    private void Clear()
    {
        _lost += WaitingBytes > 0 ? 1 : 0;
        Urgent.Clear();
        Others?.Clear();
    }

    /// <summary>The same sentence is said once in a row.</summary>
    private void Say(string sentence)
    {
        if (!string.Equals(_said, sentence, StringComparison.Ordinal))
        {
            _said = sentence;
            Network.Happened("peer", sentence);
        }
    }
}
