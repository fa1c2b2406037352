using System.Net;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Peers;
using Quorate.Server.Runtime;

namespace Quorate.Server.Tests.Peers;

/// <summary>One end of links over loopback, which notes what comes.</summary>
internal sealed class TestPeer : IPeerHost, IDisposable
{
    /// <summary>No connection is given up because the machine is busy.</summary>
    public static readonly PeerSettings Patient = new()
    {
        HandshakeTime = Duration.FromSeconds(60), SilentAfter = Duration.FromSeconds(60),
    };

    public static readonly Guid Cluster = new("6d0c0a2e-3f3b-4f0e-9d43-000000000001");

    private readonly Lock _lock = new();
    private readonly List<(NodeId From, PeerClass By, byte[] Message)> _received = [];
    private readonly List<NodeInput> _untaken = [];
    private readonly List<NodeEvent> _events = [];
    private readonly List<(NodeId Peer, PeerLane Lane)> _lost = [];
    private readonly List<LinkLoss> _losses = [];

    public TestPeer(uint node, PeerSettings? settings = null, Guid? cluster = null)
    {
        Network = new PeerNetwork(settings ?? Patient, this)
        {
            Identity = new(cluster ?? Cluster, new(node), 1, 77),
        };
    }

    public PeerNetwork Network { get; }

    /// <summary>It never says that it has heard of the end of a connection.</summary>
    public bool KeepsLossesUnheard { get; set; }

    /// <summary>How connections have come to their ends, in order.</summary>
    public LinkLoss[] Losses
    {
        get
        {
            lock (_lock)
            {
                return [.. _losses];
            }
        }
    }

    /// <summary>Messages are left as if the node did not get to them.</summary>
    public bool TakesNothing { get; set; }

    public int Port => Network.EndPoint!.Port;

    public string Address => Network.EndPoint!.ToString();

    public NodeId Id => Network.Identity!.Value.Node;

    public (NodeId From, PeerClass By, byte[] Message)[] Received
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    public string[] Events
    {
        get
        {
            lock (_lock)
            {
                return [.. _events.Select(happened => happened.Sentence)];
            }
        }
    }

    public (NodeId Peer, PeerLane Lane)[] LostLinks
    {
        get
        {
            lock (_lock)
            {
                return [.. _lost];
            }
        }
    }

    public static void Until(Func<bool> isSo, string what) => Soon.IsHere(isSo, what);

    public TestPeer Listen(int port = 0)
    {
        Network.Listen(new IPEndPoint(IPAddress.Loopback, port));
        return this;
    }

    public bool Send(TestPeer to, PeerClass by, byte[] message) => Send(to.Id, by, message);

    public bool Send(NodeId to, PeerClass by, byte[] message)
    {
        bool isSent = Network.Send(to, by, message);
        Network.Flush();
        return isSent;
    }

    /// <summary>Sends again and again until one arrives: single messages may be lost.</summary>
    public void SendUntilHeard(TestPeer to, PeerClass by, byte[] message) => Until(
        () =>
        {
            Send(to, by, message);
            Thread.Sleep(5);
            return to.Received.Any(received => received.Message.SequenceEqual(message));
        },
        "a message arrives at last");

    /// <summary>The node gets to what was left.</summary>
    public void TakeAll()
    {
        TakesNothing = false;
        NodeInput[] untaken;
        lock (_lock)
        {
            untaken = [.. _untaken];
            _untaken.Clear();
        }

        Receive(untaken);
    }

    public void Receive(ReadOnlySpan<NodeInput> messages)
    {
        foreach (NodeInput message in messages)
        {
            lock (_lock)
            {
                if (TakesNothing)
                {
                    _untaken.Add(message);
                    continue;
                }

                _received.Add((message.From, message.By, (byte[])message.What));
            }

            message.Source?.Taken(((byte[])message.What).Length);
        }
    }

    public Task<byte[]?> Answer(byte[] question) => Task.FromResult<byte[]?>([.. question.Reverse()]);

    public void LinkLost(NodeId peer, PeerLane lane, LinkLoss loss)
    {
        lock (_lock)
        {
            _lost.Add((peer, lane));
            _losses.Add(loss);
        }

        if (loss != LinkLoss.Incoming && !KeepsLossesUnheard)
        {
            Network.LossHeard(peer, lane);
        }
    }

    public void Happened(in NodeEvent happened)
    {
        lock (_lock)
        {
            _events.Add(happened);
        }
    }

    public void Dispose() => Network.Dispose();
}
