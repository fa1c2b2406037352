using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// What a replica does at its leader's word (Raft, figure 2, AppendEntries, receiver implementation).
/// <para>Invariants: an append is acknowledged only up to the entries it carried or checked, and only once they
/// are durable; the log is cut only where an entry conflicts; nothing committed is ever cut.</para>
/// </summary>
internal sealed class Follower(GroupState state, Reads reads)
{
    /// <summary>Takes note of the leader of this term, and of the promise that answering it makes.</summary>
    public void HearLeader(ReplicaId leader)
    {
        Invariant.Check(state.Role != Role.Leader, $"term {state.Term} has one leader: {state.Id} hears {leader}");
        state.Enter(Role.Follower, state.Term, leader);
        state.HeardFromLeader = state.Now;
        state.Timers.ResetElection();
    }

    public void OnAppend(in RaftMessage message)
    {
        if (state.MemoryIsFull)
        {
            // The state machine is far behind; what is held already can still be committed by heartbeats.
            return;
        }

        RaftLog log = state.Log;
        if (message.Index < log.Commit)
        {
            // Old, or from a leader that does not know us yet: all up to our commit index is surely alike.
            Acknowledge(message, log.Commit);
            return;
        }

        bool matches = log.Matches(message.Index, message.LogTerm)
            || (!Guards.PreviousEntryMustMatch && message.Index <= log.Last);
        if (!matches)
        {
            Reject(message);
            return;
        }

        Entry[] entries = message.Entries ?? [];
        LogIndex match = message.Index + (ulong)entries.Length;
        Store(entries);
        if (!Guards.CutOnlyOnConflict && log.Last > match && match >= log.Commit)
        {
            Cut(match.Next);
        }

        log.CommitTo(LogIndex.Min(message.Commit, match));
        Acknowledge(message, match);
    }

    public void OnHeartbeat(in RaftMessage message)
    {
        OnCommitNotice(message);
        state.SendWhenTermDurable(new()
        {
            Kind = MessageKind.HeartbeatResponse,
            From = state.Id,
            To = message.From,
            Term = state.Term,
            Index = state.Log.Last,
            Round = message.Round,
            SentAt = message.SentAt,
        });
    }

    /// <summary>The leader's commit index, not beyond what it knows this replica to hold.</summary>
    public void OnCommitNotice(in RaftMessage message) =>
        state.Log.CommitTo(LogIndex.Min(message.Commit, state.Log.Last));

    /// <summary>
    /// The leader goes to sleep. Who holds all that it holds may sleep too; who does not stays awake and says so,
    /// which wakes the leader.
    /// </summary>
    public void OnSleep(in RaftMessage message)
    {
        bool hasAll = state.Log.Last == message.Index
            && state.Log.Matches(message.Index, message.LogTerm)
            && state.Durability.Index == message.Index
            && state.Durability.HardStateIsDurable
            && !reads.NeedsLeader;
        if (!hasAll)
        {
            OnHeartbeat(message);
            return;
        }

        state.Log.CommitTo(message.Commit);
        state.FallAsleep();
    }

    private void Store(Entry[] entries)
    {
        RaftLog log = state.Log;
        foreach (Entry entry in entries)
        {
            if (entry.Index <= log.Last)
            {
                if (log.TermAt(entry.Index) == entry.Term)
                {
                    continue;
                }

                Cut(entry.Index);
            }

            log.Append(entry);
            state.Durability.Append(entry);
        }
    }

    private void Cut(LogIndex from)
    {
        state.Log.TruncateFrom(from);
        state.Durability.TruncateFrom(from);
    }

    private void Acknowledge(in RaftMessage message, LogIndex match)
    {
        var answer = new RaftMessage
        {
            Kind = MessageKind.AppendResponse,
            From = state.Id,
            To = message.From,
            Term = state.Term,
            Index = match,
            Round = message.Round,
            SentAt = message.SentAt,
        };
        if (Guards.AppendAcknowledgedAfterSync)
        {
            state.SendWhenDurable(answer);
        }
        else
        {
            state.Send(answer);
        }
    }

    private void Reject(in RaftMessage message)
    {
        LogIndex hint = state.Log.LastIndexWithTermAtMost(message.Index, message.LogTerm);
        state.SendWhenTermDurable(new()
        {
            Kind = MessageKind.AppendResponse,
            From = state.Id,
            To = message.From,
            Term = state.Term,
            Index = message.Index,
            Reject = true,
            HintIndex = hint,
            HintTerm = state.Log.TermAt(hint) ?? Term.Zero,
            Round = message.Round,
            SentAt = message.SentAt,
        });
    }
}
