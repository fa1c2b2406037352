using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Node.Liveness;

/// <summary>How often nodes show that they live, and how long they may be silent.</summary>
public sealed record NodeHeartbeatSettings
{
    /// <summary>Between two heartbeats to the same node; 50 to 100 ms in the design.</summary>
    public Duration Interval { get; init; } = Duration.FromMilliseconds(70);

    /// <summary>
    /// A node that was not heard for this long has fallen silent: the election timeout of the groups.
    /// </summary>
    public Duration SilentAfter { get; init; } = Duration.FromMilliseconds(300);
}

/// <summary>What a heartbeat says.</summary>
/// <param name="Boot">
/// Drawn at each start of the sender's process and raised when a replica there begins to listen, so that a quick
/// restart is noticed, and a replica that was still reading its disk when its node was first heard is not left out.
/// </param>
/// <param name="HearsYou">
/// The sender hears the receiver: where only one direction of a link was cut, it is the other end that has to be
/// told when it works again.
/// </param>
/// <param name="IsStopping">The sender stops, or its disk is full: nothing that it would have to hand on again should
/// be given to it.</param>
/// <param name="WallClock">The sender's, in milliseconds since 1970; zero when it does not say.</param>
/// <param name="PeerAddress">
/// Where the sender is reached, while it does not hear the receiver: that one may have been away when the sender
/// joined, or moved, and could not answer it otherwise. Null when it does not say.
/// </param>
/// <param name="Time">
/// The time by which the sender logs, in milliseconds since 1970: its wall clock, unless that has jumped and is not
/// believed. Zero while the sender does not know whether its clock is right.
/// </param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct NodeHeartbeat(
    NodeId From, ulong Boot, bool HearsYou, long WallClock = 0, bool IsStopping = false,
    string? PeerAddress = null, long Time = 0);

/// <summary>Something that sleeping groups can not notice by themselves (pitfall R24).</summary>
/// <param name="Heard">
/// True: the node is heard or hears us again, or a replica there begins to listen. False: the node fell silent.
/// </param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct NodeNews(NodeId Node, bool Heard);

/// <summary>
/// Heartbeats between nodes, one stream for all groups that two nodes share, so that a thousand idle groups cost
/// no more than one.
/// <para>Invariants: every interval each peer is sent one heartbeat; of each peer there is news once when it falls
/// silent and once when it is heard again or restarts. All times are of this node's own clock. Time by which this node
/// itself comes late to what it has asked to be called for counts as nobody's silence: what was sent meanwhile still
/// waits in its sockets, and where a whole machine stood still nothing was.</para>
/// </summary>
public sealed class NodeHeartbeats
{
    private readonly NodeHeartbeatSettings _settings;
    private readonly SortedDictionary<NodeId, Peer> _peers = [];
    private readonly NodeId _self;
    private ulong _boot;
    private Instant _nextSend;

    /// <summary>When this node was to look next; later than that, it was held up.</summary>
    private Instant _due;

    public NodeHeartbeats(NodeId self, ulong boot, NodeHeartbeatSettings settings, Instant now)
    {
        _self = self;
        _boot = boot;
        _settings = settings;
        _nextSend = now;
        _due = now;
    }

    /// <summary>When <see cref="Tick"/> is next due.</summary>
    public Instant NextDeadline
    {
        get
        {
            Instant next = _nextSend;
            foreach (Peer peer in _peers.Values)
            {
                if (!peer.Silent)
                {
                    next = Instant.Min(next, peer.HeardAt + _settings.SilentAfter);
                }
            }

            return next;
        }
    }

    /// <summary>Starts to watch and to greet a node; one that is watched already stays as it is.</summary>
    public void Watch(NodeId node, Instant now)
    {
        Excuse(now);
        _peers.TryAdd(node, new Peer(now));
        Looked(now);
    }

    /// <summary>Nodes that are watched.</summary>
    public int Watched => _peers.Count;

    /// <summary>A replica here begins to listen; the others learn of it by the next heartbeat.</summary>
    public void Announce() => _boot++;

    /// <summary>What to send to a node that <see cref="Tick"/> names.</summary>
    public NodeHeartbeat BeatFor(NodeId node) =>
        new(_self, _boot, _peers.TryGetValue(node, out Peer? peer) && peer.IsHeard);

    public void Forget(NodeId node) => _peers.Remove(node);

    public void Tick(Instant now, List<NodeId> sendTo, List<NodeNews> news)
    {
        Excuse(now);
        if (now >= _nextSend)
        {
            _nextSend = now + _settings.Interval;
            sendTo.AddRange(_peers.Keys);
        }

        foreach ((NodeId node, Peer peer) in _peers)
        {
            if (!peer.Silent && now >= peer.HeardAt + _settings.SilentAfter)
            {
                peer.Silent = true;
                news.Add(new NodeNews(node, Heard: false));
            }
        }

        Looked(now);
    }

    public void Heard(in NodeHeartbeat beat, Instant now, List<NodeNews> news)
    {
        Excuse(now);
        Take(beat, now, news);
        Looked(now);
    }

    /// <summary>Whoever is heard so far is taken to have been heard that much later as this node is late.</summary>
    private void Excuse(Instant now)
    {
        if (now <= _due || !Guards.OwnStallIsNobodysSilence)
        {
            return;
        }

        Duration late = now - _due;
        foreach (Peer peer in _peers.Values)
        {
            peer.HeardAt = Instant.Min(now, peer.HeardAt + late);
        }
    }

    private void Looked(Instant now) => _due = Instant.Max(now, NextDeadline);

    private void Take(in NodeHeartbeat beat, Instant now, List<NodeNews> news)
    {
        if (!_peers.TryGetValue(beat.From, out Peer? peer))
        {
            return;
        }

        if (peer.Silent || peer.Boot != beat.Boot || (beat.HearsYou && !peer.HearsUs))
        {
            news.Add(new NodeNews(beat.From, Heard: true));
        }

        peer.Silent = false;
        peer.Boot = beat.Boot;
        peer.HearsUs = beat.HearsYou;
        peer.HeardAt = now;
    }

    private sealed class Peer(Instant heardAt)
    {
        public Instant HeardAt { get; set; } = heardAt;

        public bool Silent { get; set; }

        public ulong Boot { get; set; }

        public bool HearsUs { get; set; }

        public bool IsHeard => Boot != 0 && !Silent;
    }
}
