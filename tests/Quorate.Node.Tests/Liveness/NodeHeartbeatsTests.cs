using Quorate.Core.Model;
using Quorate.Node.Liveness;

namespace Quorate.Node.Tests.Liveness;

/// <summary>Heartbeats go out at their interval, and of each peer there is news once when something changes.</summary>
public sealed class NodeHeartbeatsTests
{
    private static readonly NodeId Self = new(1);
    private static readonly NodeId Peer = new(2);

    private static readonly NodeHeartbeatSettings Settings = new()
    {
        Interval = Duration.FromMilliseconds(70),
        SilentAfter = Duration.FromMilliseconds(300),
    };

    private readonly NodeHeartbeats _heartbeats = new(Self, boot: 5, Settings, At(0));

    public NodeHeartbeatsTests()
    {
        _heartbeats.Watch(Peer, At(0));
        Hear(boot: 9, at: 0);
    }

    [Fact]
    public void Each_peer_is_greeted_once_an_interval()
    {
        Assert.Equal([Peer], Tick(0).SendTo);
        Assert.Empty(Tick(69).SendTo);
        Assert.Equal([Peer], Tick(70).SendTo);
    }

    [Fact]
    public void A_peer_that_is_not_heard_falls_silent_once()
    {
        Assert.Empty(Tick(299).News);
        Assert.Equal([new NodeNews(Peer, Heard: false)], Tick(300).News);
        Assert.Empty(Tick(900).News);
    }

    [Fact]
    public void A_peer_that_is_heard_does_not_fall_silent()
    {
        Assert.Empty(Hear(boot: 9, at: 200));

        Assert.Empty(Tick(499).News);
        Assert.Equal([new NodeNews(Peer, Heard: false)], Tick(500).News);
    }

    [Fact]
    public void A_node_that_was_held_up_takes_that_for_nobodys_silence()
    {
        Tick(0);
        Tick(70);
        Hear(boot: 9, at: 100);

        // It was to look at 140 ms and comes at 900: for 760 ms it could hear nobody.
        Assert.Empty(TickLate(900).News);
        Assert.Empty(Tick(1100).News);
        Assert.Equal([new NodeNews(Peer, Heard: false)], Tick(1160).News);
    }

    [Fact]
    public void What_is_heard_late_counts_from_then()
    {
        Tick(70);
        Assert.Empty(Hear(boot: 9, at: 900));
        Assert.Empty(Tick(1199).News);
        Assert.Equal([new NodeNews(Peer, Heard: false)], Tick(1200).News);
    }

    [Fact]
    public void A_silent_peer_that_is_heard_again_is_news_once()
    {
        Tick(300);

        Assert.Equal([new NodeNews(Peer, Heard: true)], Hear(boot: 9, at: 400));
        Assert.Empty(Hear(boot: 9, at: 410));
    }

    [Fact]
    public void A_restart_between_two_heartbeats_is_news()
    {
        Assert.Equal([new NodeNews(Peer, Heard: true)], Hear(boot: 10, at: 50));
        Assert.Empty(Hear(boot: 10, at: 60));
    }

    [Fact]
    public void A_replica_that_begins_to_listen_changes_the_next_heartbeat()
    {
        _heartbeats.Announce();

        Assert.Equal(new NodeHeartbeat(Self, Boot: 6, HearsYou: false), _heartbeats.BeatFor(new NodeId(99)));
    }

    [Fact]
    public void A_forgotten_peer_is_neither_greeted_nor_missed()
    {
        _heartbeats.Forget(Peer);

        (List<NodeId> sendTo, List<NodeNews> news) = Tick(400);
        Assert.Empty(sendTo);
        Assert.Empty(news);
        Assert.Empty(Hear(boot: 11, at: 410));
    }

    [Fact]
    public void The_next_deadline_is_the_next_heartbeat_or_the_next_silence()
    {
        Tick(280);
        Assert.Equal(At(300), _heartbeats.NextDeadline);
        Tick(300);
        Assert.Equal(At(350), _heartbeats.NextDeadline);
    }

    private static Instant At(long milliseconds) => Instant.Zero + Duration.FromMilliseconds(milliseconds);

    /// <summary>Looks whenever it is to, until then; what came of the last look.</summary>
    private (List<NodeId> SendTo, List<NodeNews> News) Tick(long milliseconds)
    {
        while (_heartbeats.NextDeadline < At(milliseconds))
        {
            List<NodeNews> news = [];
            _heartbeats.Tick(_heartbeats.NextDeadline, [], news);
            Assert.Empty(news);
        }

        return TickLate(milliseconds);
    }

    private (List<NodeId> SendTo, List<NodeNews> News) TickLate(long milliseconds)
    {
        List<NodeId> sendTo = [];
        List<NodeNews> news = [];
        _heartbeats.Tick(At(milliseconds), sendTo, news);
        return (sendTo, news);
    }

    private List<NodeNews> Hear(ulong boot, long at)
    {
        List<NodeNews> news = [];
        _heartbeats.Heard(new NodeHeartbeat(Peer, boot, HearsYou: false), At(at), news);
        return news;
    }
}
