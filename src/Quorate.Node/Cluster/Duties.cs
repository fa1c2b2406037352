using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// What a node does of itself for the cluster's agreement: the metadata's leader writes down the founding, makes the
/// keyspace `default`, and has every node take part in the group; every node sees to it that its own row is right.
/// <para>Invariant: one thing at a time, each decided anew from what the copy holds, so that it does no harm to begin
/// over at another leader.</para>
/// </summary>
/// <param name="end">Ends the process with a sentence.</param>
internal sealed class Duties(ClusterParts parts, MetadataCalls calls, Action<string> end)
{
    private bool _isBusy;
    private bool _isUpdating;
    private NodeRecord? _refused;
    private Instant _updateAt;

    public void Look()
    {
        MetadataState state = parts.Metadata.Metadata.State;
        UpdateOwn(state);
        if (parts.HasEnded || _isBusy || !parts.Metadata.MayPropose
            || parts.Metadata.Applied < parts.Metadata.Raft!.CommitIndex)
        {
            return;
        }

        if (Next(state) is { } command)
        {
            _isBusy = true;
            command.Time = (ulong)Math.Max(0, parts.Host.WallClockMilliseconds);
            parts.Metadata.Propose(command.ToByteArray(), parts.Now + parts.Settings.DutyDeadline, reply =>
            {
                _isBusy = false;
                if (reply.Outcome == Outcome.Done
                    && MetadataResult.Parser.ParseFrom(reply.Result.Span) is { Refusal.Length: > 0 } refused)
                {
                    parts.Say("metadata", refused.Refusal);
                }
            });
        }
        else if (NextMembership(state) is { } target)
        {
            _isBusy = true;
            parts.Metadata.ChangeMembership(target, parts.Now + parts.Settings.DutyDeadline, _ => _isBusy = false);
        }
    }

    /// <summary>What the metadata lacks; null for nothing.</summary>
    private MetadataCommand? Next(MetadataState state)
    {
        if (Founding(state) is { } founding)
        {
            return founding;
        }

        var planner = new MetadataPlanner(parts.Metadata.Metadata, parts.Settings.Placement);
        return planner.PlanReadReplica() is { } move ? new() { MovePartition = move } : null;
    }

    /// <summary>What the metadata lacks of the founding, in order; null for nothing.</summary>
    private MetadataCommand? Founding(MetadataState state)
    {
        ClusterIdentity identity = parts.Place.Identity;
        if (!identity.IsFounder)
        {
            // The founders have done it: nobody joins before that.
            return null;
        }

        if (state.Cluster == 0)
        {
            uint level = identity.Founders.Min(node => node.FeatureLevelMax);
            return new()
            {
                FoundCluster = new() { Cluster = identity.ClusterNumber, FeatureLevel = Math.Max(1, level) },
            };
        }

        if (state.NextNode <= identity.Founders.Count)
        {
            NodeRecord next = identity.Founders.Single(node => node.Id == state.NextNode);
            return new() { AddNode = new() { Node = next } };
        }

        return state.NextKeyspace == 1 ? Default(state) : null;
    }

    private MetadataCommand Default(MetadataState state)
    {
        uint wanted = parts.Settings.DefaultReplicas;
        int nodes = state.Nodes.Count(node => node is { State: NodeState.Active, ReadReplica: false });
        uint replicas = nodes < wanted ? 1 : wanted;
        var keyspace = new KeyspaceRecord { Name = KeyspaceRules.DefaultName, Replicas = replicas, Voters = replicas };
        var planner = new MetadataPlanner(parts.Metadata.Metadata, parts.Settings.Placement);
        return new() { CreateKeyspace = planner.Plan(keyspace, parts.Settings.DefaultPartitions, []).Command };
    }

    /// <summary>
    /// Who is to take part in the metadata group: every node that is not removed; who votes already goes on voting. A
    /// node that is to vote follows first; a read replica never votes.
    /// </summary>
    private Membership? NextMembership(MetadataState state)
    {
        RaftGroup raft = parts.Metadata.Raft!;
        Membership now = raft.Membership;
        if (now.IsJoint || now.Learners.ToArray().Any(learner => learner.Kind == LearnerKind.Joining))
        {
            return null;
        }

        ReplicaId[] all =
        [
            .. state.Nodes.Where(node => node.State != NodeState.Removed)
                .Select(node => now.ReplicaOn(new(node.Id)) ?? new ReplicaId(node.Id, 1)),
        ];
        if (all.Length == 0)
        {
            return null;
        }

        SortedSet<uint> replicas = [.. state.Nodes.Where(node => node.ReadReplica).Select(node => node.Id)];
        ReplicaId[] able = [.. all.Where(replica => !replicas.Contains(replica.Node))];
        int voters = MetadataGroup.VotersOf(able.Length, parts.Settings.MetadataVotersMax);
        ReplicaId[] voting =
        [
            .. able.OrderBy(replica => now.IsVoter(replica) ? 0 : 1)
                .ThenBy(replica => parts.IsHeard(replica.NodeId) ? 0 : 1)
                .ThenBy(replica => replica)
                .Take(voters),
        ];
        bool mayVote = voting.All(replica => now.IsVoter(replica)
            || (now.IsLearner(replica) && IsCaughtUp(raft, replica)));
        if (!mayVote)
        {
            // The new ones follow first, and those who are gone go.
            voting = [.. all.Where(now.IsVoter)];
        }

        var target = Membership.Of(
            voting, all.Except(voting).Select(replica => new Learner(replica, LearnerKind.Standing)));
        return voting.Length == 0 || target.Equals(now) ? null : target;
    }

    private bool IsCaughtUp(RaftGroup raft, ReplicaId replica) =>
        replica == parts.Metadata.Id || (parts.IsHeard(replica.NodeId) && raft.MatchOf(replica) >= raft.CommitIndex);

    /// <summary>This node's row shows what it was started with.</summary>
    private void UpdateOwn(MetadataState state)
    {
        NodeRecord? row = state.Nodes.FirstOrDefault(node => node.Id == parts.Self.Value);
        if (_isUpdating || row is null || row.State == NodeState.Removed)
        {
            return;
        }

        if (parts.Place.Self.FeatureLevelMax < state.FeatureLevel)
        {
            end($"The cluster is at feature level {state.FeatureLevel}; the build of node {row.Id} knows "
                + $"{parts.Place.Self.FeatureLevelMax}. Start it with a newer build.");
            return;
        }

        NodeRecord wanted = parts.Place.Self.Clone();
        wanted.Id = row.Id;
        wanted.Instance = row.Instance;
        wanted.State = row.State;
        wanted.ReadReplica = row.ReadReplica;
        if (wanted.Weight == 0)
        {
            wanted.Weight = row.Weight;
        }

        if (wanted.Equals(row) || (wanted.Equals(_refused) && parts.Now < _updateAt))
        {
            return;
        }

        _isUpdating = true;
        var command = new MetadataCommand { UpdateNode = new() { Node = wanted } };
        calls.Submit(command, parts.Now + parts.Settings.DutyDeadline, (outcome, result) =>
        {
            _isUpdating = false;
            if (outcome == Outcome.Done && result is { Refusal.Length: > 0 })
            {
                // What refused it may change, but rarely: it is not to be said ten times a second.
                _refused = wanted;
                _updateAt = parts.Now + parts.Settings.RefusedRowInterval;
                parts.Say("metadata", result.Refusal);
            }
        });
    }
}
