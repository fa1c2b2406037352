using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Brings every peer's log to the leader's (Raft, section 5.3): entries in batches, several appends on the way at
/// once, whole terms skipped where logs conflict, lost messages found and sent again.
/// <para>Invariants: at most the named number of messages and bytes is on the way to a peer; entries that are no
/// longer in memory are fetched, one fetch a peer; entries that are no longer in the log are replaced by a
/// snapshot.</para>
/// </summary>
internal sealed class LeaderReplication(GroupState state, PeerSet peers)
{
    /// <summary>The wait before something is sent again doubles at most so often.</summary>
    private const int ResendDoublingsMax = 6;

    public LeaderSnapshots Snapshots { get; set; } = null!;

    /// <summary>Entries were appended that no peer has been sent yet.</summary>
    public bool EntriesWait { get; set; }

    /// <summary>The read round that messages carry; set with each round of heartbeats.</summary>
    private ulong _round;

    /// <summary>
    /// Sends all that has been appended, and the commit index to whoever is sent no entries. Once at the end of a step,
    /// so that what was taken together leaves together.
    /// </summary>
    public void SendWhatWaits()
    {
        if (EntriesWait)
        {
            EntriesWait = false;
            foreach (Peer peer in peers.All)
            {
                Replicate(peer);
            }
        }

        if (!state.IsAsleep)
        {
            AnnounceCommit();
        }
    }

    /// <summary>Sends what the peer lacks and may be sent now.</summary>
    public void Replicate(Peer peer)
    {
        RaftSettings settings = state.Settings;
        while (!peer.IsPaused && peer.State != PeerState.Snapshot)
        {
            bool isProbe = peer.State == PeerState.Probe;
            bool hasEntries = peer.Next <= state.Log.Last;
            if (!hasEntries && !(isProbe && peer.Match < state.Log.Last))
            {
                return;
            }

            if (peer.InFlightCount >= settings.InflightAppendsMax || peer.InFlightBytes >= settings.InflightBytesMax)
            {
                return;
            }

            if (peer.Next <= state.Log.Base)
            {
                Snapshots.Begin(peer);
                return;
            }

            if (hasEntries && !state.Log.InMemory(peer.Next))
            {
                peer.IsPaused = true;
                peer.TicksWaiting = 0;
                state.Output.EntriesFetches.Add(new(peer.Id, peer.Next, state.Log.Last, settings.AppendBytesMax));
                return;
            }

            SendAppend(peer, hasEntries ? state.Log.Take(peer.Next, state.Log.Last, settings.AppendBytesMax) : []);
        }
    }

    /// <summary>The peer's answer to an append. True when it holds more than was known.</summary>
    public bool OnAppendResponse(Peer peer, in RaftMessage message)
    {
        if (message.Reject)
        {
            OnReject(peer, message);
            return false;
        }

        Invariant.Check(message.Index <= state.Log.Last, $"{peer.Id} holds no more than its leader of {state.Term}");
        bool isNews = peer.Acknowledge(message.Index);
        bool isBehindNoMore = peer.State == PeerState.Snapshot && peer.Match >= state.Log.Base;
        if (peer.State == PeerState.Probe || isBehindNoMore)
        {
            peer.BecomeReplicate();
        }

        Replicate(peer);
        return isNews;
    }

    /// <summary>
    /// An answer to a heartbeat: the peer is there, so what has waited long for an answer was lost on the way. (A
    /// peer that is not there costs nothing but heartbeats.)
    /// </summary>
    public void OnHeartbeatResponse(Peer peer)
    {
        // A probe goes alone; appends may queue up behind a slow disk. A slow link shows as nothing but time, so the
        // wait doubles each time, or a large entry would be sent over and over.
        int patience = peer.State == PeerState.Probe ? state.Settings.HeartbeatTicks : state.Settings.ResendTicks;
        bool waitedLong = peer.TicksWaiting >= patience << peer.Resends;
        if (peer.State == PeerState.Probe && peer.Match == state.Log.Last)
        {
            // It lacks nothing that a probe could find; it was unreachable for a while.
            peer.BecomeReplicate();
        }
        else if (waitedLong && peer.State == PeerState.Replicate && peer.InFlightCount > 0)
        {
            peer.BecomeProbe(peer.Match.Next);
            peer.Resends = Math.Min(peer.Resends + 1, ResendDoublingsMax);
        }
        else if (waitedLong && peer.IsPaused && peer.State != PeerState.Snapshot)
        {
            peer.IsPaused = false;
            peer.Resends = Math.Min(peer.Resends + 1, ResendDoublingsMax);
        }

        Replicate(peer);
    }

    public void OnEntriesFetched(Peer peer, LogIndex first, Entry[] entries)
    {
        if (peer.State == PeerState.Snapshot || !peer.IsPaused)
        {
            return;
        }

        if (entries.Length == 0 && peer.Next > state.Log.Base)
        {
            // The log should hold them; asked again when the peer is next heard after a while.
            return;
        }

        // The peer may have moved on meanwhile, or the entries were read before a cut in an earlier term.
        peer.IsPaused = false;
        bool isCurrent = entries.Length > 0 && first == peer.Next;
        foreach (Entry entry in entries)
        {
            isCurrent &= state.Log.TermAt(entry.Index) == entry.Term;
        }

        if (isCurrent)
        {
            SendAppend(peer, entries);
        }

        Replicate(peer);
    }

    /// <summary>Messages to the peer are lost: send one at a time until it answers.</summary>
    public void OnUnreachable(Peer peer)
    {
        if (peer.State == PeerState.Replicate)
        {
            peer.BecomeProbe(peer.Match.Next);
            peer.IsPaused = true;
        }
    }

    public void Tick(int ticks)
    {
        foreach (Peer peer in peers.All)
        {
            peer.TicksWaiting += ticks;
        }
    }

    public void SendHeartbeats(ulong round)
    {
        _round = round;
        foreach (Peer peer in peers.All)
        {
            Tell(peer, MessageKind.Heartbeat);
        }
    }

    /// <summary>Tells a peer of a new commit index when no append will.</summary>
    private void AnnounceCommit()
    {
        foreach (Peer peer in peers.All)
        {
            if (peer.State == PeerState.Replicate
                && peer.InFlightCount == 0
                && peer.CommitSent < LogIndex.Min(peer.Match, state.Log.Commit))
            {
                Tell(peer, MessageKind.Commit);
            }
        }
    }

    public void SendSleep()
    {
        foreach (Peer peer in peers.All)
        {
            Tell(peer, MessageKind.Sleep);
        }
    }

    private void OnReject(Peer peer, in RaftMessage message)
    {
        // Old answers say nothing: a replicating peer has since acknowledged that index, a probe asked another.
        bool isStale = peer.State == PeerState.Snapshot
            || (peer.State == PeerState.Replicate ? message.Index <= peer.Match : message.Index != peer.Next.Previous);
        if (isStale)
        {
            return;
        }

        LogIndex next = state.Log.LastIndexWithTermAtMost(message.HintIndex, message.HintTerm).Next;
        peer.BecomeProbe(LogIndex.Min(next, message.Index));
        Replicate(peer);
    }

    private void SendAppend(Peer peer, Entry[] entries)
    {
        LogIndex previous = peer.Next.Previous;
        Term? previousTerm = state.Log.TermAt(previous);
        Invariant.Check(previousTerm is not null, $"the term of {previous} is known after base {state.Log.Base}");
        var message = new RaftMessage
        {
            Kind = MessageKind.AppendRequest,
            From = state.Id,
            To = peer.Id,
            Term = state.Term,
            Index = previous,
            LogTerm = previousTerm.Value,
            Commit = state.Log.Commit,
            Round = _round,
            SentAt = state.Now,
            Entries = entries,
        };
        state.Send(message);
        peer.CommitSent = state.Log.Commit;
        if (peer.State == PeerState.Probe)
        {
            // The answer decides where to go on; until then nothing more is sent.
            peer.IsPaused = true;
            peer.TicksWaiting = 0;
        }
        else if (entries.Length > 0)
        {
            peer.Track(entries[^1].Index, message.Bytes);
            peer.Next = entries[^1].Index.Next;
        }
    }

    private void Tell(Peer peer, MessageKind kind)
    {
        peer.CommitSent = LogIndex.Min(peer.Match, state.Log.Commit);
        state.Send(new()
        {
            Kind = kind,
            From = state.Id,
            To = peer.Id,
            Term = state.Term,
            Index = kind == MessageKind.Sleep ? state.Log.Last : LogIndex.Zero,
            LogTerm = kind == MessageKind.Sleep ? state.Log.LastTerm : Term.Zero,
            Commit = peer.CommitSent,
            Round = _round,
            SentAt = state.Now,
        });
    }
}
