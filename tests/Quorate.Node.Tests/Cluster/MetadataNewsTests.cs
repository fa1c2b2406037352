using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Cluster;

/// <summary>Operators are told what has changed in the metadata.</summary>
public sealed class MetadataNewsTests
{
    [Fact]
    public void What_changes_is_told_once_on_every_node_and_not_again_after_a_start()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines[0];
        world.Do(at, KeyspaceTests.Creation("told"), 2);
        Assert.True(at.Node!.View.TryFind("told", out KeyspaceView? view));
        KeyspaceRecord altered = view!.Record.Clone();
        altered.TtlMilliseconds = 1000;
        world.Do(at, new MetadataCommand { AlterKeyspace = new() { Keyspace = altered } });
        world.Do(at, new MetadataCommand { DropKeyspace = new() { Keyspace = altered.Id } });
        world.Run(1000);
        string made = $"Keyspace 'told' was made: 2 partitions, {altered.Replicas} replicas.";
        string[] told = [made, "Keyspace 'told' was altered.", "Keyspace 'told' was dropped."];
        Assert.All(world.Machines, machine => Assert.Equal(told, Told(machine)));
        at.Kill();
        at.Start();
        world.Formed();
        world.Run(1000);
        Assert.Equal(told, Told(at));

        static IEnumerable<string> Told(Machine machine) => machine.Events
            .Where(happened => happened.Kind == "keyspace" && happened.Sentence.Contains("'told'"))
            .Select(happened => happened.Sentence);
    }
}
