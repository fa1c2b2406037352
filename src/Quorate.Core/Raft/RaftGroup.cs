using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>One replica's part in one Raft group, as a pure state machine with a single writer.</summary>
public sealed class RaftGroup
{
    public RaftGroup(ReplicaId id, RaftSettings settings, RecoveredState recovered, ulong seed, Instant now)
    {
        Id = id;
        Settings = settings;
        Role = Role.Follower;
        _ = recovered;
        _ = seed;
        _ = now;
    }

    public ReplicaId Id { get; }

    public RaftSettings Settings { get; }

    public Role Role { get; private set; }

    public Term Term { get; }

    /// <summary>The leader of this term as far as is known here, or none.</summary>
    public ReplicaId Leader { get; }

    public LogIndex CommitIndex { get; }

    /// <summary>The last index that the state machine was reported to have applied.</summary>
    public LogIndex AppliedIndex { get; }

    public LogIndex LastIndex { get; }

    /// <summary>The membership that counts now: the last one appended.</summary>
    public Membership Membership { get; } = Membership.Empty;

    /// <summary>
    /// Until when this replica may serve linearizable reads by itself, on its own clock; zero unless it leads under
    /// a lease.
    /// </summary>
    public Instant LeaseUntil { get; }

    public bool IsAsleep { get; }

    /// <summary>What a checkpoint of the state as applied now stands for.</summary>
    public SnapshotMeta CheckpointMeta() => new(AppliedIndex, Term, LogIndex.Zero, Membership, []);

    public void Step(in RaftInput input, RaftOutput output)
    {
        output.NextDeadline = input.Now;
        Role = Role.Follower;
    }
}
