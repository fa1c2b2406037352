using System.Net;
using System.Net.Sockets;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Peers;

namespace Quorate.Server.Tests.Peers;

/// <summary>Links over loopback: what arrives, what is refused, and what happens when a connection breaks.</summary>
public sealed class PeerNetworkTests
{
    private static readonly PeerSettings Hasty = new()
    {
        KeepAlive = Duration.FromMilliseconds(20),
        SilentAfter = Duration.FromMilliseconds(200),
        HandshakeTime = Duration.FromMilliseconds(500),
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Frame.PayloadBytesMax)]
    [InlineData(Frame.PayloadBytesMax + 1)]
    [InlineData(5_000_000)]
    public void A_message_arrives_whole_whatever_its_length(int length)
    {
        using var a = new TestPeer(1);
        using TestPeer b = new TestPeer(2).Listen();
        a.Network.SetAddress(b.Id, b.Address);
        foreach (PeerClass by in Enum.GetValues<PeerClass>())
        {
            byte[] message = Bytes(length, (byte)by);
            Assert.True(a.Send(b, by, message));
            TestPeer.Until(() => b.Received.Any(received => received.By == by), $"{by} arrives");
            (NodeId from, _, byte[] received) = b.Received.Single(received => received.By == by);
            Assert.Equal(a.Id, from);
            Assert.Equal(message, received);
        }
    }

    /// <summary>Large ones are sent from where they lie, between messages that were copied, to several nodes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(Frame.PayloadBytesMax)]
    [InlineData(5_000_000)]
    public void A_tail_that_is_not_copied_arrives_behind_its_message(int length)
    {
        using var a = new TestPeer(1);
        using TestPeer b = new TestPeer(2).Listen();
        using TestPeer c = new TestPeer(3).Listen();
        a.Network.SetAddress(b.Id, b.Address);
        a.Network.SetAddress(c.Id, c.Address);
        byte[] around = Bytes(length + 7, 3);
        ReadOnlyMemory<byte> tail = around.AsMemory(5, length);
        byte[] head = Bytes(100, 1);
        TestPeer[] others = [b, c];
        foreach (TestPeer to in others)
        {
            Assert.True(a.Network.Send(to.Id, PeerClass.Log, [9]));
            Assert.True(a.Network.Send(to.Id, PeerClass.Log, head, tail));
            Assert.True(a.Network.Send(to.Id, PeerClass.Log, [8]));
        }

        a.Network.Flush();
        foreach (TestPeer to in others)
        {
            TestPeer.Until(() => to.Received.Length == 3, "all arrive");
            Assert.Equal([[9], [.. head, .. tail.Span], [8]], to.Received.Select(received => received.Message));
        }
    }

    [Fact]
    public void Messages_of_a_class_arrive_once_and_in_their_order()
    {
        using var a = new TestPeer(1);
        using TestPeer b = new TestPeer(2).Listen();
        a.Network.SetAddress(b.Id, b.Address);
        var random = new SeededRandom(7);
        const int Count = 3000;
        for (int i = 0; i < Count; i++)
        {
            byte[] message = Bytes(4 + (int)random.Next(3000), (byte)i);
            BitConverter.TryWriteBytes(message, i);
            Assert.True(a.Send(b, PeerClass.Log, message));
        }

        TestPeer.Until(() => b.Received.Length == Count, "all arrive");
        Assert.Equal(Enumerable.Range(0, Count), b.Received.Select(received => BitConverter.ToInt32(received.Message)));
    }

    /// <summary>R33: something urgent passes a large value that was sent before it.</summary>
    [Fact]
    public void What_is_urgent_passes_a_large_message()
    {
        using var a = new TestPeer(1);
        using TestPeer b = new TestPeer(2).Listen();
        a.Network.SetAddress(b.Id, b.Address);
        a.SendUntilHeard(b, PeerClass.Urgent, [1]);
        a.Network.Send(b.Id, PeerClass.Log, Bytes(64 * 1024 * 1024, 3));
        a.Network.Send(b.Id, PeerClass.Urgent, [2]);
        a.Network.Flush();
        TestPeer.Until(() => b.Received.Any(received => received.By == PeerClass.Log), "the large one arrives");
        PeerClass[] order = [.. b.Received.Where(r => r.Message is not [1]).Select(r => r.By)];
        Assert.Equal([PeerClass.Urgent, PeerClass.Log], order);
    }

    [Fact]
    public void A_message_to_an_unknown_node_is_surely_lost()
    {
        using var a = new TestPeer(1);
        Assert.False(a.Send(new NodeId(9), PeerClass.Urgent, [1]));
    }

    [Fact]
    public void A_full_queue_loses_what_comes_and_counts_it()
    {
        using var a = new TestPeer(1, TestPeer.Patient with { LogBytesMax = 100_000 });
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        a.Network.SetAddress(new(2), listener.LocalEndpoint.ToString()!);

        // Nobody shakes hands, so all of it waits.
        int sent = 0;
        while (a.Send(new NodeId(2), PeerClass.Log, new byte[10_000]))
        {
            sent++;
        }

        Assert.Equal(9, sent);
        Assert.Equal(1, a.Network.Lost);
        Assert.True(a.Network.WaitingBytes <= 100_000);
        Assert.True(a.Send(new NodeId(2), PeerClass.Urgent, [1]));
    }

    [Fact]
    public void Bulk_waits_for_the_node_to_take_what_it_has()
    {
        PeerSettings settings = TestPeer.Patient with { BulkWindowBytes = 256 * 1024 };
        using var a = new TestPeer(1, settings);
        using TestPeer b = new TestPeer(2, settings) { TakesNothing = true }.Listen();
        a.Network.SetAddress(b.Id, b.Address);
        const int Count = 200;
        for (int i = 0; i < Count; i++)
        {
            Assert.True(a.Send(b, PeerClass.Bulk, Bytes(40_000, (byte)i)));
        }

        // A window's worth leaves, and a chunk that had begun.
        long left = (Count * 40_000) - settings.BulkWindowBytes - (2 * Frame.BytesMax);
        TestPeer.Until(() => a.Network.OpenLinks == 1, "it connects");
        Thread.Sleep(100);
        Assert.True(a.Network.WaitingBytes >= left, $"{a.Network.WaitingBytes} of {left} bytes wait");
        b.TakeAll();
        TestPeer.Until(() => b.Received.Count(received => received.By == PeerClass.Bulk) == Count, "all arrive");
        TestPeer.Until(() => a.Network.WaitingBytes == 0, "nothing waits");
    }

    [Fact]
    public void A_peer_that_comes_back_is_reached_again()
    {
        using var a = new TestPeer(1, Hasty);
        int port = TestPorts.TakeOne();
        var b = new TestPeer(2, Hasty);
        b.Listen(port);
        a.Network.SetAddress(b.Id, b.Address);
        a.SendUntilHeard(b, PeerClass.Requests, [1]);
        b.Dispose();
        TestPeer.Until(() => a.LostLinks.Contains((b.Id, PeerLane.Requests)), "the loss is told");
        TestPeer.Until(
            () => a.Events.Any(sentence => sentence.Contains("is over", StringComparison.Ordinal)), "it is said");
        using TestPeer again = new TestPeer(2, Hasty).Listen(port);
        a.SendUntilHeard(again, PeerClass.Requests, [2]);
    }

    [Fact]
    public void While_nobody_answers_nothing_waits_and_nothing_is_tried_before_its_time()
    {
        Duration hour = Duration.FromSeconds(3600);
        using var a = new TestPeer(1, TestPeer.Patient with { BackOffMin = hour, BackOffMax = hour });
        NodeId nobody = new(2);
        a.Network.SetAddress(nobody, $"127.0.0.1:{TestPorts.TakeOne()}");
        Assert.True(a.Send(nobody, PeerClass.Urgent, [1]));
        TestPeer.Until(() => a.LostLinks.Length == 1, "the attempt fails");
        for (int i = 0; i < 100; i++)
        {
            Assert.False(a.Send(nobody, PeerClass.Urgent, [1]), "the next attempt is half an hour away at least");
        }

        TestPeer.Until(() => a.Network.WaitingBytes == 0, "nothing waits");
        TestPeer.Until(() => a.Events.Length == 1, "it is said once");
        Assert.Single(a.LostLinks);
    }

    [Fact]
    public void Attempts_come_ever_more_seldom_up_to_a_bound()
    {
        PeerSettings settings = new()
        {
            BackOffMin = Duration.FromMilliseconds(20), BackOffMax = Duration.FromMilliseconds(1000),
        };
        int[] expected = [20, 40, 80, 160, 320, 640, 1000, 1000];
        Assert.Equal(
            expected.Select(each => Duration.FromMilliseconds(each)),
            Enumerable.Range(0, expected.Length).Select(failures => PeerLink.LongestWait(settings, failures)));
        Assert.Equal(settings.BackOffMax, PeerLink.LongestWait(settings, int.MaxValue));
    }

    [Fact]
    public void What_never_left_is_told_from_what_may_have_and_nothing_is_taken_before_the_node_has_heard()
    {
        using var a = new TestPeer(1) { KeepsLossesUnheard = true };
        int port = TestPorts.TakeOne();
        NodeId peer = new(2);
        a.Network.SetAddress(peer, $"127.0.0.1:{port}");
        Assert.True(a.Send(peer, PeerClass.Requests, [1]));
        TestPeer.Until(() => a.Losses.Length == 1, "the attempt fails");
        Assert.Equal([LinkLoss.NeverOpened], a.Losses);

        // Even when there is no other reason to wait.
        using TestPeer b = new TestPeer(2).Listen(port);
        a.Network.SetAddress(peer, "127.0.0.1:1");
        a.Network.SetAddress(peer, b.Address);
        Assert.False(a.Send(peer, PeerClass.Requests, [2]), "the loss is not heard yet");
        a.Network.LossHeard(peer, PeerLane.Requests);
        a.SendUntilHeard(b, PeerClass.Requests, [3]);
        b.Dispose();
        TestPeer.Until(() => a.Losses.Contains(LinkLoss.Broken), "the connection breaks");
    }

    [Fact]
    public void A_connection_whose_other_end_is_silent_is_given_up()
    {
        using var a = new TestPeer(1, Hasty);
        using var mute = new MutePeer(new(2));
        a.Network.SetAddress(new(2), mute.Address);
        TestPeer.Until(
            () =>
            {
                // That it is open lasts only until the silence is noticed: no state to wait for.
                a.Send(new NodeId(2), PeerClass.Urgent, [1]);
                return a.Events.Any(sentence => sentence.Contains("silent", StringComparison.Ordinal));
            },
            "the silence is noticed");
        Assert.Contains((new NodeId(2), PeerLane.Control), a.LostLinks);
    }

    [Fact]
    public void An_idle_connection_stays()
    {
        // Asked a hundred times within the silence that would end it; long enough for a machine that is busy.
        PeerSettings settings = TestPeer.Patient with
        {
            KeepAlive = Hasty.KeepAlive,
            SilentAfter = Duration.FromSeconds(2),
        };
        using var a = new TestPeer(1, settings);
        using TestPeer b = new TestPeer(2, settings).Listen();
        a.Network.SetAddress(b.Id, b.Address);
        a.SendUntilHeard(b, PeerClass.Requests, [1]);
        Thread.Sleep(3000);
        Assert.Equal((1, 1), (a.Network.OpenLinks, b.Network.IncomingLinks));
        Assert.Empty(a.LostLinks);
    }

    [Fact]
    public async Task A_question_is_answered_by_address_also_before_there_is_a_cluster()
    {
        using var a = new TestPeer(1);
        using TestPeer b = new TestPeer(2).Listen();
        a.Network.Identity = null;
        string address = b.Address;
        b.Network.Identity = null;
        Assert.Equal([3, 2, 1], await a.Network.Ask(address, new byte[] { 1, 2, 3 }));
        Assert.Null(await a.Network.Ask($"127.0.0.1:{TestPorts.TakeOne()}", new byte[] { 1 }));
    }

    [Theory]
    [InlineData("cluster", "another cluster")]
    [InlineData("node", "another node than n3")]
    [InlineData("self", "this node's own id")]
    [InlineData("none", "belongs to no cluster")]
    public void Who_does_not_belong_here_is_refused_with_the_reason(string what, string reason)
    {
        using var a = new TestPeer(1, cluster: what == "cluster" ? Guid.NewGuid() : null);
        using TestPeer b = new TestPeer(what == "self" ? 1u : 2u).Listen();
        NodeId meant = what == "node" ? new(3) : new(2);
        a.Network.SetAddress(meant, b.Address);
        if (what == "none")
        {
            b.Network.Identity = null;
        }

        TestPeer.Until(
            () =>
            {
                a.Send(meant, PeerClass.Urgent, [1]);
                Thread.Sleep(1);
                return a.Events.Length > 0;
            },
            "the refusal is told");
        Assert.Contains(reason, a.Events[0], StringComparison.Ordinal);
        Assert.Empty(b.Received);
        Assert.Equal(0, b.Network.IncomingLinks);
    }

    [Fact]
    public void Strangers_are_turned_away()
    {
        using TestPeer b = new TestPeer(2).Listen();
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, b.Port);
        client.GetStream().Write("GET / HTTP/1.1\r\nHost: quorate\r\n\r\n"u8);
        client.ReceiveTimeout = (int)Soon.Patience.TotalMilliseconds;
        Assert.True(IsEnd(client));
        Assert.Equal(0, b.Network.IncomingLinks);
    }

    [Fact]
    public void A_damaged_frame_ends_the_connection()
    {
        using TestPeer b = new TestPeer(2).Listen();
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, b.Port);
        NetworkStream stream = client.GetStream();
        PeerIdentity self = new(TestPeer.Cluster, new(1), 1, 5);
        stream.Write(Handshake.Encode(new Hello(1, 1, PeerLane.Control, self, b.Id)));
        byte[] frame = new byte[Frame.HeadBytes + 3];
        new Frame(3, FrameKind.Urgent, IsFirst: true, IsLast: true, 3).Seal(frame);
        stream.Write(frame);
        TestPeer.Until(() => b.Received.Length == 1, "a sound frame arrives");
        frame[^1] ^= 1;
        stream.Write(frame);
        TestPeer.Until(() => b.Network.IncomingLinks == 0, "the connection is given up");
        Assert.Single(b.Received);
    }

    private static bool IsEnd(TcpClient client)
    {
        try
        {
            return client.GetStream().Read(new byte[100]) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static byte[] Bytes(int length, byte first)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)(first + (i * 31) + (i >> 8));
        }

        return bytes;
    }
}
