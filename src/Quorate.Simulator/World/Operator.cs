using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;

namespace Quorate.Simulator.World;

/// <summary>
/// Does what a careful operator would: starts processes that ended, wipes nodes that can not prove what they hold,
/// replaces the replicas that were lost with them, and takes away what a membership no longer names.
/// <para>Invariant: it never loses a disk, nor takes a replica away, if that could cost any membership that is in
/// force, or may yet come about, the majority of its disks.</para>
/// </summary>
internal sealed class Operator
{
    /// <summary>How often it looks around, in microseconds.</summary>
    private const long Interval = 150_000;

    /// <summary>How long a replica that was removed may go on before it is taken away, in microseconds.</summary>
    private const long RetireTime = 2_000_000;

    /// <summary>A node exchanges its data key in one of so many looks around.</summary>
    private const int RotationOneIn = 12;

    private readonly Simulation _world;
    private readonly SeededRandom _random;
    private readonly List<OperatorRequest>[] _requests;
    private readonly bool[] _mayEnd;
    private readonly bool[] _mayMisread;
    private readonly bool[] _startPending;

    public Operator(Simulation world)
    {
        _world = world;
        _random = world.Streams.Open(StreamName.Operator);
        _requests = [.. world.Plan.Groups.Select(_ => new List<OperatorRequest>())];
        _mayEnd = new bool[world.Plan.Nodes];
        _mayMisread = new bool[world.Plan.Nodes];
        _startPending = new bool[world.Plan.Nodes];
        Rot = new RotWatch(world);
        HeldDown = new bool[world.Plan.Nodes];
        _world.Queue.Add(Interval, new SimEvent { Kind = EventKind.Operator, Target = -1 });
    }

    /// <summary>The node is kept down until this is false again.</summary>
    public bool[] HeldDown { get; }

    /// <summary>Which nodes still have to prove what their disks hold.</summary>
    public RotWatch Rot { get; }

    /// <summary>A fault has given the node's process a reason to end.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="mayMisread">The fault makes a read fail.</param>
    public void ExpectEnd(int node, bool mayMisread = false)
    {
        _mayEnd[node] = true;
        _mayMisread[node] |= mayMisread;
    }

    /// <summary>A process ends by itself with a sentence.</summary>
    public void ProcessEnds(SimulatedNode node, string sentence)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note(node.Name, $"ends: {sentence}");
        }

        bool isDue = _mayEnd[node.Number] && SpeaksOfDisk(node.Number, sentence);
        node.Kill(powerLoss: false);
        if (Rot.IsFoundBy(node, sentence, isDue))
        {
            Wipe(node);
        }
        else if (!isDue)
        {
            RunClaims.Break(RunClaims.NeedlessEnd, $"{node.Name} ended without cause: {sentence}");
        }

        StartLater(node, _random.Between(20_000, 500_000));
    }

    /// <summary>
    /// A full or failing disk is the only cause that a fault gives; damage without a turned bit has none.
    /// </summary>
    private bool SpeaksOfDisk(int node, string sentence) =>
        sentence.StartsWith("The disk is full", StringComparison.Ordinal)
        || sentence.StartsWith("The disk failed", StringComparison.Ordinal)
        || (_mayMisread[node]
            && (sentence.Contains("could not be read", StringComparison.Ordinal)
                || sentence.Contains("damaged or unreadable", StringComparison.Ordinal)));

    public void StartLater(SimulatedNode node, long delay)
    {
        if (!_startPending[node.Number])
        {
            _startPending[node.Number] = true;
            _world.Queue.Add(_world.Now + delay, new SimEvent { Kind = EventKind.NodeStart, Target = node.Number });
        }
    }

    public void StartNode(SimulatedNode node)
    {
        _startPending[node.Number] = false;
        if (node.State == NodeState.Down && !HeldDown[node.Number])
        {
            if (_world.Trace.Verbose)
            {
                _world.Note(node.Name, "starts");
            }

            node.Start();
        }
    }

    /// <summary>
    /// Would every membership of every group still have the majority of its disks without this node's?
    /// </summary>
    public bool MayLoseDisk(int node)
    {
        for (int group = 0; group < _world.Placements.Length; group++)
        {
            if (_world.Placements[group].On(node) is { } placed && !MayLose(group, placed.Id))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The disk of a node whose process is down is lost, and with it all replicas on it.</summary>
    public void Wipe(SimulatedNode node)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note(node.Name, "is wiped");
        }

        node.Disk.Wipe();
        Rot.Forget(node.Number);
        for (int group = 0; group < _world.Placements.Length; group++)
        {
            Placement placement = _world.Placements[group];
            if (placement.On(node.Number) is { } placed)
            {
                _world.Checks[group].RecordOf(placed.Id).Lost = true;
                placement.Gone.Add(placed.Id);
                placement.Lost.Add(placed.Id);
                placement.Remove(node.Number);
            }
        }
    }

    /// <summary>The replica that leads a group in the greatest term, if any does.</summary>
    public SimulatedReplica? LeaderOf(int group, out SimulatedNode? node)
    {
        SimulatedReplica? leader = null;
        node = null;
        foreach (SimulatedNode candidate in _world.Nodes)
        {
            if (candidate.State == NodeState.Up
                && candidate.Replicas[group] is { Replica.Group: { Role: Role.Leader } found } replica
                && (leader is null || found.Term > leader.Replica.Group!.Term))
            {
                leader = replica;
                node = candidate;
            }
        }

        return leader;
    }

    /// <summary>True when a group is as it should be: nothing lost, nothing joining, nothing under way.</summary>
    public bool IsSettled(int group)
    {
        Membership committed = _world.Checks[group].Committed.Membership;
        if (_world.Placements[group].Lost.Count > 0 || committed.IsJoint || DiskBudget.Joining(committed).Count > 0
            || IsAsking(group))
        {
            return false;
        }

        return LeaderOf(group, out _) is { } leader && leader.Replica.Group!.Membership.Equals(committed);
    }

    /// <summary>
    /// Asks a group's leader for another membership, made from the one it has. False when it can not be asked.
    /// </summary>
    public bool Ask(int group, Func<Membership, Membership?> change) =>
        !IsAsking(group) && LeaderOf(group, out SimulatedNode? node) is { } leader && Ask(group, leader, node!, change);

    /// <summary>
    /// As <see cref="Ask(int, Func{Membership, Membership?})"/>, of any replica that believes that it leads.
    /// </summary>
    public bool AskAny(int group, SeededRandom random, Func<Membership, Membership?> change)
    {
        List<SimulatedNode> leading = [.. _world.Nodes.Where(
            node => node.State == NodeState.Up && node.Replicas[group] is { Replica.Group.Role: Role.Leader })];
        if (leading.Count == 0)
        {
            return false;
        }

        SimulatedNode node = leading[(int)random.Next(leading.Count)];
        return Ask(group, node.Replicas[group]!, node, change);
    }

    private bool Ask(int group, SimulatedReplica leader, SimulatedNode node, Func<Membership, Membership?> change)
    {
        RaftGroup raft = leader.Replica.Group!;
        if (raft.Membership.IsJoint || change(raft.Membership) is not { } target || target.Equals(raft.Membership))
        {
            return false;
        }

        if (_world.Trace.Verbose)
        {
            _world.Note("admin", $"asks {node.Name} for group {group + 1} to be {target}");
        }

        Send(leader, new OperatorRequest { Group = group, Membership = target, Node = node.Number, Life = node.Life });
        return true;
    }

    public bool Transfer(int group, Func<ReplicaId[], ReplicaId> choose)
    {
        if (IsAsking(group) || LeaderOf(group, out SimulatedNode? node) is not { } leader)
        {
            return false;
        }

        ReplicaId heir = choose(leader.Replica.Group!.Membership.Voters.ToArray());
        Send(leader, new OperatorRequest { Group = group, Heir = heir, Node = node!.Number, Life = node.Life });
        return true;
    }

    public void LookAround()
    {
        _world.Queue.Add(_world.Now + Interval, new SimEvent { Kind = EventKind.Operator, Target = -1 });
        foreach (SimulatedNode node in _world.Nodes)
        {
            if (node.State == NodeState.Up && node.Process.LogIsOpen
                && node.Replicas.All(r => r is null || r.Replica.IsRunning))
            {
                Rot.Look(node);
            }
        }

        RotateKeys();
        for (int group = 0; group < _world.Placements.Length; group++)
        {
            FindLost(group);
            Replace(group);
            Retire(group);
        }
    }

    /// <summary>Each node hears in its own time that the data key was exchanged.</summary>
    private void RotateKeys()
    {
        foreach (SimulatedNode node in _world.Nodes)
        {
            if (node.Encryption is not null && _world.Plan.Values!.KeyRotations > 0
                && node.State == NodeState.Up && _random.Next(RotationOneIn) == 0
                && RunKeys.Rotate(_world, node))
            {
                _world.Judgements.Note(Judgements.Rotations);
                if (_world.Trace.Verbose)
                {
                    _world.Note(node.Name, $"encrypts with data key {node.Encryption.Current.Id} from now on");
                }
            }
        }
    }

    private bool IsAsking(int group)
    {
        _requests[group].RemoveAll(request => request.Answered || _world.Nodes[request.Node].Life != request.Life);
        return _requests[group].Count > 0;
    }

    private void Send(SimulatedReplica leader, OperatorRequest request)
    {
        _requests[request.Group].Add(request);
        leader.Take(request);
    }

    /// <summary>
    /// What is lost is asked anew each time: a replica that no membership named when it was lost may be named by one
    /// that was asked for before and comes about later (seed 8100311).
    /// </summary>
    private void FindLost(int group)
    {
        Placement placement = _world.Placements[group];
        if (placement.Gone.Count > 0)
        {
            Membership[] possible = [.. _world.Checks[group].PossibleMemberships()];
            placement.Lost.Clear();
            placement.Lost.UnionWith(
                placement.Gone.Where(id => Array.Exists(possible, membership => membership.Contains(id))));
        }
    }

    /// <summary>Puts a new replica in the place of each lost one, as a learner that will be promoted.</summary>
    private void Replace(int group)
    {
        Placement placement = _world.Placements[group];
        if (placement.Lost.Count == 0 || IsAsking(group))
        {
            return;
        }

        Ask(group, membership =>
        {
            List<ReplicaId> voters = [.. membership.Voters];
            List<Learner> learners = [.. membership.Learners];
            foreach (ReplicaId lost in placement.Lost)
            {
                bool voted = voters.Remove(lost);
                LearnerKind kind = voted
                    ? LearnerKind.Joining
                    : membership.Learners.ToArray().FirstOrDefault(l => l.Id == lost).Kind;
                bool listened = learners.RemoveAll(learner => learner.Id == lost) > 0;
                int node = (int)lost.Node - 1;
                if (voted || listened)
                {
                    PlacedReplica placed = placement.On(node) ?? PlaceOn(group, node);
                    learners.RemoveAll(learner => learner.Id == placed.Id);
                    learners.Add(new Learner(placed.Id, kind));
                }
            }

            return voters.Count == 0 ? null : Membership.Of(voters, learners);
        });
    }

    /// <summary>Puts a new replica on a node, which starts it if it runs.</summary>
    public PlacedReplica PlaceOn(int group, int node)
    {
        PlacedReplica placed = _world.Placements[group].Add(node, null);
        _world.Nodes[node].OpenReplica(group);
        return placed;
    }

    /// <summary>Takes away replicas that no membership names and none that may yet come about.</summary>
    private void Retire(int group)
    {
        Placement placement = _world.Placements[group];
        if (IsAsking(group))
        {
            return;
        }

        for (int node = 0; node < placement.Nodes; node++)
        {
            if (placement.On(node) is not { } placed)
            {
                continue;
            }

            if (_world.Checks[group].PossibleMemberships().Any(membership => membership.Contains(placed.Id)))
            {
                placed.RetiredAt = 0;
            }
            else if (placed.RetiredAt == 0)
            {
                placed.RetiredAt = _world.Now + _random.Next(RetireTime);
            }
            else if (placed.RetiredAt < _world.Now)
            {
                _world.Nodes[node].CloseReplica(group);
                placement.Gone.Add(placed.Id);
                placement.Remove(node);
            }
        }
    }

    private bool MayLose(int group, ReplicaId id)
    {
        if (IsAsking(group))
        {
            return false;
        }

        Membership membership = _world.Checks[group].Committed.Membership;
        bool isSettled = !membership.IsJoint
            && _world.Checks[group].PossibleMemberships().All(other => other.Equals(membership));
        bool IsIntact(ReplicaId voter) =>
            voter != id && !_world.Placements[group].Lost.Contains(voter) && !Rot.Doubts((int)voter.Node - 1);
        return isSettled && DiskBudget.Suffices(membership, IsIntact);
    }
}
