using System.Buffers.Binary;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>What a learner is there for.</summary>
public enum LearnerKind : byte
{
    /// <summary>Becomes a voter by itself once it has caught up.</summary>
    Joining = 0,

    /// <summary>Stays a learner and counts among the keyspace's replicas (level `all` waits for it).</summary>
    Standing = 1,

    /// <summary>Stays a learner, serves reads, and nothing waits for it.</summary>
    ReadOnly = 2,
}

/// <summary>A replica that receives the log and does not vote.</summary>
public readonly record struct Learner(ReplicaId Id, LearnerKind Kind);

/// <summary>
/// Who takes part in a group (Raft, section 6).
/// <para>Invariants: the lists are sorted and hold no replica twice; there is at least one voter; in a joint
/// membership a learner may still be a voter of the outgoing half, else no replica is both.</para>
/// </summary>
public sealed class Membership : IEquatable<Membership>
{
    public static readonly Membership Empty = new([], [], []);

    private readonly ReplicaId[] _voters;
    private readonly ReplicaId[] _outgoing;
    private readonly Learner[] _learners;
    private readonly ReplicaId[] _all;

    private Membership(ReplicaId[] voters, ReplicaId[] outgoing, Learner[] learners)
    {
        _voters = voters;
        _outgoing = outgoing;
        _learners = learners;
        var all = new SortedSet<ReplicaId>(voters);
        all.UnionWith(outgoing);
        all.UnionWith(learners.Select(learner => learner.Id));
        _all = [.. all];
    }

    public ReadOnlySpan<ReplicaId> Voters => _voters;

    /// <summary>The voters that are being left behind; empty unless the membership is joint.</summary>
    public ReadOnlySpan<ReplicaId> Outgoing => _outgoing;

    public ReadOnlySpan<Learner> Learners => _learners;

    public bool IsJoint => _outgoing.Length > 0;

    public static Membership Of(IEnumerable<ReplicaId> voters, IEnumerable<Learner>? learners = null) =>
        new(Sorted(voters), [], SortedLearners(learners ?? []));

    public bool IsVoter(ReplicaId id) => Has(_voters, id) || Has(_outgoing, id);

    public bool IsIncomingVoter(ReplicaId id) => Has(_voters, id);

    public bool Contains(ReplicaId id) => IsVoter(id) || IsLearner(id);

    public bool IsLearner(ReplicaId id)
    {
        foreach (Learner learner in _learners)
        {
            if (learner.Id == id)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>All replicas, each once, ascending.</summary>
    public ReadOnlySpan<ReplicaId> AllReplicas => _all;

    /// <summary>The replica that a node holds, or null; when one incarnation replaces another, the newer.</summary>
    public ReplicaId? ReplicaOn(NodeId node)
    {
        for (int i = _all.Length - 1; i >= 0; i--)
        {
            if (_all[i].NodeId == node)
            {
                return _all[i];
            }
        }

        return null;
    }

    /// <summary>Why no group may have this membership, or null.</summary>
    public string? Problem(int replicasMax)
    {
        if (_voters.Length == 0)
        {
            return "a group needs at least one voter";
        }

        ReplicaId[] all = _all;
        if (all.Length > replicasMax)
        {
            return $"a group has at most {replicasMax} replicas, {all.Length} were asked for";
        }

        foreach (Learner learner in _learners)
        {
            if (Has(_voters, learner.Id))
            {
                return $"replica {learner.Id} cannot be voter and learner at once";
            }
        }

        for (int i = 1; i < all.Length; i++)
        {
            if (all[i].Node == all[i - 1].Node)
            {
                return $"node {all[i].Node} cannot hold two replicas of a group";
            }
        }

        return null;
    }

    /// <summary>
    /// The membership to append on the way to <paramref name="target"/>: the target itself when the voters differ
    /// by at most one, since then every two majorities meet (Raft thesis, section 4.1); else the joint of both.
    /// </summary>
    public Membership StepTowards(Membership target)
    {
        Invariant.Check(!IsJoint && !target.IsJoint, "a change of membership starts and ends outside a joint one");
        int changed = 0;
        foreach (ReplicaId id in _voters)
        {
            changed += Has(target._voters, id) ? 0 : 1;
        }

        foreach (ReplicaId id in target._voters)
        {
            changed += Has(_voters, id) ? 0 : 1;
        }

        return changed <= 1 ? target : new(target._voters, _voters, target._learners);
    }

    /// <summary>The incoming half of a joint membership.</summary>
    public Membership Leave() => new(_voters, [], _learners);

    /// <summary>The same with a joining learner made a voter.</summary>
    public Membership Promote(ReplicaId learner) =>
        new(Sorted([.. _voters, learner]), _outgoing, [.. _learners.Where(l => l.Id != learner)]);

    /// <summary>
    /// Bytes: version 1, then three counted lists of packed ids, little-endian, learners with their kind.
    /// </summary>
    public byte[] Encode()
    {
        byte[] bytes = new byte[7 + (8 * (_voters.Length + _outgoing.Length)) + (9 * _learners.Length)];
        bytes[0] = 1;
        int at = 1;
        at = WriteIds(bytes, at, _voters);
        at = WriteIds(bytes, at, _outgoing);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)_learners.Length);
        at += 2;
        foreach (Learner learner in _learners)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), learner.Id.Packed);
            bytes[at + 8] = (byte)learner.Kind;
            at += 9;
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; null when the bytes are not a membership.</summary>
    public static Membership? TryDecode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 7 || bytes[0] != 1)
        {
            return null;
        }

        bytes = bytes[1..];
        if (!TryReadIds(ref bytes, out ReplicaId[] voters)
            || !TryReadIds(ref bytes, out ReplicaId[] outgoing)
            || bytes.Length < 2)
        {
            return null;
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        bytes = bytes[2..];
        if (bytes.Length != count * 9)
        {
            return null;
        }

        var learners = new Learner[count];
        for (int i = 0; i < count; i++)
        {
            ReplicaId id = ReplicaId.FromPacked(BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * 9)..]));
            learners[i] = new(id, (LearnerKind)bytes[(i * 9) + 8]);
        }

        return new(voters, outgoing, learners);
    }

    public bool Equals(Membership? other) =>
        other is not null
        && _voters.AsSpan().SequenceEqual(other._voters)
        && _outgoing.AsSpan().SequenceEqual(other._outgoing)
        && _learners.AsSpan().SequenceEqual(other._learners);

    public override bool Equals(object? obj) => Equals(obj as Membership);

    public override int GetHashCode()
    {
        int hash = _outgoing.Length + _learners.Length;
        foreach (ReplicaId id in _voters)
        {
            hash = (hash * 31) + (int)id.Node;
        }

        return hash;
    }

    /// <summary>
    /// As in a golden script: voters, &amp; and the outgoing ones, + and the learners (~ standing, ? read-only).
    /// </summary>
    public override string ToString()
    {
        string text = "{" + string.Join(' ', _voters);
        text += IsJoint ? " & " + string.Join(' ', _outgoing) : "";
        text += _learners.Length > 0 ? " + " + string.Join(' ', _learners.Select(Describe)) : "";
        return text + "}";
    }

    private static string Describe(Learner learner) => learner.Kind switch
    {
        LearnerKind.Joining => $"{learner.Id}",
        LearnerKind.Standing => $"{learner.Id}~",
        _ => $"{learner.Id}?",
    };

    private static bool Has(ReplicaId[] ids, ReplicaId id) => Array.IndexOf(ids, id) >= 0;

    private static ReplicaId[] Sorted(IEnumerable<ReplicaId> ids) => [.. new SortedSet<ReplicaId>(ids)];

    private static Learner[] SortedLearners(IEnumerable<Learner> learners) =>
        [.. learners.DistinctBy(l => l.Id).OrderBy(l => l.Id)];

    private static int WriteIds(byte[] bytes, int at, ReplicaId[] ids)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)ids.Length);
        at += 2;
        foreach (ReplicaId id in ids)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), id.Packed);
            at += 8;
        }

        return at;
    }

    private static bool TryReadIds(ref ReadOnlySpan<byte> bytes, out ReplicaId[] ids)
    {
        ids = [];
        if (bytes.Length < 2)
        {
            return false;
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        bytes = bytes[2..];
        if (bytes.Length < count * 8)
        {
            return false;
        }

        ids = new ReplicaId[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = ReplicaId.FromPacked(BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * 8)..]));
        }

        bytes = bytes[(count * 8)..];
        return true;
    }
}
