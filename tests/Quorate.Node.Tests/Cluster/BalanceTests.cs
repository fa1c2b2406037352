using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Wire;
using Quorate.Storage.Disk;

namespace Quorate.Node.Tests.Cluster;

/// <summary>Leaders are spread, return after a failover, and leave a node that stops.</summary>
public sealed class BalanceTests
{
    private static readonly ClusterSettings Sixteen = new()
    {
        Node = new() { Log = new() { SegmentBytes = 64 * 1024 } },
    };

    [Fact]
    public void Leaders_spread_evenly_and_return_after_a_failover()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        Machine killed = world.Machines[1];
        killed.Kill();
        world.Await("others lead", () => Led(world).Values.Sum() == 16);
        killed.Start();
        world.Await("leaders are spread again", () => IsSpread(world), 20_000);
        Assert.Equal("+OK", world.Do(killed, "SET k v"));
    }

    [Fact]
    public void A_machine_that_stood_still_with_all_its_nodes_elects_nobody()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        world.Run(1000);
        int elections = Elections(world);
        foreach (int milliseconds in new[] { 250, 400, 1500 })
        {
            world.Machines.ForEach(machine => machine.IsPaused = true);
            world.Run(milliseconds);
            world.Machines.ForEach(machine => machine.IsPaused = false);
            Assert.Equal("+OK", world.Do(world.Machines[0], "SET k v"));
            world.Run(1000);
        }

        Assert.Equal(elections, Elections(world));
        Assert.DoesNotContain(
            world.Machines.SelectMany(machine => machine.Events), happened => happened.Kind == "silent");
    }

    [Fact]
    public void All_nodes_agree_on_where_leaders_belong()
    {
        TestWorld world = new TestWorld(5, settings: Sixteen).Formed();
        world.Run(500);
        string[] plans =
        [
            .. world.Nodes.Select(node => string.Join(
                ' ', node.Report().Partitions.Select(each => $"{each.Group}:{each.PreferredLeader}"))).Distinct(),
        ];
        Assert.Single(plans);
        IReadOnlyList<PartitionReport> partitions = world.Nodes.First().Report().Partitions;
        Assert.InRange(partitions.GroupBy(each => each.PreferredLeader).Max(each => each.Count()), 3, 5);
    }

    [Fact]
    public void A_node_that_stops_hands_its_leaderships_over_first()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        Machine stopped = world.Machines[0];
        stopped.Node!.BeginStop();
        world.Await("it is ready", () => stopped.IsStopReady, 5000);
        Assert.Equal(0, Led(world)[stopped.Id]);
        TestCall call = world.Submit(stopped, "SET k v");
        world.Await("it goes on serving", () => call.IsDone);
        Assert.Equal("+OK", call.Text);
        TestCall open = world.Submit(stopped, "SET k w");
        stopped.Node!.Close();
        Assert.True(open.IsDone, "what is open is answered");
        stopped.Kill();
        Instant before = world.Now;
        Assert.Equal("+OK", world.Do(world.Machines[1], "SET k v"));
        Assert.InRange((world.Now - before).Microseconds / 1000, 0, 20);
    }

    [Fact]
    public void A_node_that_stops_spreads_its_leaderships_and_lets_its_clients_go_before_it_saves()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        Machine stopped = world.Machines[0];
        Assert.Equal("+OK", world.Do(stopped, "SET k v"));
        stopped.Node!.BeginStop();
        world.Await("it leads nothing", () => stopped.HasHandedOver, 5000);
        Assert.Equal(0, Led(world)[stopped.Id]);
        Assert.All(
            world.Machines.Skip(1), other => Assert.InRange(Led(world)[other.Id], 7, 9));
        Assert.False(stopped.IsStopReady, "the rows are saved after that");
        world.Await("it is ready", () => stopped.IsStopReady, 5000);
        Assert.All(
            stopped.Node!.Runtime.Partitions,
            group => Assert.Equal(0, stopped.Node.Runtime.Find(group)!.Rows.DirtyBytes));
        Assert.Equal(2, stopped.Events.Count(happened => happened.Kind == "stop"));
    }

    /// <summary>S5: writes go on where there is room, and return with the room.</summary>
    [Fact]
    public void A_node_whose_disk_is_full_leads_nothing_until_it_has_room()
    {
        // Segments so large that what is written while leaderships change hands fits into the one that is left.
        ClusterSettings roomy = new() { Node = new() { Log = new() { SegmentBytes = 1024 * 1024 } } };
        TestWorld world = new TestWorld(3, settings: roomy).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        world.Run(2000);
        Machine full = world.Machines[0];
        full.Disk.Fate = operation =>
            operation.Kind == DiskOperationKind.Allocate ? DiskStatus.Full : DiskStatus.Done;
        string value = new('x', 16_000);
        for (int i = 0; full.Node!.Runtime.SpaceIsLow is false; i++)
        {
            Assert.True(i < 2000, "the log runs short of space");
            world.Do(world.Machines[1], $"SET k{i} {value}");
        }

        world.Await("it leads nothing", () => Led(world)[full.Id] == 0);
        Assert.Contains(full.Events, happened => happened.Kind == "space");
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal("+OK", world.Do(world.Machines[1], $"SET after{i} v"));
        }

        Assert.Null(full.Ending);
        full.Disk.Fate = null;
        world.Run(3000);
        Assert.False(full.Node!.Runtime.SpaceIsLow, "it has room: " + string.Join("; ", full.Disk.Names));
        world.Await("leaders are spread again", () => IsSpread(world), 20_000);
    }

    [Fact]
    public void A_stop_waits_for_nobody_for_long()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        Machine stopped = world.Machines[0];
        // Heirs are heard and complete, and never learn that they are to lead.
        world.Passes = (_, _, _, bytes) => (PeerMessageKind)bytes[0] != PeerMessageKind.Raft
            || !RaftWire.TryRead(bytes, out _, out RaftMessage message, out _)
            || message.Kind != MessageKind.TimeoutNow;
        Instant before = world.Now;
        stopped.Node!.BeginStop();
        world.Await("it is ready", () => stopped.IsStopReady, 6000);
        Assert.InRange((world.Now - before).Microseconds / 1000, 100, 4200);
        Assert.True(stopped.HasHandedOver, "its clients were let go");
        string said = string.Join(' ', stopped.Events.Select(happened => happened.Sentence));
        Assert.Contains("not taken by any other node in time", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_that_all_stop_hand_nothing_round_and_one_that_stops_is_given_nothing_back()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        world.Run(2000);
        Machine first = world.Machines[0];
        first.Node!.BeginStop();
        world.Await("it is ready", () => first.IsStopReady, 5000);
        world.Run(3000);
        Assert.Equal(0, Led(world)[first.Id]);

        int before = Elections(world);
        world.Machines[1].Node!.BeginStop();
        world.Machines[2].Node!.BeginStop();
        world.Await("both are ready", () => world.Machines.TrueForAll(each => each.IsStopReady), 2000);
        Assert.Equal(before, Elections(world));
        Assert.All(
            world.Machines.SelectMany(machine => machine.Events.Where(each => each.Kind == "election")),
            election => Assert.Matches("^(first|silence|transfer)$", election.Cause));
    }

    /// <summary>Who has asked it last may not have heard yet that it stops.</summary>
    [Fact]
    public void A_node_that_stops_waits_for_requests_that_are_on_their_way_to_it()
    {
        TestWorld world = new TestWorld(3, settings: Sixteen).Formed();
        world.Await("leaders are spread", () => IsSpread(world));
        Machine stopped = world.Machines[0];
        Machine other = world.Machines[1];
        byte[]? call = null;
        world.Passes = (from, to, _, bytes) =>
        {
            call = from == other && to == stopped && bytes[0] == (byte)PeerMessageKind.Call ? bytes : call;
            return true;
        };
        for (int i = 0; call is null; i++)
        {
            world.Do(other, $"GET k{i}");
        }

        stopped.Node!.BeginStop();
        Instant until = world.Now + Duration.FromMilliseconds(800);
        while (world.Now < until)
        {
            Assert.False(stopped.IsStopReady, "others still ask it");
            stopped.Receive(other.Id, call);
            world.Run(50);
        }

        world.Await("it is ready", () => stopped.IsStopReady, 500);
    }

    [Fact]
    public void Once_a_node_says_that_it_stops_nobody_goes_by_what_was_last_known_of_it()
    {
        var world = new TestWorld(4, expect: 4, settings: Sixteen);
        world.Formed();
        world.Run(8000);
        KeyspaceView keyspace = ViewOf(world);
        Machine asker = world.Machines[3];
        PartitionRecord row = keyspace.Partitions.First(each => each.Voters.All(
            voter => ReplicaId.FromPacked(voter).NodeId != asker.Id));
        Machine stopped = world.LeaderOf(new GroupId(row.Group))!;
        void Slot(TestCall call) => call.Slot = new((ushort)row.FirstSlot);
        world.Do(asker, "DBSIZE", Slot);
        stopped.Node!.BeginStop();
        world.Await("it is ready", () => stopped.IsStopReady, 5000);

        // It is gone, and nobody knows yet: what is sent to it comes to an unknown end.
        stopped.IsCutOff = true;
        TestCall call = world.Submit(asker, "FLUSHDB", Slot);
        world.Run(100);
        Assert.True(call.IsDone, "it is asked elsewhere");
        Assert.Equal("+OK", call.Text);
    }

    [Fact]
    public void A_single_node_is_ready_to_stop_at_once()
    {
        TestWorld world = new TestWorld(1).Formed();
        world.Do(world.Machines[0], "SET k v");
        world.Machines[0].Node!.BeginStop();
        world.Await("it is ready", () => world.Machines[0].IsStopReady, 1000);
        world.Machines[0].Restart();
        world.Formed();
        Assert.Equal("$1\r\nv", world.Do(world.Machines[0], "GET k"));
    }

    [Fact]
    public void A_report_tells_who_is_silent_and_what_lacks_replicas()
    {
        TestWorld world = new TestWorld(3).Formed();
        world.Run(3000);
        ClusterReport healthy = world.Machines[0].Node!.Report();
        Assert.Empty(healthy.Alarms);
        Assert.All(healthy.Nodes, node => Assert.True(node.IsHeard));
        world.Machines[2].Kill();
        world.Run(2000);
        ClusterReport[] reports = [.. world.Nodes.Select(node => node.Report())];
        Assert.All(reports, report => Assert.Contains(report.Alarms, alarm => alarm.Contains("host3:7601")));
        Assert.Equal(4, reports.Sum(report => report.Partitions.Count(partition => partition.IsUnderReplicated)));
        Assert.All(reports, report => Assert.All(report.Partitions, partition => Assert.NotNull(partition.Leader)));
    }

    /// <summary>A node knows the leaders of the partitions that it holds; of others only their nodes do.</summary>
    [Fact]
    public void Partitions_of_other_nodes_alarm_nobody()
    {
        TestWorld world = new TestWorld(5).Formed();
        world.Run(3000);
        Assert.All(world.Nodes, node =>
        {
            ClusterReport report = node.Report();
            Assert.Contains(report.Partitions, partition => !partition.IsHere);
            Assert.Empty(report.Alarms);
        });

        // Of those that it holds it says so: whoever is cut off soon knows no leader of any.
        Machine alone = world.Machines[0];
        alone.IsCutOff = true;
        world.Run(3000);
        int held = alone.Node!.Report().Partitions.Count(partition => partition.IsHere);
        Assert.Contains(
            $"Of {held} partitions that this node holds no leader is known here.", alone.Node.Report().Alarms);
    }

    private static KeyspaceView ViewOf(TestWorld world)
    {
        Assert.True(world.Machines[0].Node!.View.TryFind("default", out KeyspaceView? view));
        return view;
    }

    private static int Elections(TestWorld world) =>
        world.Machines.Sum(machine => machine.Events.Count(each => each.Kind == "election"));

    private static bool IsSpread(TestWorld world)
    {
        IReadOnlyDictionary<NodeId, int> led = Led(world);
        return led.Values.Sum() == 16 && led.Values.Min() >= 5 && led.Values.Max() <= 6;
    }

    private static SortedDictionary<NodeId, int> Led(TestWorld world)
    {
        SortedDictionary<NodeId, int> led = [];
        foreach (Machine machine in world.Machines)
        {
            led[machine.Id] = machine.Node?.Runtime.Partitions.Count(
                group => machine.Node.Runtime.Find(group) is { IsLeader: true }) ?? 0;
        }

        return led;
    }
}
