using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Cluster;

/// <summary>Barriers of the metadata group.</summary>
public sealed class BarrierTests
{
    private static MetadataCommand Barrier => new() { Barrier = new() };

    [Fact]
    public void Who_has_passed_a_barrier_has_seen_all_that_was_decided_before()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine late = world.Machines[2];
        late.IsCutOff = true;
        Assert.Equal("", world.Do(world.Machines[0], KeyspaceTests.Creation("before"), 2).Result!.Refusal);
        Assert.NotEqual(Outcome.Done, world.Do(late, Barrier, milliseconds: 500).Outcome);
        Assert.False(late.Node!.View.TryFind("before", out _));

        late.IsCutOff = false;
        Outcome passed = default;
        world.Await("a barrier is passed", () => (passed = world.Do(late, Barrier).Outcome) == Outcome.Done);
        Assert.Equal(Outcome.Done, passed);
        Assert.True(late.Node!.View.TryFind("before", out _));

        // Several at once: those that come while one is under way wait for the next.
        TestMetadataCall[] calls = [.. Enumerable.Range(0, 8).Select(_ => new TestMetadataCall
        {
            Command = Barrier, Deadline = world.Now + Duration.FromSeconds(5),
        })];
        ulong version = late.Node.View.Version;
        foreach (TestMetadataCall call in calls)
        {
            late.Node.Submit(call);
        }

        world.Await("all are passed", () => calls.All(call => call.IsDone));
        Assert.All(calls, call => Assert.Equal(Outcome.Done, call.Outcome));
        Assert.Equal(version + 2, late.Node.View.Version);
    }
}
