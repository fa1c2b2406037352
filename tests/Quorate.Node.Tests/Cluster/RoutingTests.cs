using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Wire;

namespace Quorate.Node.Tests.Cluster;

/// <summary>A request finds whoever may answer it, once, in order, and never in silence.</summary>
public sealed class RoutingTests
{
    [Fact]
    public void After_the_death_of_a_leader_another_serves_within_a_second()
    {
        TestWorld world = new TestWorld(3).Formed();
        world.Run(3000);
        for (int i = 0; i < 4; i++)
        {
            Machine leader = world.LeaderOf("k");
            Machine other = world.Machines.First(machine => machine != leader);
            Assert.Equal("+OK", world.Do(other, $"SET k {i}"));
            leader.Kill();
            Instant killed = world.Now;
            TestCall call = world.Submit(other, $"SET k {i}b");
            world.Await("it is done", () => call.IsDone);
            Assert.Equal("+OK", call.Text);
            Assert.InRange((world.Now - killed).Microseconds / 1000, 0, 1000);
            leader.Start();
            world.Run(3000);
        }
    }

    [Fact]
    public void Calls_of_one_key_are_executed_in_order_through_failovers()
    {
        TestWorld world = new TestWorld(3).Formed();
        var random = new SeededRandom(3);
        for (int round = 0; round < 20; round++)
        {
            Machine leader = world.LeaderOf("k");
            Machine at = world.Machines.First(machine => machine != leader);
            string key = $"{{k}}{round}";
            List<TestCall> calls = [];
            for (int i = 0; i < 60; i++)
            {
                calls.Add(world.Submit(at, $"RPUSH {key} {i:D2}"));
                if (i == 30)
                {
                    MoveLeader(world, leader, random.Next(3));
                }
                else if (i > 30 || random.Next(4) == 0)
                {
                    world.Run(random.Next(i > 30 ? 60 : 20));
                }
            }

            world.Await("all are answered", () => calls.TrueForAll(call => call.IsDone));
            foreach (Machine machine in world.Machines)
            {
                machine.IsCutOff = false;
                if (!machine.IsUp)
                {
                    machine.Start();
                }
            }

            world.Run(1000);
            string[] values = Values(world.Do(at, $"LRANGE {key} 0 -1"));
            Assert.Equal(values.Order(StringComparer.Ordinal), values);
            Assert.Equal(values.Distinct(), values);
            for (int i = 0; i < calls.Count; i++)
            {
                if (calls[i].Result.Outcome == Outcome.Done)
                {
                    Assert.Contains($"{i:D2}", values);
                }
                else if (calls[i].Result.Outcome == Outcome.Refused)
                {
                    Assert.DoesNotContain($"{i:D2}", values);
                }
            }
        }
    }

    [Fact]
    public void A_minority_refuses_what_it_can_not_decide_and_nothing_hangs()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine lonely = world.LeaderOf("k");
        Assert.Equal("+OK", world.Do(lonely, "SET k v"));
        lonely.IsCutOff = true;
        TestCall proposed = world.Submit(lonely, "SET k w");
        world.Run(2000);
        TestCall late = world.Submit(lonely, "SET k x");
        TestCall read = world.Submit(lonely, "GET k");
        TestCall eventual = world.Submit(lonely, "GET k", call => call.ReadLevel = ReadLevel.Eventual);
        world.Run(1);
        Assert.Equal("$1\r\nv", eventual.Text);
        world.Run(5200);
        Assert.Equal(Outcome.Unknown, proposed.Result.Outcome);
        Assert.Equal("Refused NotLeader", late.Text);
        Assert.Equal(Outcome.Refused, read.Result.Outcome);
        Assert.True(read.IsDone && late.IsDone);

        Machine other = world.Machines.First(machine => machine != lonely);
        Assert.Equal("+OK", world.Do(other, "SET k y"));
        lonely.IsCutOff = false;
        world.Run(1000);
        Assert.Equal("$1\r\ny", world.Do(lonely, "GET k"));
    }

    [Fact]
    public void A_write_whose_connection_broke_is_unknown_and_is_asked_again_only_with_a_session()
    {
        (TestWorld world, Machine leader, Machine at) = Forwarding();
        world.Passes = (from, _, _, bytes) => from == at || bytes[0] != (byte)PeerMessageKind.Answer;
        TestCall plain = world.Submit(at, "INCR k");
        TestCall numbered = world.Submit(at, "INCR k", call => call.Session = new SessionRequest(1UL << 40, 1, 0));
        TestCall read = world.Submit(at, "EXISTS k");
        world.Run(10);
        Assert.False(plain.IsDone || numbered.IsDone || read.IsDone);
        world.Passes = null;
        at.Node!.LinkLost(leader.Id, PeerClass.Requests);
        world.Run(200);
        Assert.Equal(Outcome.Unknown, plain.Result.Outcome);
        Assert.Equal(":2", numbered.Text);
        Assert.Equal(":1", read.Text);
        Assert.Equal("$1\r\n2", world.Do(at, "GET k"));
    }

    [Fact]
    public void A_numbered_write_that_may_have_run_is_unknown_when_nobody_leads_any_more()
    {
        (TestWorld world, Machine leader, Machine at) = Forwarding();
        world.Passes = (from, _, _, bytes) => from == at || bytes[0] != (byte)PeerMessageKind.Answer;
        TestCall numbered = world.Submit(at, "INCR k", call => call.Session = new SessionRequest(1UL << 40, 1, 0));
        TestCall fresh = world.Submit(at, "EXISTS k");
        world.Run(10);
        Assert.False(numbered.IsDone || fresh.IsDone);
        at.IsCutOff = true;
        at.Node!.LinkLost(leader.Id, PeerClass.Requests);
        world.Run(5200);
        Assert.Equal(Outcome.Unknown, numbered.Result.Outcome);
        Assert.Equal(Outcome.Refused, fresh.Result.Outcome);
    }

    [Fact]
    public void A_request_that_fits_into_no_message_is_refused_at_once_wherever_it_is_asked()
    {
        TestWorld world = new TestWorld(3).Formed();
        string large = new('x', 40 * 1024 * 1024);
        foreach (Machine at in world.Machines)
        {
            TestCall call = world.Submit(at, $"MSET {{k}}1 {large} {{k}}2 {large}");
            Assert.Equal("Refused TooLarge", call.Text);
        }
    }

    [Fact]
    public void One_lost_answer_does_not_hold_up_what_comes_after_it_until_its_deadline()
    {
        (TestWorld world, Machine leader, Machine at) = Forwarding();
        world.Passes = (from, _, _, bytes) => from == at || bytes[0] != (byte)PeerMessageKind.Answer;
        TestCall lost = world.Submit(at, "SET k v");
        world.Run(10);
        Assert.False(lost.IsDone);
        world.Passes = null;
        MoveLeader(world, leader, 2);
        TestCall next = world.Submit(at, "SET k w");
        long waited = world.Await("it is done", () => next.IsDone);
        Assert.Equal("+OK", next.Text);
        Assert.InRange(waited, 500, 2000);
        Assert.False(lost.IsDone);
        world.Run(5000);
        Assert.Equal("Unknown DeadlinePassed", lost.Text);
    }

    [Fact]
    public void An_answer_that_does_not_come_is_unknown_at_the_deadline()
    {
        (TestWorld world, Machine leader, Machine at) = Forwarding();
        world.Passes = (_, _, _, bytes) => bytes[0] != (byte)PeerMessageKind.Answer;
        TestCall write = world.Submit(at, "SET k v");
        TestCall read = world.Submit(at, "GET k");
        world.Run(4990);
        Assert.False(write.IsDone || read.IsDone);
        world.Run(100);
        Assert.Equal("Unknown DeadlinePassed", write.Text);
        Assert.Equal("Refused ReadDeadlinePassed", read.Text);
    }

    [Fact]
    public void Once_a_round_is_refused_its_later_calls_are_even_when_the_node_leads_by_then()
    {
        TestWorld world = new TestWorld(3).Formed();
        world.Run(2000);
        GroupId group = world.GroupOf("k");
        Machine leader = world.LeaderOf("k");
        Machine[] others = [.. world.Machines.Where(machine => machine != leader)];
        (Machine from, Machine to) = (others[0], others[1]);
        List<AnswerMessage> answers = [];
        world.Passes = (_, _, _, bytes) =>
        {
            if (bytes[0] == (byte)PeerMessageKind.Answer)
            {
                Assert.True(AnswerWire.TryRead(bytes, out AnswerMessage answer, out _));
                answers.Add(answer);
            }

            return true;
        };
        Inject(world, from, to, group, id: 1, round: 7);
        Assert.True(answers[^1].IsOfPlace);
        Assert.Equal(leader.Id, answers[^1].LeaderHint);

        leader.Node!.Runtime.Transfer(group, new(1UL << 60), new(to.Id.Value, 1));
        world.Await("it leads", () => world.LeaderOf(group) == to);
        Inject(world, from, to, group, id: 2, round: 7);
        Assert.True(answers[^1].IsOfPlace);
        Inject(world, from, to, group, id: 3, round: 8);
        Assert.Equal((3UL, Outcome.Done), (answers[^1].Id, answers[^1].Outcome));
        Inject(world, from, to, group, id: 4, round: 1, boot: 78);
        Assert.Equal((4UL, Outcome.Done), (answers[^1].Id, answers[^1].Outcome));
    }

    [Fact]
    public void A_node_speaks_for_its_own_replicas_alone()
    {
        TestWorld world = new TestWorld(3).Formed();
        GroupId group = world.GroupOf("k");
        Machine to = world.Machines[0];
        Term before = to.Node!.Runtime.Find(group)!.Replica.Group!.Term;
        var writer = new WireWriter();
        RaftWire.Write(writer, group, new RaftMessage
        {
            Kind = MessageKind.VoteRequest, From = new(3, 1), To = new(1, 1), Term = new(99), Force = true,
        });
        to.Node.Receive(new(2), writer.Written.ToArray());
        world.Run(1);
        Assert.Equal(before, to.Node.Runtime.Find(group)!.Replica.Group!.Term);
        to.Node.Receive(new(3), writer.Written.ToArray());
        world.Run(1);
        Assert.Equal(new Term(99), to.Node.Runtime.Find(group)!.Replica.Group!.Term);
    }

    [Fact]
    public void What_is_out_at_a_peer_is_bounded()
    {
        TestWorld world = new TestWorld(3, settings: new ClusterSettings
        {
            DefaultPartitions = 1,
            Routing = new() { ForwardedMax = 4, WaitingMax = 3 },
        }).Formed();
        Machine leader = world.LeaderOf("k");
        Machine at = world.Machines.First(machine => machine != leader);
        world.Passes = (_, _, _, bytes) => bytes[0] != (byte)PeerMessageKind.Answer;
        TestCall[] calls = [.. Enumerable.Range(0, 6).Select(_ => world.Submit(at, "SET k v"))];
        Assert.Equal([false, false, false, false, true, true], calls.Select(call => call.IsDone));
        Assert.Equal("Refused Overloaded", calls[5].Text);
    }

    [Fact]
    public void Reads_of_lower_levels_are_answered_by_any_replica()
    {
        TestWorld world = new TestWorld(5).Formed();
        TestCall written = world.Submit(world.Machines[0], "SET k v");
        world.Await("it is written", () => written.IsDone);
        foreach (Machine machine in world.Machines)
        {
            Assert.Equal("$1\r\nv", world.Do(machine, "GET k", call =>
            {
                call.ReadLevel = ReadLevel.Session;
                call.Token = written.Result.Token;
            }));
        }

        // Where the data is, nobody needs a quorum for level `eventual`.
        world.Run(500);
        GroupId group = world.GroupOf("k");
        Machine holder = world.Machines.First(machine => machine.Node!.Runtime.Find(group) is not null);
        foreach (Machine machine in world.Machines)
        {
            machine.IsCutOff = machine != holder;
        }

        world.Run(1000);
        Assert.Equal("$1\r\nv", world.Do(holder, "GET k", call => call.ReadLevel = ReadLevel.Eventual));
    }

    [Fact]
    public void A_stale_epoch_is_refused_and_asked_again_with_the_new_row()
    {
        TestWorld world = new TestWorld(3).Formed();
        GroupId group = world.GroupOf("k");
        Machine leader = world.LeaderOf("k");
        Machine at = world.Machines.First(machine => machine != leader);

        // The row's epoch rises at the leader; this node hears of it later.
        world.Passes = (_, to, _, bytes) => to != at || bytes[0] == (byte)PeerMessageKind.Answer;
        ClusterNode mover = world.Machines.First(machine => machine != at).Node!;
        PartitionRecord row = RowOf(mover, group);
        var move = new MovePartition { Group = group.Value, ExpectedEpoch = row.Epoch };
        move.Voters.AddRange(row.Voters.Select(voter => ReplicaId.FromPacked(voter).Node));
        var call = new TestMetadataCall
        {
            Command = new() { MovePartition = move }, Deadline = world.Now + Duration.FromSeconds(5),
        };
        Machine metadataLeader = world.Machines.First(
            machine => machine.Node!.Report().MetadataLeader.NodeId == machine.Id);
        if (metadataLeader == at)
        {
            world.Passes = null;
        }

        metadataLeader.Node!.Submit(call);
        TestCall asked = world.Submit(at, "SET k v");
        world.Run(30);
        world.Passes = null;
        world.Await("it is done", () => asked.IsDone && call.IsDone);
        Assert.Equal("+OK", asked.Text);
        Assert.True(RowOf(leader.Node!, group).Epoch > row.Epoch);
    }

    /// <summary>A formed cluster, who leads the partition of `k` there, and somebody who has to hand its calls
    /// on.</summary>
    internal static (TestWorld World, Machine Leader, Machine At) Forwarding()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine leader = world.LeaderOf("k");
        return (world, leader, world.Machines.First(machine => machine != leader));
    }

    private static void Inject(
        TestWorld world, Machine from, Machine to, GroupId group, ulong id, uint round, ulong boot = 77)
    {
        var writer = new WireWriter();
        var header = new CallHeader(boot, id, group, 1, round, Duration.FromSeconds(5));
        CallWire.Write(writer, header, new TestCall("SET k v"));
        to.Node!.Receive(from.Id, writer.Written.ToArray());
        world.Run(10);
    }

    private static PartitionRecord RowOf(ClusterNode node, GroupId group)
    {
        bool isThere = node.View.TryFind(group, out PartitionRecord? row);
        Assert.True(isThere);
        return row!;
    }

    private static void MoveLeader(TestWorld world, Machine leader, long how)
    {
        switch (how)
        {
            case 0:
                leader.Kill();
                break;
            case 1:
                leader.IsCutOff = true;
                break;
            default:
                GroupId group = world.GroupOf("k");
                Quorate.Node.Partitions.Partition partition = leader.Node!.Runtime.Find(group)!;
                ReplicaId heir = partition.Replica.Group!.Membership.Voters.ToArray()
                    .First(voter => voter.NodeId != leader.Id);
                partition.Transfer(new(1UL << 60), heir);
                break;
        }
    }

    private static string[] Values(string reply) =>
        [.. reply.Split("\r\n").Where(part => part.Length == 2 && char.IsAsciiDigit(part[0]))];
}
