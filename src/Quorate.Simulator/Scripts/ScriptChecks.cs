using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// The claims that every script must keep, whatever output it expects (Raft, figure 3, and the promises to
/// clients). A broken one ends the script with a sentence.
/// </summary>
internal sealed class ScriptChecks(ScriptWorld world)
{
    private readonly SortedDictionary<Term, ReplicaId> _leaders = [];
    private readonly SortedDictionary<LogIndex, CommittedEntry> _committed = [];
    private readonly SortedDictionary<LogIndex, string> _states = [];

    public static ScriptFailedException Broken(string claim) => new($"broken claim: {claim}");

    /// <summary>Election safety: at most one leader in a term.</summary>
    public void Leads(RaftGroup group)
    {
        if (group.Role == Role.Leader && !_leaders.TryAdd(group.Term, group.Id) && _leaders[group.Term] != group.Id)
        {
            throw Broken($"term {group.Term} has two leaders, {_leaders[group.Term]} and {group.Id}");
        }
    }

    /// <summary>A commit index that has moved names entries that stay, and that enough disks hold.</summary>
    public void AfterStep(ScriptReplica replica, LogIndex commitBefore, Membership membershipBefore)
    {
        RaftGroup group = replica.Group!;
        if (group.CommitIndex < commitBefore)
        {
            throw Broken($"the commit index of {replica.Id} went back from {commitBefore} to {group.CommitIndex}");
        }

        for (LogIndex at = commitBefore.Next; at <= group.CommitIndex; at = at.Next)
        {
            if (replica.Disk.Written.At(at) is Entry entry)
            {
                Commits(replica, entry, group.Term);
            }
        }

        if (group.Role == Role.Leader && group.CommitIndex > commitBefore
            && replica.Disk.Written.At(group.CommitIndex) is Entry last
            && !IsDurable(last, membershipBefore) && !IsDurable(last, group.Membership))
        {
            throw Broken($"{replica.Id} commits {last}, and no majority of {group.Membership} has it on disk");
        }
    }

    public void Applies(ScriptReplica replica, Entry entry)
    {
        if (entry.Index > replica.Group!.CommitIndex)
        {
            throw Broken($"{replica.Id} applies {entry}, which is not committed");
        }

        Commits(replica, entry, replica.Group.Term);
    }

    /// <summary>A snapshot in the place of the state machine stands for committed entries.</summary>
    public void Loads(ScriptReplica replica, SnapshotMeta meta)
    {
        if (_committed.TryGetValue(meta.Index, out CommittedEntry? known) && known.Entry.Term != meta.Term)
        {
            throw Broken($"{replica.Id} loads {meta}, but {known.Entry} was committed there");
        }
    }

    public void Acknowledges(ScriptReplica replica, ScriptRequest request, ReadToken place)
    {
        if (request.WriteLevel is not WriteLevel level)
        {
            return;
        }

        if (replica.Disk.Written.At(place.Index) is not Entry entry || entry.Term != place.Term)
        {
            throw Broken($"{replica.Id} acknowledges {request.Name} at {place}, where its log has something else");
        }

        int holders = world.Replicas.Count(r => HasDurable(r, entry));
        bool enough = level.Kind switch
        {
            WriteLevelKind.Leader => HasDurable(replica, entry),
            WriteLevelKind.Count => holders >= level.Replicas,
            WriteLevelKind.All => MembersOf(replica.Group!.Membership).All(id => HasDurable(world.Find(id), entry)),
            _ => true,
        };
        bool isDone = level.Kind == WriteLevelKind.Leader || (CommittedAt(place) && replica.Applied >= place.Index);
        if (!enough || !isDone)
        {
            throw Broken($"{replica.Id} acknowledges {request.Name} at level {level} with {holders} copies on disks");
        }
    }

    /// <summary>
    /// A linearizable read sees every write acknowledged before it was asked; a session read what its token names.
    /// </summary>
    public void Reads(ScriptReplica replica, ScriptRequest request)
    {
        ScriptRequest? missed = request.ReadLevel == ReadLevel.Linearizable
            ? request.MustSee.FirstOrDefault(write => replica.Applied < write.Place.Index && !IsLost(write))
            : null;
        if (missed is not null)
        {
            throw Broken($"{request.Name} sees {replica.Applied}, and {missed.Place} was acknowledged before it");
        }

        if (request.ReadLevel != ReadLevel.Session)
        {
            return;
        }

        ReadToken token = request.Token;
        if (replica.Applied < token.Index || (token.Index > LogIndex.Zero && !CommittedAt(token)))
        {
            throw Broken($"{request.Name} does not see the write at {token} that its token names");
        }
    }

    /// <summary>What a read that is asked now may not miss.</summary>
    public IReadOnlyList<ScriptRequest> AcknowledgedWrites()
    {
        var writes = new List<ScriptRequest>();
        foreach (ScriptRequest request in world.Requests.All)
        {
            RaftGroup? group = world.Find(request.Replica)?.Group;
            bool stillLeads = group?.Role == Role.Leader && group.Term == request.Place.Term;
            bool mayBeLost = request.WriteLevel?.Kind == WriteLevelKind.Leader && !stillLeads;
            if (request is { WriteLevel: not null, Outcome: Outcome.Done } && !mayBeLost)
            {
                writes.Add(request);
            }
        }

        return writes;
    }

    /// <summary>The claims that look at all replicas at once; called after each command.</summary>
    public void Whole()
    {
        foreach (ScriptReplica replica in world.Replicas)
        {
            LeaderIsComplete(replica);
            StateAgrees(replica);
            foreach (ScriptReplica other in world.Replicas.Where(o => o.Id.CompareTo(replica.Id) > 0))
            {
                LogsMatch(replica, other);
            }
        }

        foreach (ScriptRequest request in world.Requests.All.Where(r => r.Outcome == Outcome.Refused))
        {
            if (CommittedAt(request.Place))
            {
                throw Broken($"{request.Name} was refused, and yet it is committed at {request.Place}");
            }
        }
    }

    private static IEnumerable<ReplicaId> MembersOf(Membership membership) =>
    [
        .. membership.Voters, .. membership.Outgoing,
        .. membership.Learners.ToArray().Where(l => l.Kind == LearnerKind.Standing).Select(l => l.Id),
    ];

    private static bool HasDurable(ScriptReplica? replica, Entry entry)
    {
        if (replica is null)
        {
            return false;
        }

        LogImage durable = replica.Disk.Durable;
        return durable.At(entry.Index) is Entry held ? held.Term == entry.Term : HasReleased(replica, entry.Index);
    }

    /// <summary>Behind the base of its log a replica has everything in its checkpoint.</summary>
    private static bool HasReleased(ScriptReplica replica, LogIndex index) =>
        index <= replica.Disk.Durable.Base || (replica.Disk.Checkpoint?.Meta.Index ?? LogIndex.Zero) >= index;

    /// <summary>
    /// Log matching: an entry that two logs share by index and term is preceded by the same entries in both.
    /// </summary>
    private static void LogsMatch(ScriptReplica a, ScriptReplica b)
    {
        LogImage left = a.Disk.Written;
        LogImage right = b.Disk.Written;
        bool shared = false;
        LogIndex from = LogIndex.Max(left.Base, right.Base);
        for (LogIndex at = LogIndex.Min(left.Last, right.Last); at > from; at = at.Previous)
        {
            Entry x = left.At(at)!;
            Entry y = right.At(at)!;
            bool same = x.Term == y.Term && x.Kind == y.Kind && x.Payload.Span.SequenceEqual(y.Payload.Span);
            if ((shared && !same) || (x.Term == y.Term && !same))
            {
                throw Broken($"the logs of {a.Id} and {b.Id} differ at {at}, and agree behind it or in its term");
            }

            shared |= same;
        }
    }

    /// <summary>Committed entries never change: the first word on an index stays.</summary>
    private void Commits(ScriptReplica replica, Entry entry, Term term)
    {
        if (!_committed.TryGetValue(entry.Index, out CommittedEntry? known))
        {
            _committed.Add(entry.Index, new(entry, term));
        }
        else if (known.Entry.Term != entry.Term || !known.Entry.Payload.Span.SequenceEqual(entry.Payload.Span))
        {
            throw Broken($"{replica.Id} takes {entry} for committed where {known.Entry} was committed");
        }
    }

    /// <summary>Leader completeness: a leader of a later term has every committed entry.</summary>
    private void LeaderIsComplete(ScriptReplica replica)
    {
        if (replica.Group is not { Role: Role.Leader } group)
        {
            return;
        }

        LogImage log = replica.Disk.Written;
        foreach (CommittedEntry known in _committed.Values.Where(c => c.Term < group.Term && c.Entry.Index > log.Base))
        {
            if (log.At(known.Entry.Index)?.Term != known.Entry.Term)
            {
                throw Broken($"{replica.Id} leads term {group.Term} without {known.Entry}, committed in {known.Term}");
            }
        }
    }

    /// <summary>Two replicas that have applied as far have the same state.</summary>
    private void StateAgrees(ScriptReplica replica)
    {
        string state = string.Join('\n', replica.Register.Data);
        if (replica.IsUp && !_states.TryAdd(replica.Applied, state) && _states[replica.Applied] != state)
        {
            throw Broken($"the state of {replica.Id} at {replica.Applied} differs from another replica's");
        }
    }

    private bool CommittedAt(ReadToken place) =>
        _committed.TryGetValue(place.Index, out CommittedEntry? known) && known.Entry.Term == place.Term;

    /// <summary>
    /// A write of level `leader` that can never be committed, since a later term has committed in its place or
    /// before it. Nobody can see it any more.
    /// </summary>
    private bool IsLost(ScriptRequest write) =>
        write.WriteLevel?.Kind == WriteLevelKind.Leader
        && _committed.Values.Any(c => c.Entry.Index <= write.Place.Index && c.Entry.Term > write.Place.Term);

    private bool IsDurable(Entry entry, Membership membership) =>
        HasMajority(entry, membership.Voters) && (!membership.IsJoint || HasMajority(entry, membership.Outgoing));

    private bool HasMajority(Entry entry, ReadOnlySpan<ReplicaId> voters)
    {
        int holders = 0;
        foreach (ReplicaId id in voters)
        {
            holders += HasDurable(world.Find(id), entry) ? 1 : 0;
        }

        return holders > voters.Length / 2;
    }

    /// <summary>An entry and the term of the replica that first said it was committed.</summary>
    private sealed record CommittedEntry(Entry Entry, Term Term);
}
