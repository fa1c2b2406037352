using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Confirms linearizable reads (Raft, section 8; Raft thesis, section 6.4): under the lease at once, else by a
/// round of heartbeats that a quorum answers. A round serves all reads that came before it was sent; those that
/// come later wait for the next one.
/// <para>Invariants: nothing is confirmed before an entry of this term is committed (pitfall R5); round numbers
/// rise within a term and an answer confirms only its own round and earlier ones (pitfall R6).</para>
/// </summary>
internal sealed class LeaderReads(GroupState state, Leader leader, Reads reads)
{
    private readonly List<Waiting> _waiting = [];
    private readonly List<Waiting> _beforeCommit = [];

    /// <summary>The last round that was sent.</summary>
    public ulong Round { get; private set; }

    public int Count => _waiting.Count + _beforeCommit.Count;

    /// <summary>A read of a client of this replica.</summary>
    public void Add(in PendingRead read) => Take(new(read, ReplicaId.None, 0, LogIndex.Zero, 0));

    /// <summary>A follower asks on behalf of its clients.</summary>
    public void AddForwarded(in RaftMessage message)
    {
        // A follower has one question out; by asking again it has forgotten the one before.
        ReplicaId origin = message.From;
        _waiting.RemoveAll(read => read.Origin == origin);
        _beforeCommit.RemoveAll(read => read.Origin == origin);
        if (Count < state.Settings.PendingReadsMax)
        {
            Take(new(default, message.From, message.Round, LogIndex.Zero, 0));
        }
    }

    /// <summary>The commit index has moved, or a quorum may have answered a round.</summary>
    public void Advance()
    {
        if (_beforeCommit.Count > 0 && leader.HasCommittedInTerm)
        {
            Waiting[] held = [.. _beforeCommit];
            _beforeCommit.Clear();
            foreach (Waiting read in held)
            {
                Admit(read);
            }
        }

        if (_waiting.Count == 0)
        {
            return;
        }

        ulong confirmed = leader.QuorumRound();
        int done = 0;
        while (done < _waiting.Count && _waiting[done].Round <= confirmed)
        {
            Confirm(_waiting[done]);
            done++;
        }

        _waiting.RemoveRange(0, done);
        if (_waiting.Count > 0 && _waiting[^1].Round > Round && Round <= confirmed)
        {
            SendRound();
        }
    }

    public void Expire(Instant now)
    {
        reads.DropExpired(_waiting, waiting => waiting.Read, now);
        reads.DropExpired(_beforeCommit, waiting => waiting.Read, now);
    }

    /// <summary>Gives the reads of this replica's own clients back; followers ask the next leader themselves.</summary>
    public void End()
    {
        foreach (Waiting read in _beforeCommit.Concat(_waiting))
        {
            if (read.Origin.IsNone)
            {
                reads.AwaitLeader(read.Read);
            }
        }

        _beforeCommit.Clear();
        _waiting.Clear();
    }

    private void Take(Waiting read)
    {
        leader.Stir();
        if (!leader.HasCommittedInTerm && Guards.ReadsWaitForCommitInTerm)
        {
            _beforeCommit.Add(read);
            return;
        }

        Admit(read);
    }

    private void Admit(Waiting read)
    {
        read = read with { Index = leader.ReadIndex };
        if (leader.LeaseUntil > state.Now || state.IsSoleVoter)
        {
            Confirm(read);
            return;
        }

        bool isRoundOut = Round > leader.QuorumRound();
        _waiting.Add(read with { Round = Round + 1 });
        if (!isRoundOut)
        {
            SendRound();
        }
    }

    private void SendRound()
    {
        Round++;
        leader.Replication.SendHeartbeats(Round);
    }

    private void Confirm(in Waiting read)
    {
        if (read.Origin.IsNone)
        {
            reads.AwaitApplied(read.Read, read.Index);
            return;
        }

        state.Send(new()
        {
            Kind = MessageKind.ReadResponse,
            From = state.Id,
            To = read.Origin,
            Term = state.Term,
            Index = read.Index,
            Round = read.OriginRead,
        });
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Waiting(
        PendingRead Read, ReplicaId Origin, ulong OriginRead, LogIndex Index, ulong Round);
}
