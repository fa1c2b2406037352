using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Cluster.Forming.Wire;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Disk;

namespace Quorate.Node.Tests.Cluster;

/// <summary>Exactly one cluster is formed, whatever goes down on the way.</summary>
public sealed class FormationTests
{
    [Fact]
    public void Ids_come_out_in_the_order_of_the_seeds_and_stay()
    {
        TestWorld world = new TestWorld(3).Formed();
        Assert.Equal([1U, 2U, 3U], world.Machines.Select(machine => machine.Id.Value));
        Assert.Equal([1U, 2U, 3U], world.Machines[0].Node!.View.State.Nodes.Select(node => node.Id));
        Guid cluster = ClusterOf(world);
        foreach (Machine machine in world.Machines)
        {
            machine.Restart();
        }

        world.Formed();
        Assert.Equal(cluster, ClusterOf(world));
        Assert.Equal([1U, 2U, 3U], world.Machines.Select(machine => machine.Id.Value));
        Assert.Equal(3, world.Machines[0].Node!.View.State.Nodes.Count);
    }

    [Fact]
    public void Nobody_founds_before_all_that_are_expected_are_heard()
    {
        var world = new TestWorld(3, isStarted: false);
        world.Machines[0].Start();
        world.Machines[2].Start();
        world.Run(20_000);
        Assert.All(world.Machines, machine => Assert.Null(machine.Node));
        Assert.Contains("2 of 3", world.Machines[0].LastWait, StringComparison.Ordinal);
        world.Machines[1].Start();
        world.Formed();
        Assert.Equal("+OK", world.Do(world.Machines[1], "SET k v"));
    }

    [Fact]
    public void The_first_seed_alone_founds()
    {
        var world = new TestWorld(3, isStarted: false);
        world.Machines[1].Start();
        world.Machines[2].Start();
        world.Run(10_000);
        Assert.All(world.Machines, machine => Assert.Null(machine.Node));
    }

    /// <summary>
    /// One of three is killed at each operation of its disk that the founding takes, before or after it is done.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void One_cluster_is_founded_wherever_a_node_is_killed(int victim)
    {
        int kills = 0;
        for (int at = 0; at < 400; at++)
        {
            var world = new TestWorld(3, isStarted: false);
            Machine killed = world.Machines[victim];
            int seen = 0;
            bool isKilled = false;
            killed.Disk.Fate = _ =>
            {
                isKilled |= seen++ == at;
                return isKilled ? DiskStatus.NotFound : DiskStatus.Done;
            };
            killed.IsStoppedWhen = () => isKilled;
            foreach (Machine machine in world.Machines)
            {
                machine.Start();
            }

            world.Run(400);
            if (!isKilled)
            {
                break;
            }

            kills++;
            killed.Disk.Fate = null;
            killed.IsStoppedWhen = null;
            killed.Kill();
            world.Run(at % 3 * 500);
            killed.Start();
            world.Formed();
            Assert.Single(world.Nodes.Select(node => node.Report().Cluster).Distinct());
            Assert.Equal([1U, 2U, 3U], world.Machines.Select(machine => machine.Id.Value));
            Assert.Equal(3, world.Machines[0].Node!.View.State.Nodes.Count);
            Assert.Equal("+OK", world.Do(killed, "SET k v"));
            at += at < 30 ? 0 : 6;
        }

        Assert.InRange(kills, 25, 400);
    }

    [Fact]
    public void Nobody_hears_of_a_founding_that_a_crash_can_undo()
    {
        for (int at = 0; at < 12; at++)
        {
            var world = new TestWorld(1, isStarted: false);
            Machine only = world.Machines[0];
            int left = at;
            only.IsStoppedWhen = () => left < 0;
            only.Disk.Fate = operation => left-- < 0 ? DiskStatus.NotFound : DiskStatus.Done;
            only.Start();
            world.Run(500);
            Guid said = only.ClusterId;
            only.Disk.Fate = null;
            only.IsStoppedWhen = null;
            only.Kill();
            only.Start();
            world.Formed();
            Assert.True(said == default || said == only.ClusterId, $"another cluster was founded at {at}");
        }
    }

    [Fact]
    public void A_founder_that_lost_its_disk_joins_the_cluster_that_there_is()
    {
        TestWorld world = new TestWorld(3).Formed();
        world.Do(world.Machines[1], "SET k v");
        Guid cluster = ClusterOf(world);
        Machine first = world.Machines[0];
        first.Kill();
        first.Disk = new MemoryDisk();
        world.Run(1000);
        first.Start();
        world.Await("it is a node again", () => first.Node is not null);
        world.Run(3000);
        Assert.Equal(4U, first.Id.Value);
        Assert.Equal(cluster, first.Node!.Report().Cluster);
        Assert.Equal("$1\r\nv", world.Do(first, "GET k"));
    }

    [Fact]
    public void Nobody_founds_while_a_seed_is_silent_since_it_may_know_a_cluster()
    {
        // Two lost their disks and can not reach the only one who knows; there are as many fresh ones as are expected.
        TestWorld world = new TestWorld(3).Formed();
        foreach (Machine machine in new[] { world.Machines[0], world.Machines[2] })
        {
            machine.Kill();
            machine.Disk = new MemoryDisk();
        }

        Machine fourth = world.Add();
        Machine knower = world.Machines[1];
        world.AskPasses = (from, to) => from != knower && to != knower;
        foreach (Machine machine in new[] { world.Machines[0], world.Machines[2], fourth })
        {
            machine.Start();
        }

        world.Run(10_000);
        Assert.Null(world.Machines[0].Node);
        Assert.Null(fourth.Node);
        Assert.Contains("no answer yet from host2:7601", world.Machines[0].LastWait, StringComparison.Ordinal);
    }

    [Fact]
    public void With_fewer_expected_than_seeds_all_seeds_are_heard_and_one_cluster_is_founded()
    {
        var world = new TestWorld(3, isStarted: false);
        world.Machines[0].Start(expect: 2);
        world.Machines[1].Start(expect: 2);
        world.Run(10_000);
        Assert.All(world.Machines, machine => Assert.Null(machine.Node));
        world.Machines[2].Start(expect: 2);
        world.Formed();
        Assert.Equal([1U, 2U, 3U], world.Machines.Select(machine => machine.Id.Value));
        ClusterOf(world);

        // Two lose their disks, and the founder can not reach the third: it must not found anew with the second.
        foreach (Machine machine in world.Machines.Take(2))
        {
            machine.Kill();
            machine.Disk = new MemoryDisk();
        }

        world.AskPasses = (from, to) => from != world.Machines[2] && to != world.Machines[2];
        world.Machines[0].Start(expect: 2);
        world.Machines[1].Start(expect: 2);
        world.Run(10_000);
        Assert.Null(world.Machines[0].Node);
        Assert.Null(world.Machines[1].Node);
    }

    [Fact]
    public void One_who_has_heard_of_a_cluster_is_not_founded_with()
    {
        // The third hears of the cluster, which can not let it in; then the last who knows loses its disk as well.
        TestWorld world = new TestWorld(3).Formed();
        foreach (Machine machine in new[] { world.Machines[0], world.Machines[2] })
        {
            machine.Kill();
            machine.Disk = new MemoryDisk();
        }

        world.Machines[2].Start();
        world.Run(2000);
        world.Machines[1].Kill();
        world.Machines[1].Disk = new MemoryDisk();
        world.Machines[1].Start();
        world.Machines[0].Start();
        world.Run(10_000);
        Assert.All(world.Machines, machine => Assert.Null(machine.Node));
    }

    [Fact]
    public void A_node_that_comes_later_joins_and_follows_the_metadata()
    {
        TestWorld world = new TestWorld(3).Formed();
        world.Do(world.Machines[0], "SET k v");
        Machine fourth = world.Add();
        fourth.Start();
        world.Await("it has the metadata", () => fourth.Node is { } node && node.View.TryFind("default", out _));
        Assert.Equal(4U, fourth.Id.Value);
        Assert.Equal("$1\r\nv", world.Do(fourth, "GET k"));
        Assert.Equal("+OK", world.Do(fourth, "SET k w"));
        fourth.Restart();
        world.Await("it has it again", () => fourth.Node is { } node && node.View.TryFind("default", out _));
        Assert.Equal(4, world.Machines[0].Node!.View.State.Nodes.Count);

        Machine fifth = world.Add();
        fifth.Start();
        world.Await("five vote", () => world.Nodes.Count() == 5 && world.Nodes.All(node => node.MetadataVoters == 5));
    }

    [Fact]
    public void A_refusal_to_join_is_not_remembered_for_ever()
    {
        TestWorld world = new TestWorld(3).Formed();
        var self = new NodeRecord { Instance = 77, PeerAddress = "host4:7601", Weight = 100, FeatureLevelMax = 0 };
        Assert.Contains("feature level", Asked(world, self).Refusal, StringComparison.Ordinal);
        self.FeatureLevelMax = 1;
        Assert.Contains("feature level", Asked(world, self).Refusal, StringComparison.Ordinal);
        world.Run(5000);
        Assert.Equal(4U, Asked(world, self).Node);
    }

    [Fact]
    public void A_row_of_its_own_that_is_refused_is_said_once_and_not_ten_times_a_second()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine second = world.Machines[1];
        second.Zone = new string('z', 10_000);
        second.Events.Clear();
        second.Restart();
        world.Run(20_000);
        Assert.Single(
            second.Events,
            happened => happened.Kind == "metadata"
                && happened.Sentence.Contains("characters", StringComparison.Ordinal));
        second.Zone = "good";
        second.Restart();
        world.Await("its row is right", () => world.Machines[0].Node!.View.State.Nodes[1].Zone == "good");
    }

    [Fact]
    public void A_node_whose_build_is_too_old_for_the_cluster_ends_and_says_so()
    {
        var world = new TestWorld(3, isStarted: false);
        foreach (Machine machine in world.Machines)
        {
            machine.FeatureLevelMax = 2;
            machine.Start();
        }

        world.Formed();
        world.Machines[2].FeatureLevelMax = 1;
        world.Machines[2].Restart();
        world.Await("it ends", () => world.Machines[2].Ending is not null);
        Assert.Contains("feature level 2", world.Machines[2].Ending, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_is_removed_ends_and_does_not_come_back()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine fourth = world.Add();
        fourth.Start();
        world.Await("it follows", () => fourth.Node is { } node && node.View.TryFind("default", out _));
        MetadataCommand removal = new() { SetNodeState = new() { Node = 4, State = NodeState.Removed } };
        Assert.Equal("", world.Do(world.Machines[0], removal).Result!.Refusal);
        world.Await("it ends", () => fourth.Ending is not null);
        Assert.Contains("was removed", fourth.Ending, StringComparison.Ordinal);
        fourth.Kill();
        fourth.Start();
        world.Await("it ends again", () => fourth.Ending is not null);
        fourth.Kill();
        fourth.Disk = new MemoryDisk();
        fourth.Start();
        world.Await("it is another node", () => fourth.Node is { } node && node.View.TryFind("default", out _));
        Assert.Equal(5U, fourth.Id.Value);
    }

    [Fact]
    public void Nodes_that_were_told_different_things_wait_and_say_so()
    {
        var world = new TestWorld(3, isStarted: false);
        string[] turned = [world.Seeds[1], world.Seeds[0], world.Seeds[2]];
        world.Machines[0].Start();
        world.Machines[1].Start(turned);
        world.Machines[2].Start();
        world.Run(10_000);
        Assert.All(world.Machines, machine => Assert.Null(machine.Node));
        Assert.Contains("start all with the same", world.Machines[0].LastWait, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_finds_itself_behind_another_name_says_what_to_type()
    {
        var world = new TestWorld(1, isStarted: false);
        world.Machines[0].Start(["localhost:7601"], 1);
        world.Run(1000);
        Assert.Contains("host1:7601 (--advertise-peer) is none", world.Machines[0].LastWait, StringComparison.Ordinal);
        Formation formation = world.Machines[0].Formation!;
        formation.Answered("localhost:7601", formation.Answer([]));
        Assert.Contains("--advertise-peer localhost:7601", world.Machines[0].Ending, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_seeds_and_data_it_refuses_and_says_what_to_type()
    {
        var world = new TestWorld(1, isStarted: false);
        world.Machines[0].Start([], 1);
        world.Settle();
        Assert.Contains("quorate serve --seeds", world.Machines[0].Ending, StringComparison.Ordinal);

        TestWorld formed = new TestWorld(1).Formed();
        formed.Machines[0].Kill();
        formed.Machines[0].Start([], 1);
        formed.Formed();
    }

    [Fact]
    public void A_damaged_note_is_refused()
    {
        TestWorld world = new TestWorld(1).Formed();
        world.Machines[0].Kill();
        world.Machines[0].Disk.Content("formation")[20] ^= 1;
        world.Machines[0].Start();
        world.Settle();
        Assert.Contains("damaged", world.Machines[0].Ending, StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_is_no_question_and_no_answer()
    {
        var world = new TestWorld(3, isStarted: false);
        world.Machines[0].Start();
        world.Run(100);
        Formation formation = world.Machines[0].Formation!;
        var random = new SeededRandom(5);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(40)];
            world.Machines[1].Fill(bytes);
            formation.Answer(bytes);
            formation.Answered("host2:7601", bytes);
        }

        world.Machines[1].Start();
        world.Machines[2].Start();
        world.Formed();
    }

    /// <summary>What the first says to one who asks to join, after it has had time to find out.</summary>
    private static FormationAnswer Asked(TestWorld world, NodeRecord self)
    {
        byte[] question = new FormationQuestion { Self = self, Joins = true }.ToByteArray();
        world.Machines[0].Answer(question);
        world.Run(500);
        return FormationAnswer.Parser.ParseFrom(world.Machines[0].Answer(question));
    }

    private static Guid ClusterOf(TestWorld world) =>
        world.Nodes.Select(node => node.Report().Cluster).Distinct().Single();
}
