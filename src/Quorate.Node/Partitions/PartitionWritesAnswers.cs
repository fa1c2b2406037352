using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;

namespace Quorate.Node.Partitions;

/// <content>How requests that were proposed, or wait to be, are answered.</content>
internal sealed partial class PartitionWrites
{
    /// <summary>The log has decided over a proposal. False when it is none of these.</summary>
    public bool OnReply(in ReplicaReply reply)
    {
        if (!_proposals.Remove(reply.Request.Value, out Proposal? proposal))
        {
            return false;
        }

        _timeEntry = _timeEntry == proposal.Id.Value ? 0 : _timeEntry;
        foreach (ProposedRequest request in proposal.Requests)
        {
            if (reply.Outcome == Outcome.Done)
            {
                _parts.Done(request.Open, reply.Token, request.Version, request.Reply);
            }
            else
            {
                _parts.Drop(request.Open, reply.Reason, reply.LeaderHint);
            }
        }

        return true;
    }

    /// <summary>
    /// Answers the requests whose deadline has passed: refused when nothing was logged, else unknown.
    /// </summary>
    public void Expire(Instant now)
    {
        if (EarliestDeadline > now)
        {
            return;
        }

        Instant earliest = _queue.Expire(now);
        foreach (Proposal proposal in _proposals.Values)
        {
            foreach (ProposedRequest request in proposal.Requests)
            {
                if (request.Open.IsAnswered)
                {
                    continue;
                }

                if (request.Open.Request.Deadline <= now)
                {
                    _parts.Refuse(request.Open, DropReason.DeadlinePassed);
                }
                else
                {
                    earliest = Instant.Min(earliest, request.Open.Request.Deadline);
                }
            }
        }

        EarliestDeadline = earliest;
    }

    /// <summary>
    /// The partition leaves this node: what is not in the log is refused, of the rest nothing is known.
    /// </summary>
    public void Close()
    {
        _queue.RefuseAll(DropReason.NotLeader);
        foreach (Proposal proposal in _proposals.Values)
        {
            foreach (ProposedRequest request in proposal.Requests)
            {
                _parts.Refuse(request.Open, DropReason.LeadershipLost);
            }
        }

        _proposals.Clear();
        _pending.Clear();
        CountPending();
    }
}
