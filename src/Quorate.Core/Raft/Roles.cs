using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Moves a replica between roles, and between sleep and wake.
/// <para>Invariants: there is a <see cref="Leader"/> exactly while the role is leader; what a leadership held that
/// must not outlive it is ended or handed on when it ends.</para>
/// </summary>
internal sealed class Roles(GroupState state, Proposals proposals, Reads reads)
{
    public LeaderHandover Handover { get; } = new(state);

    /// <summary>The leadership of this term, while this replica holds it.</summary>
    public Leader? Leader { get; private set; }

    public void BecomeLeader()
    {
        state.Enter(Role.Leader, state.Term, state.Id);
        Handover.OnLeader(state.Id);
        Leader = new(state, proposals, reads, Handover);
        Leader.Begin();
        reads.HandTo(Leader);
    }

    /// <summary>Becomes a follower, of a newer term or of the same (Raft, section 5.1).</summary>
    public void StepDown(Term term, ReplicaId leader)
    {
        Leader? former = Leader;
        Leader = null;
        state.Enter(Role.Follower, term, leader);
        if (former is not null)
        {
            former.Reads.End();
            former.Membership.End();
            Handover.End();
            proposals.Orphan();
            state.Timers.ResetElection();
        }
    }

    /// <summary>Something is asked of a sleeping group: its timers run again.</summary>
    public void WakeUp()
    {
        Leader?.Stir();
        if (!state.IsAsleep)
        {
            return;
        }

        state.Awake();
        state.Timers.Restart();
        Leader?.Awake();
    }

    /// <summary>
    /// A node of the group fell silent or came back: a sleeping leader shows itself, a sleeping follower looks for one.
    /// </summary>
    public void Wake()
    {
        if (!Guards.SilenceWakesSleepers)
        {
            return;
        }

        if (!state.IsAsleep)
        {
            // Nobody says it twice: who has come back gets the time to answer before the group sleeps without it.
            Leader?.Stir();
            return;
        }

        WakeUp();
        state.Timers.HastenElection();
    }
}
