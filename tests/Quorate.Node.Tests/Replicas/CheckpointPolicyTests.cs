using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;

namespace Quorate.Node.Tests.Replicas;

/// <summary>When the next checkpoint is due.</summary>
public sealed class CheckpointPolicyTests
{
    [Fact]
    public void A_checkpoint_is_due_after_so_many_entries()
    {
        var policy = new CheckpointPolicy(new ReplicaSettings { CheckpointEntries = 3 }, seed: 0);
        Apply(policy, 2);
        Assert.False(policy.TakeIfDue());

        Apply(policy, 1);

        Assert.True(policy.TakeIfDue());
    }

    [Fact]
    public void A_checkpoint_is_due_after_so_many_bytes()
    {
        var settings = new ReplicaSettings { CheckpointBytes = 2 * (Entry.OverheadBytes + 10) };
        var policy = new CheckpointPolicy(settings, seed: 0);
        Apply(policy, 1, payloadBytes: 10);
        Assert.False(policy.TakeIfDue());

        Apply(policy, 1, payloadBytes: 10);

        Assert.True(policy.TakeIfDue());
    }

    [Fact]
    public void No_checkpoint_begins_while_one_is_being_saved_and_what_is_applied_meanwhile_counts()
    {
        var policy = new CheckpointPolicy(new ReplicaSettings { CheckpointEntries = 3 }, seed: 0);
        Apply(policy, 3);
        Assert.True(policy.TakeIfDue());
        Apply(policy, 3);
        Assert.False(policy.TakeIfDue());

        policy.Saved();

        Assert.True(policy.TakeIfDue());
        policy.Saved();
        Assert.False(policy.TakeIfDue());
    }

    [Fact]
    public void First_checkpoints_of_replicas_that_grow_alike_are_spread_over_an_interval()
    {
        var firsts = new SortedSet<int>();
        for (ulong seed = 0; seed < 16; seed++)
        {
            var policy = new CheckpointPolicy(new ReplicaSettings { CheckpointEntries = 160 }, seed);
            firsts.Add(EntriesToCheckpoint(policy));
            policy.Saved();
            Assert.Equal(160, EntriesToCheckpoint(policy));
        }

        Assert.Equal(Enumerable.Range(1, 16).Select(share => 10 * share), firsts);
    }

    [Fact]
    public void A_snapshot_that_takes_the_place_of_the_state_starts_the_count_over()
    {
        var policy = new CheckpointPolicy(new ReplicaSettings { CheckpointEntries = 3 }, seed: 0);
        Apply(policy, 2);

        policy.Replaced();
        Apply(policy, 2);

        Assert.False(policy.TakeIfDue());
    }

    private static int EntriesToCheckpoint(CheckpointPolicy policy)
    {
        int entries = 0;
        do
        {
            Apply(policy, 1);
            entries++;
        }
        while (!policy.TakeIfDue());
        return entries;
    }

    private static void Apply(CheckpointPolicy policy, int entries, int payloadBytes = 0)
    {
        for (int i = 0; i < entries; i++)
        {
            policy.Applied(new Entry(new LogIndex(1), new Term(1), EntryKind.Data, new byte[payloadBytes]));
        }
    }
}
