using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Liveness;
using Quorate.Node.Metadata;
using Quorate.Node.Replicas;
using Quorate.Node.Wire;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Log;

namespace Quorate.Node.Cluster;

/// <summary>The node around its <see cref="MetadataGroup"/>.</summary>
internal interface IMetadataOwner
{
    void SetMetadataDeadline(Instant deadline);

    void AskForTurn();

    void MetadataRoleChanged(in RoleChanged change);

    void End(string sentence);
}

/// <summary>
/// The metadata group's replica on this node: every node has one, voting or not, so that each has a copy of all that
/// the cluster has agreed on.
/// </summary>
internal sealed class MetadataGroup : IReplicaHost
{
    /// <summary>The group; partitions begin after it.</summary>
    public static readonly GroupId Group = new(1);

    private readonly IMetadataOwner _owner;
    private readonly ClusterParts _parts;
    private readonly Replica _replica;
    private readonly Dictionary<ulong, Action<ReplicaReply>> _asked = [];
    private Instant _deadline = Instant.Never;
    private int _applies;
    private bool _isAnnounced;
    private bool _hasChanged;

    public MetadataGroup(ClusterParts parts, IMetadataOwner owner)
    {
        _parts = parts;
        _owner = owner;
        ClusterIdentity identity = parts.Place.Identity;
        var id = new ReplicaId(identity.Node.Value, identity.Incarnation);
        Stream = new(Group, identity.Incarnation);
        Metadata = new(parts.Settings.Metadata);
        var machine = new MetadataMachine(Metadata, _ => HasChanged = true);
        ulong seed = parts.Place.Boot ^ 0x6D657461;
        _replica = new(
            id,
            parts.Settings.Node.Raft with { ReplicasMax = parts.Settings.Metadata.NodesMax },
            parts.Settings.MetadataReplica,
            this,
            client => parts.Runtime.LogFor(Stream, client),
            client => new CheckpointedMachine(
                machine, files => new CheckpointFiles(parts.Place.Disk, $"{Stream}-", files), client),
            identity.IsFounder ? FirstMembership(identity, parts.Settings) : null,
            SeededRandom.SplitMix64(ref seed));
    }

    public LogStream Stream { get; }

    public ReplicaId Id => _replica.Id;

    /// <summary>What this node's copy holds now. It must not be changed.</summary>
    public ClusterMetadata Metadata { get; }

    /// <summary>
    /// The copy has changed since this was last set to false, by an entry or by a snapshot; a turn is asked for.
    /// </summary>
    public bool HasChanged
    {
        get => _hasChanged;
        set
        {
            _hasChanged = value;
            if (value)
            {
                _owner.AskForTurn();
            }
        }
    }

    /// <summary>Null while it reads its disk.</summary>
    public RaftGroup? Raft => _replica.Group;

    public bool IsLeader => _replica.IsRunning && Raft!.Role == Role.Leader;

    /// <summary>It leads, and its copy holds all that was committed before its term.</summary>
    public bool MayPropose => IsLeader && _replica.AppliedAt.Term == Raft!.Term;

    public LogIndex Applied => _replica.AppliedAt.Index;

    Instant IReplicaHost.Now => _parts.Now;

    /// <summary>How many of so many nodes vote: an odd number, or both of two.</summary>
    public static int VotersOf(int nodes, int votersMax) =>
        nodes <= 2 ? nodes : Math.Min((nodes & 1) == 0 ? nodes - 1 : nodes, votersMax);

    public void Start() => _replica.Start();

    public void Receive(in RaftMessage message)
    {
        _replica.Receive(message);
        Announce();
    }

    public void Tick(Instant now)
    {
        if (_deadline <= now)
        {
            _replica.Tick();
        }
    }

    /// <summary>Applies what is committed.</summary>
    public void Turn()
    {
        while (_applies > 0)
        {
            _applies--;
            _replica.ApplyNext();
        }
    }

    public void Hear(in NodeNews news)
    {
        if (news.Heard)
        {
            _replica.NodeCameBack(news.Node);
        }
        else
        {
            _replica.NodeFellSilent(news.Node);
        }
    }

    public void WantCheckpoint() => _replica.WantCheckpoint();

    public void Close() => _replica.Close();

    /// <summary>Proposes a command; told once what came of it, perhaps at once.</summary>
    public void Propose(byte[] command, Instant deadline, Action<ReplicaReply> told) =>
        _replica.Write(Ask(told), command, WriteLevel.Majority, deadline);

    public void ChangeMembership(Membership target, Instant deadline, Action<ReplicaReply> told) =>
        _replica.ChangeMembership(Ask(told), target, deadline);

    public void Transfer(ReplicaId target, Action<ReplicaReply> told) => _replica.Transfer(Ask(told), target);

    void IReplicaHost.Send(in RaftMessage message)
    {
        RaftWire.Write(_parts.Writer, Group, message);
        _parts.Send(message.To.NodeId, RaftWire.ClassOf(message.Kind));
    }

    void IReplicaHost.Reply(in ReplicaReply reply)
    {
        if (_asked.Remove(reply.Request.Value, out Action<ReplicaReply>? told))
        {
            told(reply);
        }
    }

    void IReplicaHost.SetDeadline(Instant deadline)
    {
        _deadline = deadline;
        _owner.SetMetadataDeadline(deadline);
        Announce();
    }

    void IReplicaHost.ApplyWaits()
    {
        _applies++;
        _owner.AskForTurn();
    }

    void IReplicaHost.ReadWaits(RequestId request) =>
        Invariant.Check(false, "nobody reads the metadata through its group");

    void IReplicaHost.RoleChanged(in RoleChanged change) => _owner.MetadataRoleChanged(change);

    void IReplicaHost.End(string sentence) => _owner.End(sentence);

    private static Membership FirstMembership(ClusterIdentity identity, ClusterSettings settings)
    {
        int voters = VotersOf(identity.Founders.Count, settings.MetadataVotersMax);
        ReplicaId[] all = [.. identity.Founders.Select(node => new ReplicaId(node.Id, 1)).Order()];
        return Membership.Of(
            all[..voters], all[voters..].Select(id => new Learner(id, LearnerKind.Standing)));
    }

    private RequestId Ask(Action<ReplicaReply> told)
    {
        var request = new RequestId(_parts.NextId());
        _asked.Add(request.Value, told);
        return request;
    }

    private void Announce()
    {
        if (!_isAnnounced && _replica.IsRunning)
        {
            _isAnnounced = true;
            _parts.Runtime.Announce();
        }
    }
}
