using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Takes a snapshot from the leader, piece by piece (Raft, section 7 and figure 13).
/// <para>Invariants: pieces are taken in order; from the last piece until the host has made it durable no other
/// snapshot is begun (pitfall R17); a log that already holds the snapshot's last entry is never reset, since
/// entries behind it may have been acknowledged.</para>
/// </summary>
internal sealed class SnapshotReceiver(GroupState state)
{
    private SnapshotMeta? _receiving;
    private ReplicaId _sender;
    private long _next;
    private bool _installing;

    /// <summary>True while the host makes a whole snapshot durable.</summary>
    public bool IsInstalling => _installing;

    public void OnChunk(in RaftMessage message)
    {
        Invariant.Check(message.Snapshot is not null, "a piece of a snapshot says of which");
        SnapshotMeta meta = message.Snapshot;
        if (meta.Index <= state.Log.Commit || state.Log.Matches(meta.Index, meta.Term))
        {
            state.Log.CommitTo(meta.Index > state.Log.Commit ? meta.Index : state.Log.Commit);
            Answer(message.From, state.Log.Commit, 0, done: true);
            return;
        }

        if (_installing && Guards.OneInstallAtATime)
        {
            return;
        }

        bool isSame = _receiving?.Index == meta.Index && _receiving.Term == meta.Term && _sender == message.From;
        if (message.SnapshotOffset == 0 && (!isSame || _next == 0 || _installing))
        {
            _receiving = meta;
            _sender = message.From;
            _next = 0;
            _installing = false;
        }
        else if (!isSame || message.SnapshotOffset != _next)
        {
            // A piece out of order or of another snapshot: say how far we are; the sender goes on from there.
            Answer(message.From, meta.Index, isSame ? _next : 0, done: false);
            return;
        }

        state.Output.Installs.Add(new(meta, _next, message.Chunk, message.Done));
        _next += message.Chunk.Length;
        if (message.Done)
        {
            _installing = true;
        }
        else
        {
            Answer(message.From, meta.Index, _next, done: false);
        }
    }

    /// <summary>
    /// The host holds the whole snapshot, durably. True when it takes the place of log and state machine.
    /// </summary>
    public bool OnPersisted(SnapshotMeta meta)
    {
        ReplicaId sender = _sender;
        bool expected = _installing && _receiving?.Index == meta.Index;
        Forget();
        if (meta.Index <= state.Log.Commit)
        {
            return false;
        }

        if (state.Log.Matches(meta.Index, meta.Term))
        {
            state.Log.CommitTo(meta.Index);
            return false;
        }

        state.Log.ResetTo(meta);
        state.Durability.ResetTo(meta);
        if (expected)
        {
            Answer(sender, meta.Index, 0, done: true);
        }

        return true;
    }

    public void OnFailed(SnapshotMeta meta)
    {
        if (_receiving is null || _receiving.Index != meta.Index)
        {
            return;
        }

        ReplicaId sender = _sender;
        Forget();
        state.SendWhenTermDurable(new()
        {
            Kind = MessageKind.SnapshotResponse,
            From = state.Id,
            To = sender,
            Term = state.Term,
            Index = meta.Index,
            Reject = true,
        });
    }

    private void Forget()
    {
        _receiving = null;
        _installing = false;
        _next = 0;
    }

    private void Answer(ReplicaId to, LogIndex index, long received, bool done)
    {
        var answer = new RaftMessage
        {
            Kind = MessageKind.SnapshotResponse,
            From = state.Id,
            To = to,
            Term = state.Term,
            Index = index,
            SnapshotOffset = received,
            Done = done,
        };
        if (done)
        {
            state.SendWhenDurable(answer);
        }
        else
        {
            state.SendWhenTermDurable(answer);
        }
    }
}
