using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Decides how much of the log to keep behind a checkpoint: some entries in any case, more for a follower that is
/// alive and not too far behind; whoever is beyond that gets a snapshot. Where the log needs the space, nothing is kept
/// for those who may fall behind: a group to which little happens would else pin a segment that all share for ever. Nor
/// is anything kept then for a follower that has come no further for a while although it answers heartbeats: its disk
/// may be full, and would else fill those of all its leaders.
/// </summary>
internal static class LogRetention
{
    public static void Release(GroupState state, SnapshotMeta checkpoint, Leader? leader, bool spaceIsWanted)
    {
        RaftLog log = state.Log;
        bool keepsSome = !spaceIsWanted || !Guards.SpaceOutranksRetention;

        // A checkpoint is reported while later entries are applied already: those are in no table yet.
        LogIndex durable = Guards.LogOutlastsCheckpoint ? checkpoint.Index : log.Applied;
        LogIndex target = keepsSome ? durable.Minus(state.Settings.LogEntriesKept) : durable;
        if (leader is not null)
        {
            LogIndex floor = log.Last.Minus(state.Settings.LogEntriesKeptMax);
            foreach (Peer peer in leader.Peers.All)
            {
                // Who is being sent a snapshot will need what comes behind it.
                bool isSent = peer.State == PeerState.Snapshot && peer.SnapshotIndex > LogIndex.Zero;
                LogIndex needed = isSent ? peer.SnapshotIndex : peer.Match;
                if (spaceIsWanted
                    && !peer.ComesFurther(state.Now, state.Settings.StuckAfter)
                    && Guards.SpaceOutranksStuckFollowers)
                {
                    continue;
                }

                if (peer.IsAlive && (isSent || peer.State != PeerState.Snapshot) && needed < target)
                {
                    target = LogIndex.Min(target, LogIndex.Max(needed, floor));
                }
            }
        }

        if (target > log.Base)
        {
            log.ReleaseTo(target);
            state.Durability.ReleaseTo(target);
        }
    }
}
