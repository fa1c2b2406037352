namespace Quorate.Core.Raft;

/// <summary>
/// Sends snapshots to peers that need entries which the log has let go of (Raft, section 7): piece by piece, one
/// piece on the way to a peer, few peers at a time.
/// </summary>
internal sealed class LeaderSnapshots(GroupState state, PeerSet peers, LeaderReplication replication)
{
    /// <summary>Starts a snapshot for a peer, or leaves it waiting when too many are under way.</summary>
    public void Begin(Peer peer)
    {
        int underWay = 0;
        foreach (Peer other in peers.All)
        {
            underWay += other.State == PeerState.Snapshot ? 1 : 0;
        }

        if (underWay >= state.Settings.SnapshotsInFlightMax)
        {
            peer.BecomeProbe(peer.Next);
            peer.IsPaused = true;
            return;
        }

        peer.BecomeSnapshot();
        Fetch(peer);
    }

    /// <summary>The host has read a piece.</summary>
    public void OnFetched(Peer peer, in RaftInput input)
    {
        if (peer.State != PeerState.Snapshot)
        {
            return;
        }

        if (input.Snapshot is not SnapshotMeta meta || meta.Index < state.Log.Base)
        {
            // Nothing that would help yet; asked again when the pause has run out.
            Abandon(peer);
            return;
        }

        if (meta.Index != peer.SnapshotIndex)
        {
            peer.SnapshotIndex = meta.Index;
            peer.SnapshotOffset = 0;
        }

        if (input.Offset != peer.SnapshotOffset)
        {
            return;
        }

        peer.TicksWaiting = 0;
        state.Send(new()
        {
            Kind = MessageKind.SnapshotChunk,
            From = state.Id,
            To = peer.Id,
            Term = state.Term,
            Snapshot = meta,
            SnapshotOffset = input.Offset,
            Chunk = input.Batch,
            Done = input.Done,
            SentAt = state.Now,
        });
    }

    /// <summary>The peer's word on a piece. True when it now holds the snapshot's state.</summary>
    public bool OnResponse(Peer peer, in RaftMessage message)
    {
        if (message.Reject)
        {
            if (peer.State == PeerState.Snapshot && message.Index == peer.SnapshotIndex)
            {
                Abandon(peer);
            }

            return false;
        }

        if (message.Done)
        {
            bool isNews = peer.Acknowledge(message.Index);
            if (peer.State == PeerState.Snapshot)
            {
                // Should the log have been released beyond it meanwhile, this begins the next snapshot.
                peer.BecomeReplicate();
                replication.Replicate(peer);
            }

            return isNews;
        }

        if (peer.State == PeerState.Snapshot
            && message.Index == peer.SnapshotIndex
            && message.SnapshotOffset != peer.SnapshotOffset)
        {
            peer.SnapshotOffset = message.SnapshotOffset;
            Fetch(peer);
        }

        return false;
    }

    /// <summary>What got lost is asked for again; a peer that fell silent makes room for others.</summary>
    public void Tick()
    {
        foreach (Peer peer in peers.All)
        {
            if (peer.State != PeerState.Snapshot)
            {
                continue;
            }

            if (peer.IsAlive && peer.TicksWaiting >= state.Settings.ResendTicks)
            {
                Fetch(peer);
            }
            else if (!peer.IsAlive)
            {
                Abandon(peer);
            }
        }
    }

    private void Fetch(Peer peer)
    {
        peer.TicksWaiting = 0;
        state.Output.SnapshotFetches.Add(
            new(peer.Id, peer.SnapshotIndex, peer.SnapshotOffset, state.Settings.SnapshotChunkBytes));
    }

    private static void Abandon(Peer peer)
    {
        peer.BecomeProbe(peer.Match.Next);
        peer.IsPaused = true;
    }
}
