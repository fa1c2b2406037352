using System.Collections.Concurrent;
using System.Net;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Runtime;

namespace Quorate.Server.Peers;

/// <summary>The node behind a <see cref="PeerNetwork"/>. Any thread calls it.</summary>
public interface IPeerHost
{
    /// <summary>Messages of one node, in their order on their connection.</summary>
    void Receive(ReadOnlySpan<NodeInput> messages);

    /// <summary>The answer to a question that came by address; null for none.</summary>
    Task<byte[]?> Answer(byte[] question);

    /// <summary>
    /// A connection between this node and another is over, in whichever direction: what is under way may be lost. When
    /// it was one that this node has opened or tried to open, nothing more is taken for that lane until the node has
    /// said with <see cref="PeerNetwork.LossHeard"/> that it knows; so it knows what was lost with it.
    /// </summary>
    void LinkLost(NodeId peer, PeerLane lane, LinkLoss loss);

    void Happened(in NodeEvent happened);
}

/// <summary>How a connection has come to its end.</summary>
public enum LinkLoss
{
    /// <summary>The peer had opened it: what it has answered may be lost.</summary>
    Incoming,

    /// <summary>This node had opened it: what was sent may have arrived or not.</summary>
    Broken,

    /// <summary>This node could not open it: what waited for it has surely not left.</summary>
    NeverOpened,
}

/// <summary>
/// The links of a node: to each other node one connection for each lane, opened by whoever sends (what comes back on it
/// is only credit and signs of life), and those that the others have opened. Why: docs/decisions/0019.
/// </summary>
public sealed class PeerNetwork : IDisposable
{
    private readonly IPeerHost _host;
    private readonly ConcurrentDictionary<NodeId, PeerLink[]> _links = new();
    private readonly ConcurrentDictionary<(NodeId From, PeerLane Lane), IncomingLink> _incoming = new();
    private readonly List<PeerLink> _dirty = [];
    private readonly Timer _looksAfter;
    private PeerListener? _listener;
    private StrongIdentity? _identity;
    private Instant _lookedAfterAt;
    private long _lost;

    public PeerNetwork(PeerSettings settings, IPeerHost host)
    {
        Settings = settings;
        _host = host;
        Partial = new(settings.PartialBytesMax);
        _lookedAfterAt = MonotonicClock.Now;
        // Each time costs an idle node some wakings: the runtime's timers wake early and sleep again.
        TimeSpan interval = settings.KeepAlive.AsTimeSpan() / 2;
        _looksAfter = new(_ => LookAfter(), null, interval, interval);
    }

    public PeerSettings Settings { get; }

    /// <summary>Who this node is; null while it belongs to no cluster: then it only answers questions.</summary>
    public PeerIdentity? Identity
    {
        get => Volatile.Read(ref _identity)?.Value;
        set => Volatile.Write(ref _identity, value is { } it ? new(it) : null);
    }

    /// <summary>Messages that were lost here: refused, thrown away, or too large to be put together.</summary>
    public long Lost => Volatile.Read(ref _lost) + _links.Values.SelectMany(links => links).Sum(link => link.Lost);

    /// <summary>What waits to be sent, in bytes.</summary>
    public long WaitingBytes
    {
        get
        {
            long bytes = 0;
            foreach ((NodeId _, PeerLink[] links) in _links)
            {
                foreach (PeerLink link in links)
                {
                    bytes += link.WaitingBytes;
                }
            }

            return bytes;
        }
    }

    /// <summary>What has come of messages that are not complete, in bytes.</summary>
    public long PartialBytes => Partial.Bytes;

    /// <summary>Connections that this node has open to others.</summary>
    public int OpenLinks => _links.Values.SelectMany(links => links).Count(link => link.IsOpen);

    /// <summary>Connections that others have open to this node.</summary>
    public int IncomingLinks => _incoming.Count;

    internal PartialMemory Partial { get; }

    /// <summary>Where it listens; null before <see cref="Listen"/>.</summary>
    public IPEndPoint? EndPoint => _listener?.EndPoint;

    /// <summary>Lets other nodes connect.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken, or the address is not here.</exception>
    public void Listen(IPEndPoint at)
    {
        Invariant.Check(_listener is null, "a node listens for peers once");
        _listener = new PeerListener(this, at);
        _listener.Start();
    }

    /// <summary>
    /// Copies a message, but for its tail, which never changes. It leaves at the next <see cref="Flush"/>; false when
    /// it surely is lost. Called, as Flush and <see cref="SetAddress"/> are, by who drives the node.
    /// </summary>
    public bool Send(NodeId to, PeerClass by, ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail = default)
    {
        if (!_links.TryGetValue(to, out PeerLink[]? links))
        {
            return false;
        }

        PeerLink link = links[(int)PeerLanes.Of(by) - 1];
        if (!link.TrySend(by, message, tail))
        {
            return false;
        }

        if (!link.IsDirty)
        {
            link.IsDirty = true;
            _dirty.Add(link);
        }

        return true;
    }

    /// <summary>All that was sent leaves, in one write for each link.</summary>
    public void Flush()
    {
        foreach (PeerLink link in _dirty)
        {
            link.IsDirty = false;
            link.Flush();
        }

        _dirty.Clear();
    }

    /// <summary>Where a node is to be found from now on.</summary>
    public void SetAddress(NodeId node, string address)
    {
        if (_links.TryGetValue(node, out PeerLink[]? links))
        {
            foreach (PeerLink link in links)
            {
                link.SetAddress(address);
            }

            return;
        }

        links = new PeerLink[PeerLanes.Count];
        for (int i = 0; i < links.Length; i++)
        {
            links[i] = new(this, node, (PeerLane)(i + 1), address);
        }

        _links[node] = links;
    }

    /// <summary>A node is no more.</summary>
    public void Forget(NodeId node)
    {
        if (_links.TryRemove(node, out PeerLink[]? links))
        {
            foreach (PeerLink link in links)
            {
                link.Dispose();
            }
        }
    }

    /// <summary>The node has dealt with the loss of a connection of its own: the lane takes messages
    /// again.</summary>
    public void LossHeard(NodeId peer, PeerLane lane)
    {
        if (_links.TryGetValue(peer, out PeerLink[]? links))
        {
            links[(int)lane - 1].LossHeard();
        }
    }

    /// <summary>The nodes whose addresses are known.</summary>
    public IEnumerable<NodeId> Known => _links.Keys;

    /// <summary>Asks a node by its address; null when nobody answers in time.</summary>
    public Task<byte[]?> Ask(string address, ReadOnlyMemory<byte> question) =>
        PeerQuestion.Ask(address, question, Settings, Identity);

    public void Dispose()
    {
        _looksAfter.Dispose();
        _listener?.Dispose();
        foreach (NodeId node in _links.Keys)
        {
            Forget(node);
        }

        foreach (IncomingLink link in _incoming.Values)
        {
            link.Dispose();
        }
    }

    internal void Receive(ReadOnlySpan<NodeInput> messages) => _host.Receive(messages);

    internal Task<byte[]?> Answer(byte[] question) => _host.Answer(question);

    internal void Happened(string kind, string sentence) => _host.Happened(new(kind, sentence));

    internal void LinkLost(NodeId peer, PeerLane lane, LinkLoss loss) => _host.LinkLost(peer, lane, loss);

    internal void CountLost(long messages)
    {
        if (messages > 0)
        {
            Interlocked.Add(ref _lost, messages);
        }
    }

    /// <summary>
    /// Another node has connected. A later connection takes the place of an earlier one of the same lane: that one's
    /// other end is gone, though nobody has noticed.
    /// </summary>
    internal void Opened(IncomingLink link)
    {
        (NodeId From, PeerLane Lane) key = (link.From, link.Lane);
        IncomingLink? before = null;
        _incoming.AddOrUpdate(key, link, (_, old) =>
        {
            before = old;
            return link;
        });
        before?.Dispose();
        if (_links.TryGetValue(link.From, out PeerLink[]? links))
        {
            foreach (PeerLink back in links)
            {
                back.Encourage();
            }
        }
    }

    internal void Closed(IncomingLink link)
    {
        _incoming.TryRemove(new((link.From, link.Lane), link));
        link.Drop();
        link.Dispose();
        _host.LinkLost(link.From, link.Lane, LinkLoss.Incoming);
    }

    private void LookAfter()
    {
        // When this process stood still, the others' silence says nothing.
        Instant now = MonotonicClock.Now;
        bool hasSlept = now - _lookedAfterAt > Settings.KeepAlive;
        _lookedAfterAt = now;
        foreach (PeerLink link in _links.Values.SelectMany(links => links))
        {
            link.LookAfter(now, hasSlept);
        }

        foreach (IncomingLink link in _incoming.Values)
        {
            if (hasSlept)
            {
                link.Awaken(now);
            }
            else if (link.IsSilent(now))
            {
                link.Dispose();
            }
        }
    }

    private sealed record StrongIdentity(PeerIdentity Value);
}
