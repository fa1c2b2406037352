using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Node.Runtime;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Workload;
using Quorate.Storage.Blocks;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>
/// A process that is the real node: a <see cref="NodeRuntime"/> with all its partitions, one log, one memory and one
/// stream of heartbeats. This is the world around it: clocks, timer, network, clients, and the checks that watch.
/// </summary>
internal sealed class ValueProcess : NodeProcess, INodeHost, IDisposable
{
    /// <summary>Background work done at once when everything has healed, in bytes, at most.</summary>
    private const int WorkBytesMax = 4096;

    /// <summary>With less memory for each group than this, rows have to leave it.</summary>
    private const long ShortMemoryBytes = 1 << 20;

    /// <summary>Until background work goes on then, in microseconds, at most.</summary>
    private const long WorkPauseMax = 2000;

    private readonly ValuesPlan _plan;
    private readonly MemoryBudget _memory;
    private readonly MemoryWatch _watch;
    private readonly BlockCache _cache;
    private readonly ClockAlarm _alarm;
    private readonly FastReads _fastReads;
    private readonly List<ValueReplica> _replicas = [];
    private readonly List<ValueReplica> _leaving = [];
    private readonly List<LogStream> _unknown = [];
    private readonly Dictionary<RequestId, Attempt> _strays = [];
    private bool _turnWaits;
    private bool _workWaits;
    private bool _workIsSet;
    private bool _logIsOpen;

    public ValueProcess(Simulation world, SimulatedNode node)
        : base(world, node)
    {
        _plan = world.Plan.Values!;
        _memory = new MemoryBudget(_plan.MemoryBytes * world.Plan.Groups.Length);
        _watch = new MemoryWatch(_memory, world.Plan.Node, world.Judgements, node.Name);
        _cache = new BlockCache(_plan.CacheBytes, _memory);
        _fastReads = new(world, node);
        _alarm = new ClockAlarm(node.Clock, () => world.Now, (at, number) => world.Queue.Add(at, new SimEvent
        {
            Kind = EventKind.NodeTimer, Target = node.Number, Life = node.Life, Number = number,
        }));
        var place = new NodePlace
        {
            Id = node.Id,
            Boot = node.NextBoot() | 1,
            Disk = node.DiskOfProcess,
            Entropy = new SeededEntropy(new SeededRandom((ulong)node.Number + 1)),
            Memory = _memory,
            Keys = node.Encryption?.Keys,
            Cache = _cache,
            Rows = (group, id, client) => Here(group).WatchRows(client, inner => RowsOf(group, id, inner)),
            Log = (opening, client, log) => Here(opening.Group).WatchLog(client, log),
            Applies = (group, entry) => Here(group).Applies(entry),
        };
        Runtime = new NodeRuntime(place, world.Plan.Node, this);
    }

    public NodeRuntime Runtime { get; }

    public override bool LogIsOpen => _logIsOpen;

    public override int Leaving => _leaving.Count;

    Instant INodeHost.Now => Node.LocalTime;

    long INodeHost.WallClockMilliseconds => Node.WallMilliseconds;

    public override void Start()
    {
        for (int other = 0; other < World.Plan.Nodes; other++)
        {
            if (other != Node.Number)
            {
                Runtime.Watch(World.Nodes[other].Id);
            }
        }

        Node.OpenReplicas();
        Runtime.Start();
        AfterInput();
    }

    public override void Open(int group, PlacedReplica placed)
    {
        var replica = new ValueReplica(World, Node, group, placed, this);
        _replicas.Add(replica);
        Node.Replicas[group] = replica;
        Runtime.Open(new PartitionOpening
        {
            Group = NodeFiles.GroupOf(group),
            Id = placed.Id,
            Bootstrap = placed.Bootstrap,
            Settings = World.Plan.Partition,
            Seal = RunKeys.SealOf(Node, group),
        });
        AfterInput();
    }

    public override void Drop(SimulatedReplica replica)
    {
        ((ValueReplica)replica).NoteColdEnd();
        _leaving.Add((ValueReplica)replica);
        Runtime.Drop(NodeFiles.GroupOf(replica.Group));
        replica.Close();
        Node.Replicas[replica.Group] = null;
        AfterInput();
    }

    public override void Receive(int group, in RaftMessage message)
    {
        Runtime.Receive(NodeFiles.GroupOf(group), message);
        AfterInput();
    }

    public override void Heard(in NodeHeartbeat beat)
    {
        Runtime.Hear(beat);
        AfterInput();
    }

    public override void Take(Attempt attempt)
    {
        if (!_fastReads.Take(attempt))
        {
            Ask(attempt);
        }
    }

    private void Ask(Attempt attempt)
    {
        if (Node.Replicas[attempt.Group] is { } replica)
        {
            bool mustRefuse = attempt.IsWrite && _watch.MustRefuse;
            bool isBehind = attempt.IsWrite && ((ValueReplica)replica).Partition.Rows.IsBehind;
            replica.Take(NextRequest(), attempt);
            if (mustRefuse)
            {
                _watch.CheckRefused(attempt);
                World.Judgements.Note(Judgements.MemoryOverfull);
            }

            if (isBehind)
            {
                World.Judgements.Note(Judgements.MergesBehind);
            }

            if (isBehind && attempt.Answer is not { Outcome: Outcome.Refused })
            {
                RunClaims.Break(
                    RunClaims.MemoryBudget, $"{Node.Name} takes {attempt} while a checkpoint waits for merges");
            }

            return;
        }

        // Nobody is here to take it, and the node has to say so.
        RequestId request = NextRequest();
        _strays.Add(request, attempt);
        Runtime.Submit(
            NodeFiles.GroupOf(attempt.Group), ValueReplica.RequestOf(request, attempt, Instant.Never));
        AfterInput();
        if (_strays.Count > 0)
        {
            RunClaims.Break(
                RunClaims.SingleAnswer, $"{Node.Name} has no such partition and does not refuse {attempt}");
        }
    }

    public override void Happen(in SimEvent happening)
    {
        switch (happening.Kind)
        {
            case EventKind.NodeTimer when _alarm.Rings(happening.Number):
                Runtime.Tick();
                break;
            case EventKind.NodeTurn:
                Runtime.Turn();
                break;
            case EventKind.NodeWork:
                _workIsSet = false;
                Work();
                break;
            case EventKind.FastRead:
                if (_fastReads.GoOn(happening.Number) is { } attempt)
                {
                    Ask(attempt);
                }

                return;
            case EventKind.Notice:
                ReplicaOf(happening)?.Notice(happening.Number);
                return;
            default:
                return;
        }

        AfterInput();
    }

    public override void AfterInput()
    {
        bool mayWork = true;
        do
        {
            foreach (LogStream stream in _unknown)
            {
                Runtime.DropLog(stream);
            }

            _unknown.Clear();
            foreach (SimulatedReplica? replica in Node.Replicas)
            {
                ((ValueReplica?)replica)?.Look();
            }
        }
        while (DoWhatWaits(ref mayWork));

        foreach (SimulatedReplica? replica in Node.Replicas)
        {
            ((ValueReplica?)replica)?.CheckRows();
        }

        _watch.CheckWork(_cache.ExpectedBytes);
        if (_memory.Work.Waiting > 0)
        {
            World.Judgements.Note(Judgements.MemoryWaits);
        }
    }

    /// <summary>As the node's log asks a partition for space.</summary>
    public void AskForSpace(LogStream stream)
    {
        ((INodeLogClient)Runtime).CheckpointWanted(stream);
        AfterInput();
    }

    public override void Stop()
    {
        Runtime.Close();
        foreach (SimulatedReplica? replica in Node.Replicas)
        {
            replica?.Close();
        }
    }

    public override void Ended()
    {
        NoteEntriesAgain();
        foreach (ValueReplica replica in _replicas)
        {
            replica.Ended();
        }

        Dispose();
    }

    /// <summary>Whether the log has written entries again; what became of them the other claims judge.</summary>
    public void NoteEntriesAgain()
    {
        if (Runtime.LogEntriesWrittenAgain > 0)
        {
            World.Judgements.Note(Judgements.EntriesAgain);
        }
    }

    public void Dispose() => _fastReads.Dispose();

    /// <summary>What is wrong in the files of a partition's rows; none when all is as it must be.</summary>
    public IReadOnlyList<string> ProblemsOf(int group, ReplicaId id) => _plan.HasTwin
        ? []
        : StoreStrictCheck.Check(
            StoreOf(NodeFiles.GroupOf(group), id),
            Node.Disk.Names,
            file => Node.Disk.Content(file),
            Node.Encryption?.Keys);

    void INodeHost.Send(GroupId group, in RaftMessage message)
    {
        _fastReads.Interleave();
        World.Network.Send(World.Now, Node.Number, (int)message.To.Node - 1, IndexOf(group), message);
    }

    void INodeHost.SendHeartbeat(NodeId to, in NodeHeartbeat heartbeat) =>
        World.Network.Send(World.Now, Node.Number, (int)to.Value - 1, heartbeat);

    void INodeHost.Reply(GroupId group, in PartitionReply reply)
    {
        if (!_strays.Remove(reply.Request, out Attempt? stray))
        {
            Here(group).Replied(reply);
            _fastReads.Interleave();
        }
        else if (reply is { Outcome: Outcome.Refused, Reason: DropReason.NotLeader })
        {
            World.RefuseConnection(stray);
        }
        else
        {
            RunClaims.Break(
                RunClaims.SingleAnswer, $"{Node.Name} has no such partition and answers {reply.Outcome} to {stray}");
        }
    }

    void INodeHost.SetDeadline(Instant deadline) => _alarm.Set(deadline);

    void INodeHost.TurnWaits()
    {
        long delay = World.Yield(World.Plan.Workload.ApplyDelayMax);
        if (delay == 0)
        {
            _turnWaits = true;
        }
        else
        {
            HappensAfter(delay, EventKind.NodeTurn);
        }
    }

    void INodeHost.WorkWaits() => _workWaits = true;

    void INodeHost.RoleChanged(GroupId group, in RoleChanged change) => Here(group).RoleChanged(change);

    void INodeHost.Proposed(
        GroupId group, RequestId request, ReadToken place, bool isExecuted, ReadOnlyMemory<byte> reply) =>
        Here(group).Proposed(request, place, isExecuted, reply);

    void INodeHost.LogOpened()
    {
        _logIsOpen = true;
        NodeFiles.CheckLog(World, Node);
    }

    void INodeHost.UnknownLogs(IReadOnlyList<LogStream> streams)
    {
        foreach (LogStream stream in streams)
        {
            if (World.Placements[IndexOf(stream.Group)].On(Node.Number)?.Id.Incarnation == stream.Incarnation)
            {
                RunClaims.Break(RunClaims.LogRecovery, $"{Node.Name} does not know {stream}, which is placed there");
            }
        }

        _unknown.AddRange(streams);
    }

    void INodeHost.PartitionDropped(GroupId group)
    {
        ValueReplica gone = _leaving.Find(replica => replica.Group == IndexOf(group) && replica.IsDestroyed)!;
        _leaving.Remove(gone);
        string prefix = NodeFiles.Prefix(gone.Group, gone.Id);
        if (Node.Disk.Names.FirstOrDefault(name => name.StartsWith(prefix, StringComparison.Ordinal)) is { } left)
        {
            RunClaims.Break(RunClaims.StrictFiles, $"{Node.Name} has dropped replica {gone.Id}, and {left} is left");
        }
    }

    void INodeHost.Evicts(GroupId group, ReadToken place, int changes) => Here(group).Evicts(place, changes);

    void INodeHost.End(string sentence) => Node.Ending = sentence;

    private long WorkPause => World.Faults.IsOver ? WorkPauseMax : _plan.WorkPauseMax;

    private static int IndexOf(GroupId group) => (int)group.Value - 1;

    private ValueReplica Here(GroupId group) => (ValueReplica)Node.Replicas[IndexOf(group)]!;

    private IPartitionStore RowsOf(GroupId group, ReplicaId id, IPartitionStoreClient client) => _plan.HasTwin
        ? new MemoryStore(
            Node.Disk,
            NodeFiles.Prefix(IndexOf(group), id),
            client,
            new MemoryStoreSettings { RowsAreCold = _plan.RowsAreCold })
        : new PartitionStore(
            Node.DiskOfProcess, StoreOf(group, id), client, _cache, _memory, Node.Encryption, _fastReads.Readers);

    private PartitionStoreSettings StoreOf(GroupId group, ReplicaId id) => _plan.Store with
    {
        Prefix = NodeFiles.Prefix(IndexOf(group), id),
        Partition = group,
    };

    /// <summary>
    /// What the process does before it takes another input; false when there was nothing. Work is done once at most.
    /// </summary>
    private bool DoWhatWaits(ref bool mayWork)
    {
        if (_turnWaits)
        {
            _turnWaits = false;
            Runtime.Turn();
            return true;
        }

        if (!_workWaits || _workIsSet)
        {
            return false;
        }

        _workWaits = false;
        long pause = mayWork ? World.Yield(WorkPause) : 1;
        if (pause > 0)
        {
            WorkAfter(pause);
            return false;
        }

        mayWork = false;
        Work();
        return true;
    }

    private void Work()
    {
        if (Runtime.Work(1 + (int)World.Yield(World.Faults.IsOver ? WorkBytesMax : _plan.WorkBytesMax)))
        {
            WorkAfter(1 + World.Yield(WorkPause));
        }
        else
        {
            CheckMemory();
        }
    }

    /// <summary>When nothing under way needs memory, and nobody leaves, what is used is what is needed.</summary>
    private void CheckMemory()
    {
        long dirtyBytes = 0;

        // What is on its way from or to the disk belongs to work that goes on, and goes with it.
        bool isQuiet = _leaving.Count == 0 && Node.Disk.Pending.Count == 0;
        foreach (SimulatedReplica? replica in Node.Replicas)
        {
            if (replica is ValueReplica here)
            {
                dirtyBytes += here.Partition.Rows.DirtyBytes;
                isQuiet &= here.Replica.IsRunning && here.Partition.Waiting.Open == 0 && !here.Holds;
            }
        }

        if (isQuiet)
        {
            _watch.CheckQuiet(dirtyBytes);
            World.Judgements.Note(Judgements.MemoryQuiet);
            if (_plan.MemoryBytes < ShortMemoryBytes)
            {
                World.Judgements.Note(Judgements.MemoryShort);
            }
        }
    }

    private void WorkAfter(long pause)
    {
        if (!_workIsSet)
        {
            _workIsSet = true;
            HappensAfter(pause, EventKind.NodeWork);
        }
    }
}
