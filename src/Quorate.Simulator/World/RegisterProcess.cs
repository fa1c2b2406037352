using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;
using Quorate.Storage.Log;

namespace Quorate.Simulator.World;

/// <summary>
/// A process whose replicas hold numbered registers: replicas, one log and heartbeats, joined here as plainly as can
/// be. It tests Raft and the log without anything above them.
/// </summary>
internal sealed class RegisterProcess : NodeProcess, INodeLogClient
{
    private readonly NodeLog _log;
    private readonly NodeHeartbeats _heartbeats;
    private readonly List<NodeId> _sendTo = [];
    private readonly List<NodeNews> _news = [];
    private ulong _timerNumber;
    private bool _spaceIsLow;
    private bool _logIsOpen;

    public RegisterProcess(Simulation world, SimulatedNode node)
        : base(world, node)
    {
        var entropy = new SeededEntropy(new SeededRandom((ulong)node.Number + 1));
        _log = new NodeLog(node.Disk, NodeFiles.LogPrefix, world.Plan.Log, this, entropy);
        _heartbeats = new NodeHeartbeats(node.Id, node.NextBoot() | 1, world.Plan.Heartbeats, node.LocalTime);
    }

    public NodeLog Log => _log;

    public override bool LogIsOpen => _logIsOpen;

    public override void Start()
    {
        for (int other = 0; other < World.Plan.Nodes; other++)
        {
            if (other != Node.Number)
            {
                _heartbeats.Watch(World.Nodes[other].Id, Node.LocalTime);
            }
        }

        _log.Open();
        Node.OpenReplicas();
        ArmTimer();
    }

    public override void Open(int group, PlacedReplica placed)
    {
        var replica = new RegisterReplica(World, Node, group, placed, Node.NextBoot(), this);
        Node.Replicas[group] = replica;
        replica.Start();
    }

    /// <summary>The log drops it, its checkpoints stay; while the log is being read that is found out anyway.</summary>
    public override void Drop(SimulatedReplica replica)
    {
        replica.Close();
        if (LogIsOpen)
        {
            _log.Drop(NodeFiles.StreamOf(replica.Group, replica.Replica.Id));
        }
    }

    public override void Receive(int group, in RaftMessage message) =>
        ((RegisterReplica?)Node.Replicas[group])?.Receive(message);

    public override void Heard(in NodeHeartbeat beat)
    {
        _heartbeats.Heard(beat, Node.LocalTime, _news);
        Tell();
    }

    public override void Take(Attempt attempt)
    {
        if (Node.Replicas[attempt.Group] is RegisterReplica replica)
        {
            replica.Take(NextRequest(), attempt);
        }
        else
        {
            World.RefuseConnection(attempt);
        }
    }

    public override void Happen(in SimEvent happening)
    {
        if (happening.Kind == EventKind.NodeTimer)
        {
            Timer(happening.Number);
        }
        else
        {
            ((RegisterReplica?)ReplicaOf(happening))?.Happen(happening);
        }
    }

    public override void AfterInput()
    {
        foreach (SimulatedReplica? replica in Node.Replicas)
        {
            replica?.AfterInput();
        }
    }

    /// <summary>A replica here has read its disk and begins to listen.</summary>
    public void Announce() => _heartbeats.Announce();

    void INodeLogClient.LogOpened(IReadOnlyList<LogStream> streams)
    {
        _logIsOpen = true;
        NodeFiles.CheckLog(World, Node);
        foreach (LogStream stream in streams)
        {
            int group = (int)stream.Group.Value - 1;
            if (World.Placements[group].On(Node.Number)?.Id.Incarnation != stream.Incarnation)
            {
                _log.Drop(stream);
            }
        }
    }

    void INodeLogClient.CheckpointWanted(LogStream stream) =>
        Node.Replicas[(int)stream.Group.Value - 1]?.Replica.WantCheckpoint();

    void INodeLogClient.SpaceIsLow(bool isLow) => _spaceIsLow = isLow;

    void INodeLogClient.LogFailed(string sentence) => Node.Ending = sentence;

    private void Timer(ulong number)
    {
        if (number != _timerNumber)
        {
            return;
        }

        if (_spaceIsLow)
        {
            _log.LookForSpace();
        }

        _heartbeats.Tick(Node.LocalTime, _sendTo, _news);
        foreach (NodeId node in _sendTo)
        {
            World.Network.Send(World.Now, Node.Number, (int)node.Value - 1, _heartbeats.BeatFor(node));
        }

        _sendTo.Clear();
        Tell();
        ArmTimer();
    }

    private void Tell()
    {
        foreach (NodeNews news in _news)
        {
            if (World.Trace.Verbose)
            {
                World.Note(Node.Name, $"node {news.Node} {(news.Heard ? "is heard" : "fell silent")}");
            }

            foreach (SimulatedReplica? replica in Node.Replicas)
            {
                ((RegisterReplica?)replica)?.Hear(news);
            }
        }

        _news.Clear();
    }

    private void ArmTimer()
    {
        long at = Math.Max(World.Now + 1, Node.Clock.TrueTimeOf(_heartbeats.NextDeadline, World.Now));
        World.Queue.Add(
            at, new SimEvent
            {
                Kind = EventKind.NodeTimer, Target = Node.Number, Life = Node.Life, Number = ++_timerNumber,
            });
    }
}
