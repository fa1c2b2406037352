using Google.Protobuf;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Tests.Cluster;

/// <summary>What the metadata decides comes about on every node, and stays while the metadata has no quorum.</summary>
public sealed class KeyspaceTests
{
    [Fact]
    public void A_keyspace_is_made_at_any_node_and_dropped_without_a_trace()
    {
        TestWorld world = new TestWorld(3).Formed();
        foreach (Machine machine in world.Machines)
        {
            string name = $"ks{machine.Number}";
            (Outcome outcome, MetadataResult? result, string? warning) = world.Do(machine, Creation(name), 2);
            Assert.Equal((Outcome.Done, "", null), (outcome, result!.Refusal, warning));
            Assert.True(machine.Node!.View.TryFind(name, out KeyspaceView? view), "who asked sees it at once");
            uint id = view!.Record.Id;
            Assert.Equal("+OK", world.Do(machine, "SET k v", call => call.Keyspace = id));
            Assert.Equal("_", world.Do(machine, "GET k"));
            string[] prefixes = [.. view.Partitions.Select(row => $"g{row.Group}.")];
            Checkpoint(world);
            Assert.Contains(FilesOf(world), file => prefixes.Any(file.StartsWith));

            var drop = new MetadataCommand { DropKeyspace = new() { Keyspace = id } };
            Assert.Equal(Outcome.Done, world.Do(machine, drop).Outcome);
            world.Run(1000);
            Assert.DoesNotContain(FilesOf(world), file => prefixes.Any(file.StartsWith));
            Assert.Equal("Refused KeyspaceDropped", Late(world, machine, id));
        }
    }

    [Fact]
    public void The_keyspace_that_clients_use_without_naming_one_is_not_dropped()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines[0];
        Assert.True(at.Node!.View.TryFind("default", out KeyspaceView? view));
        world.Do(at, "SET k v");

        var drop = new MetadataCommand { DropKeyspace = new() { Keyspace = view!.Record.Id } };
        Assert.Contains("FLUSHALL", world.Do(at, drop).Result!.Refusal, StringComparison.Ordinal);

        Assert.Equal("v", world.Do(at, "GET k").Split("\r\n")[^1]);
    }

    [Fact]
    public void Nothing_is_remembered_of_the_ways_to_partitions_that_were_dropped()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines[0];
        for (int i = 0; i < 20; i++)
        {
            string name = $"ks{i}";
            world.Do(at, Creation(name), 2);
            Assert.True(at.Node!.View.TryFind(name, out KeyspaceView? view));
            foreach (string key in new[] { "a", "b", "c", "d", "e", "f" })
            {
                Assert.Equal("+OK", world.Do(at, $"SET {key} v", call => call.Keyspace = view!.Record.Id));
            }

            world.Do(at, new MetadataCommand { DropKeyspace = new() { Keyspace = view!.Record.Id } });
        }

        Assert.InRange(at.Node!.Routes, 1, at.Node.View.State.Partitions.Count + 2);
    }

    [Fact]
    public void Refusals_and_warnings_are_told_in_words()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines[2];
        Assert.Contains("already", world.Do(at, Creation("default"), 2).Result!.Refusal, StringComparison.Ordinal);
        Assert.Contains("lost", world.Do(at, Creation("one", 1), 2).Warning, StringComparison.Ordinal);
        foreach (int count in new[] { 984, 0, 8192 })
        {
            Assert.Equal(
                $"A keyspace starts with a power of two of partitions, at most 4096, not {count}.",
                world.Do(at, Creation("many"), count).Result!.Refusal);
        }

        MetadataCommand secret = Creation("secret");
        secret.CreateKeyspace.Keyspace.Encrypted = true;
        Assert.Contains("--master-key-file", world.Do(at, secret, 2).Result!.Refusal, StringComparison.Ordinal);
        MetadataCommand lfu = Creation("lfu");
        lfu.CreateKeyspace.Keyspace.Eviction = Eviction.AllLfu;
        Assert.Contains("other policies", world.Do(at, lfu, 2).Result!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_altered_counts_in_open_partitions_without_a_restart()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines[0];
        world.Do(at, "SET k v");
        Assert.Equal(":-1", world.Do(at, "PTTL k"));
        KeyspaceRecord altered = KeyspaceOf(at).Clone();
        altered.TtlMilliseconds = 500;
        var alter = new MetadataCommand { AlterKeyspace = new() { Keyspace = altered } };
        Assert.Equal("", world.Do(at, alter).Result!.Refusal);
        world.Run(1000);

        Assert.All(world.Machines, machine => Assert.Equal(500UL, KeyspaceOf(machine).TtlMilliseconds));
        Assert.Equal(":-1", world.Do(at, "PTTL k"));
        world.Do(at, "SET k v");
        Assert.NotEqual(":-1", world.Do(at, "PTTL k"));
        world.Run(600);
        Assert.Equal("_", world.Do(at, "GET k"));

        altered.TtlMilliseconds = ulong.MaxValue;
        Assert.Contains("at most", world.Do(at, alter).Result!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_metadatas_quorum_data_is_served_and_nodes_restart()
    {
        // Seven vote for the metadata; the keyspace lies on three of them.
        TestWorld world = new TestWorld(7).Formed();
        world.Do(world.Machines[0], "SET k v");
        world.Run(2000);
        var holders = world.Machines.Where(
            machine => machine.Node!.Runtime.Find(world.GroupOf("k")) is not null).ToList();
        Assert.Equal(3, holders.Count);
        foreach (Machine machine in world.Machines.Except(holders).ToArray())
        {
            machine.Kill();
        }

        world.Run(2000);
        Assert.Equal("+OK", world.Do(holders[0], "SET k w"));
        Assert.Equal(Outcome.Refused, world.Do(holders[0], Creation("late"), 2, 1000).Outcome);

        // All of them restart: the file of the map is enough.
        foreach (Machine machine in holders)
        {
            machine.Restart();
        }

        world.Await("they serve", () => holders.TrueForAll(machine => machine.Node is not null)
            && world.LeaderOf(world.GroupOf("k")) is not null);
        Assert.Equal("$1\r\nw", world.Do(holders[1], "GET k"));
        Assert.Equal("+OK", world.Do(holders[2], "SET k x"));
    }

    [Fact]
    public void A_damaged_or_missing_map_is_refused()
    {
        TestWorld world = new TestWorld(1).Formed();
        Machine only = world.Machines[0];
        only.Kill();
        byte[] map = [.. only.Disk.Content("cluster-map")];
        only.Disk.Content("cluster-map")[30] ^= 4;
        only.Start();
        world.Settle();
        Assert.Contains("is damaged", only.Ending, StringComparison.Ordinal);

        only.Disk.Put("cluster-map", null);
        only.Start();
        world.Settle();
        Assert.Contains("is missing", only.Ending, StringComparison.Ordinal);

        only.Disk.Put("cluster-map", map);
        only.Start();
        world.Formed();
    }

    /// <summary>A host keeps space for a start; it must not take it back while the log still needs it.</summary>
    [Fact]
    public void The_log_is_said_to_be_open_once_the_segment_that_the_start_begins_is_there()
    {
        TestWorld world = new TestWorld(1).Formed();
        Machine only = world.Machines[0];
        only.Kill();
        foreach (string spare in Logs(only.Disk.Names)
            .Where(name => only.Disk.Content(name).AsSpan().IndexOfAnyExcept((byte)0) < 0).ToArray())
        {
            only.Disk.Put(spare, null);
        }

        string[] before = [.. Logs(only.Disk.Names)];
        only.Start();
        world.Await("it knows the map", () => only.Views > 0);
        world.Formed();
        Assert.Equal(before.Length + 1, Logs(only.FilesAtLogOpened!).Union(before).Count());
    }

    [Fact]
    public void A_log_that_is_gone_is_refused_where_the_map_shows_that_there_was_one()
    {
        TestWorld world = new TestWorld(1).Formed();
        Machine only = world.Machines[0];
        only.Kill();
        foreach (string name in only.Disk.Names.Where(name => name.StartsWith("node-log", StringComparison.Ordinal))
            .ToArray())
        {
            only.Disk.Put(name, null);
        }

        only.Start();
        world.Settle();
        Assert.Contains("files of the log are missing", only.Ending, StringComparison.Ordinal);
    }

    [Fact]
    public void A_partition_is_opened_only_once_the_map_is_durable()
    {
        TestWorld world = new TestWorld(1).Formed();
        Machine only = world.Machines[0];
        only.Disk.Fate = operation =>
            operation is { File: "cluster-map.new", Kind: Storage.Disk.DiskOperationKind.Write }
                ? Storage.Disk.DiskStatus.Full
                : Storage.Disk.DiskStatus.Done;
        world.Do(only, Creation("late", 1), 1);
        bool isThere = only.Node!.View.TryFind("late", out KeyspaceView? view);
        Assert.True(isThere);
        var group = new Core.Model.GroupId(view!.Partitions[0].Group);
        world.Run(3000);
        Assert.Null(only.Node.Runtime.Find(group));
        Assert.Contains(only.Events, each => each.Kind == "space");
        only.Disk.Fate = null;
        world.Run(3000);
        Assert.True(only.Node.Runtime.Find(group) is { IsLeader: true });
    }

    [Fact]
    public void A_crash_while_a_keyspace_is_dropped_leaves_nothing_after_the_next_start()
    {
        for (int at = 0; at < 40; at++)
        {
            TestWorld world = new TestWorld(1).Formed();
            Machine only = world.Machines[0];
            world.Do(only, Creation("gone", 1), 2);
            bool isThere = only.Node!.View.TryFind("gone", out KeyspaceView? view);
            Assert.True(isThere);
            string[] prefixes = [.. view!.Partitions.Select(row => $"g{row.Group}.")];
            world.Do(only, "SET k v", call => call.Keyspace = view.Record.Id);
            Checkpoint(world);
            int left = at;
            only.IsStoppedWhen = () => left < 0;
            only.Disk.Fate = _ =>
            {
                left--;
                return Storage.Disk.DiskStatus.Done;
            };
            only.Node.Submit(new TestMetadataCall
            {
                Command = new() { DropKeyspace = new() { Keyspace = view.Record.Id } },
                Deadline = world.Now + Core.Model.Duration.FromSeconds(5),
            });
            world.Run(500);
            bool isKilled = left < 0;
            only.Disk.Fate = null;
            only.IsStoppedWhen = null;
            only.Restart();
            world.Formed();
            world.Run(1000);
            if (!only.Node!.View.TryFind("gone", out _))
            {
                Assert.DoesNotContain(only.Disk.Names, file => prefixes.Any(file.StartsWith));
            }

            if (!isKilled)
            {
                Assert.InRange(at, 5, 40);
                return;
            }
        }
    }

    /// <summary>An entry may come before the word of the key that it is sealed with: then it waits outside of the
    /// log.</summary>
    [Fact]
    public void A_replica_that_lacks_a_new_data_key_takes_no_entry_that_is_sealed_with_it_and_goes_on_once_it_has_it()
    {
        var world = new TestWorld(3, isStarted: false);
        MasterKey key = MasterKey.TryParse(new byte[32], "a test", out _)!;
        foreach (Machine machine in world.Machines)
        {
            machine.MasterKey = key;
            machine.Start();
        }

        world.Formed();
        MetadataCommand secret = Creation("secret");
        secret.CreateKeyspace.Keyspace.Encrypted = true;
        Assert.Equal("", world.Do(world.Machines[1], secret, 1).Result!.Refusal);
        Assert.True(world.Machines[1].Node!.View.TryFind("secret", out KeyspaceView? view));
        uint id = view.Record.Id;
        Assert.Equal("+OK", world.Do(world.Machines[1], "SET k before", call => call.Keyspace = id));
        Machine leader = world.LeaderOf("k", "secret");
        Machine late = world.Machines.First(machine => machine != leader
            && machine.Node!.Report().MetadataLeader.NodeId != machine.Id);

        // It hears nothing of what the metadata group decides.
        world.Passes = (_, to, _, bytes) => to != late
            || !RaftWire.TryRead(bytes, out Core.Model.GroupId group, out _, out _) || group != MetadataGroup.Group;
        var rotation = new MetadataCommand
        {
            AddDataKey = new() { Keyspace = id, Wrapped = ByteString.CopyFrom(WrappedKey.New(key, late)) },
        };
        Assert.Equal("", world.Do(leader, rotation).Result!.Refusal);
        world.Run(200);
        Assert.Equal("+OK", world.Do(leader, "SET k after", call => call.Keyspace = id));
        world.Run(1000);
        Assert.Null(late.Ending);
        string seen = world.Do(late, "GET k", call => (call.Keyspace, call.ReadLevel) = (id, ReadLevel.Eventual));
        Assert.Equal("$6\r\nbefore", seen);

        late.Restart();
        world.Run(1000);
        Assert.Null(late.Ending);
        world.Passes = null;
        world.Await("it has the key and what is sealed with it", () => world.Do(
            late, "GET k", call => (call.Keyspace, call.ReadLevel) = (id, ReadLevel.Eventual)) == "$5\r\nafter");
    }

    [Theory]
    [InlineData(ReadLevel.Linearizable)]
    [InlineData(ReadLevel.Eventual)]
    public void What_waits_for_a_keyspace_that_is_dropped_meanwhile_is_told_so_before_its_deadline(ReadLevel level)
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines[0];
        Assert.Equal("", world.Do(at, Creation("ks", 1), 1).Result!.Refusal);
        world.Run(500);
        Assert.True(at.Node!.View.TryFind("ks", out KeyspaceView? view));
        Machine holder = world.Machines.First(
            machine => machine.Node!.Runtime.Find(new(view.Partitions[0].Group)) is not null);
        Machine asker = world.Machines.First(machine => machine != holder);
        holder.IsCutOff = true;
        world.Run(1000);
        TestCall call = world.Submit(
            asker, "GET k", call => (call.Keyspace, call.ReadLevel) = (view.Record.Id, level));
        world.Run(100);
        Assert.False(call.IsDone, "nobody holds it who could answer");
        var drop = new MetadataCommand { DropKeyspace = new() { Keyspace = view.Record.Id } };
        Assert.Equal("", world.Do(asker, drop).Result!.Refusal);
        world.Run(200);
        Assert.Equal("Refused KeyspaceDropped", call.Text);
    }

    internal static MetadataCommand Creation(string name, uint replicas = 3) => new()
    {
        CreateKeyspace = new() { Keyspace = new() { Name = name, Replicas = replicas, Voters = replicas } },
    };

    private static string Late(TestWorld world, Machine machine, uint keyspace) =>
        world.Do(machine, "GET k", call => call.Keyspace = keyspace);

    private static IEnumerable<string> Logs(IEnumerable<string> names) =>
        names.Where(name => name.StartsWith("node-log", StringComparison.Ordinal));

    private static IEnumerable<string> FilesOf(TestWorld world) =>
        world.Machines.SelectMany(machine => machine.Disk.Names);

    internal static void Checkpoint(TestWorld world, bool settles = true)
    {
        foreach (ClusterNode node in world.Nodes)
        {
            foreach (Core.Model.GroupId group in node.Runtime.Partitions)
            {
                node.Runtime.Find(group)!.WantCheckpoint();
            }
        }

        if (settles)
        {
            world.Run(1000);
        }
    }

    private static KeyspaceRecord KeyspaceOf(Machine machine)
    {
        Assert.True(machine.Node!.View.TryFind("default", out KeyspaceView? view));
        return view.Record;
    }
}
