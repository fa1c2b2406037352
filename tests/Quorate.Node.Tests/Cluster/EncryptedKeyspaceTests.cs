using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Tests.Cluster;

/// <summary>
/// Encrypted keyspaces in a cluster: where their keys come from, who may start, and what happens while keys are rotated
/// or a keyspace is dropped under load.
/// </summary>
public sealed class EncryptedKeyspaceTests
{
    private const int Rounds = 60;

    private readonly MasterKey _master = Key(0);

    [Fact]
    public void Encrypted_keyspaces_take_their_keys_from_the_metadata()
    {
        TestWorld world = World();
        uint id = Create(world, "secret");
        Assert.Equal("+OK", world.Do(world.Machines[1], "SET plantedkey plantedvalue", call => call.Keyspace = id));
        KeyspaceTests.Checkpoint(world);
        foreach (Machine machine in world.Machines)
        {
            foreach (string file in machine.Disk.Names)
            {
                string content = System.Text.Encoding.Latin1.GetString(machine.Disk.Content(file));
                Assert.DoesNotContain("plantedvalue", content, StringComparison.Ordinal);
            }

            machine.Restart();
        }

        world.Await("it is led", () => world.IsLed("secret"));
        Assert.Equal(
            "$12\r\nplantedvalue", world.Do(world.Machines[2], "GET plantedkey", call => call.Keyspace = id));
    }

    [Fact]
    public void A_node_does_not_start_with_another_master_key_or_none_and_does_with_the_right_one()
    {
        TestWorld world = World();
        uint id = Create(world, "secret");
        Assert.Equal("+OK", world.Do(world.Machines[1], "SET k v", call => call.Keyspace = id));
        Machine node = world.Machines[0];
        foreach ((MasterKey? key, string says) in new[]
        {
            (Key(7), "The master key in key-7 does not open data key 1 of keyspace 'secret', which cluster-map holds"),
            (null, "Keyspace 'secret' is encrypted, as cluster-map shows, and this node was started without"),
        })
        {
            node.Kill();
            node.MasterKey = key;
            string[] before = Files(node);
            node.Start();
            world.Run(500);
            Assert.False(node.IsUp);
            Assert.StartsWith(says, node.Ending, StringComparison.Ordinal);
            Assert.Contains("--master-key-file", node.Ending, StringComparison.Ordinal);
            Assert.Equal(before, Files(node));
        }

        node.Kill();
        node.MasterKey = _master;
        node.Start();
        world.Run(2000);
        Assert.Null(node.Ending);
        Assert.Equal("$1\r\nv", world.Do(node, "GET k", call => call.Keyspace = id));
    }

    [Fact]
    public void The_keys_of_a_dropped_keyspace_are_not_asked_about_at_a_start()
    {
        TestWorld world = World();
        Drop(world, Create(world, "secret"));
        world.Run(500);
        Machine node = world.Machines[0];
        node.Kill();
        node.MasterKey = null;
        node.Start();
        world.Run(2000);
        Assert.Null(node.Ending);
        Assert.Equal("+OK", world.Do(node, "SET k v"));
    }

    /// <summary>Being told of it while it runs is not a start: it serves the rest, and says why not this.</summary>
    [Fact]
    public void A_node_without_the_key_that_hears_of_an_encrypted_keyspace_serves_the_rest()
    {
        TestWorld world = World();
        Machine keyless = world.Machines.First(machine => !LeadsMetadata(machine));
        keyless.MasterKey = null;
        keyless.Restart();
        world.Formed();
        world.Await("another leads the metadata", () => world.Machines.Any(m => m != keyless && LeadsMetadata(m)));
        uint id = Create(world, "secret", world.Machines.First(machine => machine != keyless));
        world.Run(1000);
        string said = string.Join('\n', keyless.Events.Select(each => each.Sentence));
        Assert.Contains("stays closed", said, StringComparison.Ordinal);
        Assert.Equal("+OK", world.Do(keyless, "SET k v"));
        Assert.Equal("+OK", world.Do(keyless, "SET k v", call => call.Keyspace = id));
    }

    [Fact]
    public void A_data_key_that_the_leaders_master_key_does_not_open_never_comes_into_the_metadata()
    {
        TestWorld world = World();
        Machine stranger = world.Machines.First(machine => !LeadsMetadata(machine));
        stranger.MasterKey = Key(9);
        stranger.Restart();
        world.Formed();
        world.Await("another leads the metadata", () => world.Machines.Any(m => m != stranger && LeadsMetadata(m)));
        Assert.Contains(
            "another master key", world.Do(stranger, Creation("secret"), 2).Result!.Refusal, StringComparison.Ordinal);
        Assert.False(stranger.Node!.View.TryFind("secret", out _));
        uint id = Create(world, "secret", world.Machines.First(machine => machine != stranger));
        Assert.Contains("another master key", Rotate(world, stranger, id), StringComparison.Ordinal);
        Assert.Single(stranger.Node!.View.State.DataKeys);
    }

    [Fact]
    public void Only_encrypted_keyspaces_that_are_there_get_a_new_key()
    {
        TestWorld world = World();
        Machine at = world.Machines[0];
        Assert.Equal("", world.Do(at, KeyspaceTests.Creation("plain"), 2).Result!.Refusal);
        bool isThere = at.Node!.View.TryFind("plain", out KeyspaceView? plain);
        Assert.True(isThere);
        Assert.Contains("not encrypted", Rotate(world, at, plain!.Record.Id), StringComparison.Ordinal);
        Assert.Contains("There is no keyspace 99", Rotate(world, at, 99), StringComparison.Ordinal);
        Assert.Empty(at.Node.View.State.DataKeys);
    }

    [Fact]
    public void A_follower_takes_what_is_sealed_with_a_rotated_key_once_it_has_the_key()
    {
        TestWorld world = World();
        uint id = Create(world, "secret", partitions: 1);
        world.Await("it is led", () => world.IsLed("secret"));
        Machine leader = world.LeaderOf("k", "secret");
        Machine late = world.Machines.First(machine => machine != leader && !LeadsMetadata(machine));
        Machine at = world.Machines.First(machine => machine != late);

        // The late one hears nothing of the metadata for a while, and all of the rest.
        world.Passes = (_, to, _, bytes) => to != late || !IsOfMetadata(bytes);
        Assert.Equal("", Rotate(world, at, id));
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal("+OK", world.Do(at, $"SET k{i} after", call => call.Keyspace = id));
        }

        world.Run(500);
        Assert.Null(late.Ending);
        Assert.Single(late.Node!.View.State.DataKeys);
        world.Passes = null;
        GroupId group = world.GroupOf("k", "secret");
        world.Await("it has caught up", () => HasAll(late, leader, group));
        KeyspaceTests.Checkpoint(world);
        world.Machines.ForEach(machine => machine.Restart());
        world.Await("it is led", () => world.IsLed("secret"));
        Assert.Equal("$5\r\nafter", world.Do(late, "GET k7", call => call.Keyspace = id));
    }

    [Fact]
    public void A_snapshot_that_cannot_be_taken_is_an_event_and_an_alarm_until_one_is()
    {
        TestWorld world = World(new()
        {
            Node = new()
            {
                Log = new() { SegmentBytes = 64 * 1024 },
                Raft = new() { LogEntriesKept = 5, LogEntriesKeptMax = 10, CachedBytesMax = 100 },
            },
            DefaultPartitions = 4,
        });
        uint id = Create(world, "secret", partitions: 1);
        world.Await("it is led", () => world.IsLed("secret"));
        GroupId group = world.GroupOf("k", "secret");
        Machine leader = world.LeaderOf("k", "secret");
        Machine late = world.Machines.First(machine => machine != leader && !LeadsMetadata(machine));
        world.Passes = (_, to, _, bytes) => to != late || !IsOfMetadata(bytes);
        Assert.Equal("", Rotate(world, leader, id));
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal("+OK", world.Do(leader, $"SET k{i} after", call => call.Keyspace = id));
            if (i % 20 == 19)
            {
                KeyspaceTests.Checkpoint(world);
            }
        }

        world.Await("it says so", () => late.Events.Exists(each => each.Kind == "snapshot"), 20_000);
        Assert.Contains("data key 2", late.Events.First(each => each.Kind == "snapshot").Sentence);
        world.Await("it shows it", () => Alarms(late).Contains("partition secret/0's leader sends"), 20_000);
        world.Passes = null;
        world.Await("it has caught up", () => HasAll(late, leader, group), 20_000);
        Assert.DoesNotContain("leader sends", Alarms(late), StringComparison.Ordinal);
        Assert.Null(late.Ending);
    }

    /// <summary>
    /// Writes, checkpoints and compactions are under way when the key changes and when the keyspace goes; then one of
    /// the same name comes, and all start again.
    /// </summary>
    [Fact]
    public void Keys_are_rotated_and_the_keyspace_dropped_and_made_again_under_load()
    {
        TestWorld world = World();
        List<(Machine At, int Life, TestCall Call)> calls = [];
        for (int life = 0; life < 3; life++)
        {
            uint id = Create(world, "secret");
            for (int round = 0; round < Rounds; round++)
            {
                Load(world, id, life, round, calls);
                if (round % 10 == 9)
                {
                    Assert.Equal("", Rotate(world, world.Machines[(round / 10) % 3], id));
                }

                if (round % 20 == 13)
                {
                    world.Machines[(round / 20) % 3].Restart();
                }

                world.Run(20);
            }

            world.Await("it is led", () => world.IsLed("secret"));
            Machine any = world.Machines[life];
            Assert.Equal("+OK", world.Do(any, $"SET last{life} {life}", call => call.Keyspace = id));
            Assert.Equal(
                world.Machines[0].Node!.View.State.DataKeys.Where(key => key.Keyspace == id).MaxBy(key => key.Id)!.Id,
                Assert.Single(
                    world.Machines[1].Node!.View.State.DataKeys, key => key.Keyspace == id && !key.Retired).Id);
            Load(world, id, life, Rounds, calls);
            KeyspaceTests.Checkpoint(world, settles: false);
            Drop(world, id);
            Load(world, id, life, Rounds + 1, calls);
            if (life == 1)
            {
                // In the middle of the dropping.
                world.Machines.ForEach(machine => machine.Restart());
                world.Formed();
            }
        }

        world.Run(6000);
        Assert.All(world.Machines, machine => Assert.Null(machine.Ending));
        // A process that died has left its calls open.
        TestCall[] open = [.. calls.Where(call => call.At.Life == call.Life).Select(call => call.Call)];
        Assert.DoesNotContain(open, call => !call.IsDone);
        int done = calls.Count(call => call.Call is { IsDone: true, Text: "+OK" });
        Assert.True(done > calls.Count / 2, $"only {done} of {calls.Count} writes are done");
        uint kept = Create(world, "secret");
        Assert.Equal("_", world.Do(world.Machines[2], "GET last0", call => call.Keyspace = kept));
        Assert.Equal("+OK", world.Do(world.Machines[2], "SET k v", call => call.Keyspace = kept));
        world.Machines.ForEach(machine => machine.Restart());
        world.Await("it is led", () => world.IsLed("secret"));
        Assert.Equal("$1\r\nv", world.Do(world.Machines[1], "GET k", call => call.Keyspace = kept));
    }

    private static void Load(
        TestWorld world, uint id, int life, int round, List<(Machine At, int Life, TestCall Call)> calls)
    {
        for (int i = 0; i < 8; i++)
        {
            Machine at = world.Machines[i % 3];
            if (at.Node is { } node && node.View.State.Keyspaces.Any(keyspace => keyspace.Id == id))
            {
                string key = $"key{((round * 8) + i) % 50}";
                string line = $"SET {key} {new string('x', 300)}{life}.{round}";
                calls.Add((at, at.Life, world.Submit(at, line, call => call.Keyspace = id)));
            }
        }

        if (round % 7 == 3)
        {
            KeyspaceTests.Checkpoint(world, settles: false);
        }
    }

    private static bool HasAll(Machine late, Machine leader, GroupId group)
    {
        Partition here = late.Node!.Runtime.Find(group)!;
        Partition there = leader.Node!.Runtime.Find(group)!;
        return here.Replica.AppliedAt == there.Replica.AppliedAt && here.Rows.StateHash() == there.Rows.StateHash();
    }

    private static string Alarms(Machine machine) => string.Join('\n', machine.Node!.Report().Alarms);

    private static bool IsOfMetadata(byte[] message) => message[0] == (byte)PeerMessageKind.Raft
        && System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(2)) == 1;

    private static bool LeadsMetadata(Machine machine) =>
        machine.Node?.Report() is { } report && report.MetadataLeader.NodeId == machine.Id;

    private static MasterKey Key(byte fill) =>
        MasterKey.TryParse([.. Enumerable.Repeat(fill, MasterKey.KeyBytes)], $"key-{fill}", out _)!;

    private static MetadataCommand Creation(string name)
    {
        MetadataCommand creation = KeyspaceTests.Creation(name);
        creation.CreateKeyspace.Keyspace.Encrypted = true;
        return creation;
    }

    private static uint Create(TestWorld world, string name, Machine? at = null, int partitions = 2)
    {
        Machine machine = at ?? world.Machines[1];
        Assert.Equal("", world.Do(machine, Creation(name), partitions).Result!.Refusal);
        bool isThere = machine.Node!.View.TryFind(name, out KeyspaceView? view);
        Assert.True(isThere);
        return view!.Record.Id;
    }

    private static string Rotate(TestWorld world, Machine at, uint id) =>
        world.Do(at, new MetadataCommand { AddDataKey = new() { Keyspace = id } }).Result!.Refusal;

    private static void Drop(TestWorld world, uint id)
    {
        var drop = new MetadataCommand { DropKeyspace = new() { Keyspace = id } };
        Assert.Equal(Outcome.Done, world.Do(world.Machines[1], drop).Outcome);
    }

    private static string[] Files(Machine machine) =>
    [
        .. machine.Disk.Names.Where(name => !name.EndsWith(".new", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    private TestWorld World(ClusterSettings? settings = null)
    {
        var world = new TestWorld(3, settings: settings, isStarted: false);
        foreach (Machine machine in world.Machines)
        {
            machine.MasterKey = _master;
            machine.Start();
        }

        return world.Formed();
    }
}
