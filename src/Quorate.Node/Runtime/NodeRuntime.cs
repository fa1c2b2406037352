using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Storage.Log;

namespace Quorate.Node.Runtime;

/// <summary>
/// A node: many partitions over one disk, with one log whose syncs they share, one heartbeat per pair of nodes, and one
/// budget of memory. It is fed inputs and tells its host what follows; it has no thread, clock or socket of its own.
/// <para>Inputs besides its members are the completions of its disk, which go straight to whoever waits for
/// them.</para>
/// <para>Invariants: every request gets one answer; a partition to which nothing happens costs nothing: whatever is
/// done for many is done for those that asked for it.</para>
/// </summary>
public sealed class NodeRuntime : INodeLogClient
{
    /// <summary>The names of the log's files begin so.</summary>
    internal const string LogPrefix = "node-";

    private readonly NodePlace _place;
    private readonly NodeSettings _settings;
    private readonly INodeHost _host;
    private readonly NodeLog _log;
    private readonly NodeHeartbeats _heartbeats;
    private readonly NodeTime _clock;
    private readonly SortedDictionary<GroupId, PartitionShell> _partitions = [];
    private readonly SortedSet<NodeId> _silent = [];
    private readonly List<NodeId> _sendTo = [];
    private readonly List<NodeNews> _news = [];
    private readonly NodeSchedule _schedule;
    private readonly WorkRotation _work;
    private readonly NodeMemory _memory;
    private readonly List<PartitionShell> _dropsWaiting = [];
    private bool _logIsOpen;
    private bool _hasEnded;

    public NodeRuntime(NodePlace place, NodeSettings settings, INodeHost host)
    {
        _place = place;
        _settings = settings;
        _host = host;
        _log = new NodeLog(place.Disk, LogPrefix, settings.Log, this, place.Entropy, place.Keys);
        _heartbeats = new(place.Id, place.Boot, settings.Heartbeats, host.Now);
        _clock = new(place.Id, settings, host.Now);
        _schedule = new(host);
        _work = new(host, settings.WorkPartitionsMax);
        _memory = new(place.Memory, place.Cache, settings);
    }

    /// <summary>
    /// The log has no space for more than what lets it go on: writes are refused until it has.
    /// </summary>
    public bool SpaceIsLow { get; private set; }

    /// <summary>Nodes that are watched and not heard.</summary>
    public IReadOnlySet<NodeId> Silent => _silent;

    /// <summary>The partitions that are open, ascending.</summary>
    public IReadOnlyCollection<GroupId> Partitions => _partitions.Keys;

    public Partition? Find(GroupId group) => _partitions.GetValueOrDefault(group)?.Partition;

    /// <summary>
    /// Reads the log. What the node knows to be here is opened before, so that one pass over the log serves all.
    /// </summary>
    public void Start()
    {
        _log.Open();
        _schedule.SetNodeDeadline(_heartbeats.NextDeadline);
    }

    /// <summary>Starts to watch and to greet a node.</summary>
    public void Watch(NodeId node)
    {
        _heartbeats.Watch(node, _host.Now);
        _schedule.SetNodeDeadline(_heartbeats.NextDeadline);
    }

    public void Forget(NodeId node)
    {
        _heartbeats.Forget(node);
        _clock.Forget(node);
        _silent.Remove(node);
    }

    /// <summary>Opens a partition: reads its rows and its part of the log, and joins the group.</summary>
    public void Open(PartitionOpening opening)
    {
        Invariant.Check(!_partitions.ContainsKey(opening.Group), $"{opening.Group} is open once");
        var stream = new LogStream(opening.Group, opening.Id.Incarnation);
        var shell = new PartitionShell(this, opening.Group, stream, _host, _schedule, _work);
        ulong seed = _place.Boot ^ ((ulong)opening.Group.Value << 32);
        shell.Partition = new Partition(
            new PartitionPlace
            {
                Id = opening.Id,
                Bootstrap = opening.Bootstrap,
                Seed = SeededRandom.SplitMix64(ref seed),
                Log = client => _place.Log(opening, client, inner => _log.For(stream, inner)),
                Applies = _place.Applies is { } applies ? entry => applies(opening.Group, entry) : null,
                Rows = client => _place.Rows(opening.Group, opening.Id, client),
                Seal = opening.Seal,
                Published = _place.Published(opening.Group),
            },
            _settings.Raft,
            opening.Settings,
            shell);
        _partitions.Add(opening.Group, shell);
        foreach (NodeId node in _silent)
        {
            shell.Partition.Hear(new NodeNews(node, Heard: false));
        }

        shell.Partition.Start();
    }

    /// <summary>The process is to end well: nothing is written, memory is given back.</summary>
    public void Close()
    {
        foreach (PartitionShell shell in _partitions.Values)
        {
            shell.Leave();
            shell.Partition.Close();
        }

        _partitions.Clear();
        _hasEnded = true;
    }

    /// <summary>
    /// A partition is no longer here: its log and its rows go; then <see cref="INodeHost.PartitionDropped"/>.
    /// </summary>
    public void Drop(GroupId group)
    {
        if (_partitions.Remove(group, out PartitionShell? shell))
        {
            // The log's drop is durable before the first file of the rows goes: rows without a log are opened, a log
            // without rows can not be. Whoever asks has noted that the partition goes: a crash in between leaves rows.
            shell.Leave();
            shell.Partition.Leave();
            if (_logIsOpen)
            {
                GiveUp(shell);
            }
            else
            {
                _dropsWaiting.Add(shell);
            }
        }
    }

    /// <summary>Gives up what the log holds of a replica that this node no longer knows.</summary>
    public void DropLog(LogStream stream)
    {
        bool isOpen = _partitions.TryGetValue(stream.Group, out PartitionShell? shell) && shell.Stream == stream;
        Invariant.Check(!isOpen, $"the log of an open partition stays, {stream}");
        _log.Drop(stream);
    }

    public void Receive(GroupId group, in RaftMessage message)
    {
        if (!_hasEnded)
        {
            Find(group)?.Receive(message);
        }
    }

    public void Hear(in NodeHeartbeat heartbeat)
    {
        _heartbeats.Heard(heartbeat, _host.Now, _news);
        long wallClock = _host.WallClockMilliseconds;
        _clock.Heard(heartbeat, _host.Now, wallClock);
        _clock.Look(_heartbeats.Watched, _host.Now, wallClock, _partitions.Values);
        Tell();
        _schedule.SetNodeDeadline(_heartbeats.NextDeadline);
    }

    public void Submit(GroupId group, PartitionRequest request)
    {
        if (_hasEnded || Find(group) is not { } partition)
        {
            Refuse(group, request.Id);
            return;
        }

        LookForSpace();
        partition.Submit(request);
    }

    public void ChangeMembership(GroupId group, RequestId request, Membership target, Instant deadline)
    {
        if (Find(group) is not { } partition)
        {
            Refuse(group, request);
            return;
        }

        partition.ChangeMembership(request, target, deadline);
    }

    public void Transfer(GroupId group, RequestId request, ReplicaId target)
    {
        if (Find(group) is not { } partition)
        {
            Refuse(group, request);
            return;
        }

        partition.Transfer(request, target);
    }

    /// <summary>The deadline that was set has come. Harmless at any other time.</summary>
    public void Tick()
    {
        if (_hasEnded)
        {
            return;
        }

        LookForSpace();
        _memory.ShrinkCache();
        _memory.ReleaseEntries(_partitions.Values);
        Instant now = _host.Now;
        long wallClock = _host.WallClockMilliseconds;
        _clock.Look(_heartbeats.Watched, now, wallClock, _partitions.Values);
        _heartbeats.Tick(now, _sendTo, _news);
        foreach (NodeId node in _sendTo)
        {
            long time = _clock.IsKnown ? _clock.Time : 0;
            _host.SendHeartbeat(node, _heartbeats.BeatFor(node) with { WallClock = wallClock, Time = time });
        }

        _sendTo.Clear();
        Tell();
        while (_schedule.TryTakeDue(now, out PartitionShell? shell))
        {
            shell.Partition.Tick();
            GiveUpStraying(shell);
        }

        _schedule.SetNodeDeadline(_heartbeats.NextDeadline);
    }

    /// <summary>Does what waits in the partitions, each once.</summary>
    public void Turn()
    {
        for (int count = _schedule.BeginTurn(); count > 0 && !_hasEnded; count--)
        {
            PartitionShell shell = _schedule.TakeTurn();
            if (!shell.HasLeft)
            {
                shell.Partition.Turn();
                _work.Add(shell);
            }

            if (_schedule.NodeIsDue(_host.Now) && Guards.LongTurnsKeepTime)
            {
                // Heartbeats do not wait for the partitions that are left: those have their turn after them.
                _schedule.GoOnLater();
                return;
            }
        }
    }

    /// <summary>Each partition's rows may have something to do in the background, whatever happens to it.</summary>
    public void LookForWork()
    {
        foreach (PartitionShell shell in _partitions.Values)
        {
            _work.Add(shell);
        }
    }

    /// <summary>
    /// Does background work of some partitions, each about as much as the budget says, in bytes. True when there is
    /// more to do right now.
    /// </summary>
    public bool Work(int budgetBytes)
    {
        if (_hasEnded)
        {
            return false;
        }

        _memory.MakeRoom(_partitions.Values, _work);
        return _work.Run(budgetBytes);
    }

    void INodeLogClient.LogOpened(IReadOnlyList<LogStream> streams)
    {
        _logIsOpen = true;
        _host.LogOpened();
        List<LogStream> unknown = [];
        foreach (LogStream stream in streams)
        {
            bool isLeaving = _dropsWaiting.Exists(leaving => leaving.Stream == stream);
            bool isOpen = _partitions.TryGetValue(stream.Group, out PartitionShell? shell) && shell.Stream == stream;
            if (!isLeaving && !isOpen)
            {
                unknown.Add(stream);
            }
        }

        if (unknown.Count > 0)
        {
            _host.UnknownLogs(unknown);
        }

        foreach (PartitionShell shell in _dropsWaiting)
        {
            GiveUp(shell);
        }

        _dropsWaiting.Clear();
    }

    void INodeLogClient.CheckpointWanted(LogStream stream)
    {
        if (_partitions.TryGetValue(stream.Group, out PartitionShell? shell) && shell.Stream == stream)
        {
            shell.Partition.WantCheckpoint();
            _work.Add(shell);
        }
        else
        {
            _host.CheckpointWanted(stream);
        }
    }

    void INodeLogClient.SpaceIsLow(bool isLow) => SpaceIsLow = isLow;

    void INodeLogClient.LogFailed(string sentence) => End(sentence);

    internal NodeMemory Memory => _memory;

    /// <summary>The wall clock as far as it is believed, in milliseconds since 1970.</summary>
    internal long TimeMilliseconds => _clock.Read(_host.Now, _host.WallClockMilliseconds);

    /// <summary>What is logged may be given this node's time.</summary>
    internal bool ClockIsKnown => _clock.IsKnown || !Guards.UnknownClocksLogNothing;

    /// <summary>Whether a partition must refuse writes now, for the sake of the whole node.</summary>
    internal DropReason? WriteRefusal =>
        SpaceIsLow ? DropReason.SpaceIsLow
        : _memory.IsOverfull ? DropReason.MemoryIsFull
        : null;

    /// <summary>Sentences for an operator about the time; empty when all is well.</summary>
    public IEnumerable<string> ClockProblems() => _clock.Problems(TimeMilliseconds, _partitions.Values);

    /// <summary>
    /// The log of a group that is no partition and that the host keeps itself: to be asked for before
    /// <see cref="Start"/>.
    /// </summary>
    public IGroupLog LogFor(LogStream stream, IGroupLogClient client) => _log.For(stream, client);

    /// <summary>A replica has read its disk and begins to listen.</summary>
    public void Announce() => _heartbeats.Announce();

    internal void End(string sentence)
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            _host.End(sentence);
        }
    }

    private void GiveUp(PartitionShell shell) => _log.Drop(
        shell.Stream, () => shell.Partition.Destroy(() => _host.PartitionDropped(shell.Group)));

    private void Refuse(GroupId group, RequestId request) => _host.Reply(group, new PartitionReply(
        request, Outcome.Refused, DropReason.NotLeader, ReplicaId.None, default, default, default));

    /// <summary>While writes are refused nothing is logged, so the log would never learn that there is space.</summary>
    private void LookForSpace()
    {
        if (SpaceIsLow)
        {
            _log.LookForSpace();
        }
    }

    private void Tell()
    {
        foreach (NodeNews news in _news)
        {
            if (news.Heard)
            {
                _silent.Remove(news.Node);
            }
            else
            {
                _silent.Add(news.Node);
                _clock.Forget(news.Node);
            }

            _host.NodeHeard(news);
            foreach (PartitionShell shell in _partitions.Values)
            {
                shell.Partition.Hear(news);
            }
        }

        _news.Clear();
    }

    /// <summary>A leader whose clock is far from the others' would make rows expire too early or too late.</summary>
    private void GiveUpStraying(PartitionShell shell)
    {
        if (_clock.Strays && shell.Partition.IsLeader)
        {
            shell.Partition.HandOver(_silent);
        }
    }
}
