using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Takes messages: first the rules that hold for all of them (Raft, figure 2, rules for servers; section 5.1), then
/// each to the part that it concerns.
/// </summary>
internal sealed class Inbox(GroupState state, Roles roles, Elections elections, SnapshotReceiver snapshots, Reads reads)
{
    private readonly Follower _follower = new(state, reads);

    /// <summary>
    /// Takes a message, after the rules that hold for all of them (Raft, figure 2, rules for all servers).
    /// </summary>
    public void Receive(in RaftMessage message)
    {
        bool isForMe = Guards.MessagesNameTheIncarnation ? message.To == state.Id : message.To.Node == state.Id.Node;
        if (!isForMe || (state.LogIsFarBehind && MayNeedWrite(message)))
        {
            // A log that is far behind takes no more: to the sender the message is lost, and it will ask again.
            return;
        }

        if (AnswersWhatWasSentBeforeSleep(message))
        {
            return;
        }

        if (state.IsAsleep && message.Kind != MessageKind.Sleep)
        {
            // A sleeper's leader lives as far as its node knows, so a candidate's message is no reason to elect it.
            roles.WakeUp();
            state.HeardFromLeader = state.Now;
        }

        if (message.Kind == MessageKind.VoteRequest && message.Term >= state.Term && elections.RefusesFor(message))
        {
            elections.AnswerVote(message, granted: false);
            return;
        }

        if (message.Term < state.Term)
        {
            AnswerOlderTerm(message);
            return;
        }

        bool isPreVote = message.Kind == MessageKind.PreVoteRequest
            || (message.Kind == MessageKind.PreVoteResponse && !message.Reject);
        if (message.Term > state.Term && !isPreVote)
        {
            roles.StepDown(message.Term, IsOfLeader(message.Kind) ? message.From : ReplicaId.None);
        }

        if (IsOfLeader(message.Kind))
        {
            _follower.HearLeader(message.From);
            roles.Handover.OnLeader(message.From);
            ReceiveFromLeader(message);
        }
        else
        {
            ReceiveFromPeer(message);
        }
    }

    private bool AnswersWhatWasSentBeforeSleep(in RaftMessage message) =>
        state.IsAsleep
        && message.Kind == MessageKind.HeartbeatResponse
        && message.Term == state.Term
        && message.SentAt != Peer.NeverAcked
        && message.SentAt < state.AsleepSince;

    private void ReceiveFromLeader(in RaftMessage message)
    {
        switch (message.Kind)
        {
            case MessageKind.AppendRequest:
                _follower.OnAppend(message);
                break;
            case MessageKind.Heartbeat:
                _follower.OnHeartbeat(message);
                break;
            case MessageKind.Commit:
                _follower.OnCommitNotice(message);
                break;
            case MessageKind.Sleep:
                _follower.OnSleep(message);
                break;
            default:
                snapshots.OnChunk(message);
                break;
        }
    }

    private void ReceiveFromPeer(in RaftMessage message)
    {
        switch (message.Kind)
        {
            case MessageKind.PreVoteRequest:
                elections.OnPreVoteRequest(message);
                break;
            case MessageKind.PreVoteResponse:
                elections.OnPreVoteResponse(message);
                break;
            case MessageKind.VoteRequest:
                elections.OnVoteRequest(message);
                break;
            case MessageKind.VoteResponse:
                if (elections.OnVoteResponse(message))
                {
                    roles.BecomeLeader();
                }

                break;
            case MessageKind.ReadRequest:
                roles.Leader?.Reads.AddForwarded(message);
                break;
            case MessageKind.ReadResponse:
                reads.OnReadResponse(message);
                break;
            case MessageKind.TimeoutNow:
                if (roles.Leader is null && state.Membership.IsIncomingVoter(state.Id) && !snapshots.IsInstalling)
                {
                    elections.Campaign(forced: true);
                }

                break;
            default:
                ReceiveAnswer(message);
                break;
        }
    }

    private void ReceiveAnswer(in RaftMessage message)
    {
        if (roles.Leader is not Leader leader || leader.Peers.Find(message.From) is not Peer peer)
        {
            return;
        }

        leader.HearPeer(message);
        switch (message.Kind)
        {
            case MessageKind.AppendResponse:
                leader.Replication.OnAppendResponse(peer, message);
                break;
            case MessageKind.HeartbeatResponse:
                leader.Replication.OnHeartbeatResponse(peer);
                break;
            default:
                leader.Snapshots.OnResponse(peer, message);
                break;
        }

        roles.Handover.OnProgress(peer);
    }

    /// <summary>
    /// Tells a leader or candidate of an older term that there is a newer one (pitfall R22); other old messages say
    /// nothing.
    /// </summary>
    private void AnswerOlderTerm(in RaftMessage message)
    {
        if (!Guards.OlderTermIsAnswered)
        {
            return;
        }

        switch (message.Kind)
        {
            case MessageKind.PreVoteRequest:
                elections.OnPreVoteRequest(message);
                break;
            case MessageKind.VoteRequest:
                elections.AnswerVote(message, granted: false);
                break;
            case MessageKind kind when IsOfLeader(kind):
                state.SendWhenTermDurable(new()
                {
                    Kind = MessageKind.HeartbeatResponse,
                    From = state.Id,
                    To = message.From,
                    Term = state.Term,
                    Reject = true,
                    SentAt = Peer.NeverAcked,
                });
                break;
            default:
                break;
        }
    }

    private bool MayNeedWrite(in RaftMessage message) =>
        message.Term > state.Term || message.Kind switch
        {
            MessageKind.AppendRequest or MessageKind.SnapshotChunk => true,
            MessageKind.VoteRequest or MessageKind.TimeoutNow => true,

            // The answer may wait for the write of the term, which is a write of its own.
            MessageKind.Heartbeat or MessageKind.Sleep => !state.Durability.HardStateIsDurable,
            MessageKind.PreVoteRequest or MessageKind.Commit =>
                !state.Durability.HardStateIsDurable && Guards.WaitingAnswersAreBounded,
            _ => false,
        };

    private static bool IsOfLeader(MessageKind kind) => kind is MessageKind.AppendRequest
        or MessageKind.Heartbeat or MessageKind.Commit or MessageKind.Sleep or MessageKind.SnapshotChunk;
}
