using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata.Wire;
using Quorate.Server.Disk;
using Quorate.Server.Peers;
using Quorate.Server.Resp.ClusterMode;
using Quorate.Storage;

namespace Quorate.Server.Runtime;

/// <summary>
/// The world around one node: it is first a <see cref="Formation"/>, then a <see cref="ClusterNode"/>, both driven by
/// one loop over one disk, with the peers' links.
/// </summary>
public sealed class NodeHost : IDrivenNode, IClusterHost, IFormationHost, IPeerHost
{
    /// <summary>How old the count of what other threads hold may be, in milliseconds.</summary>
    private const int CountMilliseconds = 10;

    private readonly NodeHostPlace _place;
    private readonly NodeLoop _loop;
    private Formation _formation;
    private volatile string? _joins;
    private readonly TaskCompletionSource _handedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LostLinks _lostLinks = new();
    private PeerNetwork? _peers;
    private ClusterIdentity? _formed;
    private ClusterNode? _node;
    private bool _isStopping;
    private long _countedAt;
    private Instant _due = Instant.Never;

    public NodeHost(NodeHostPlace place)
    {
        _place = place;
        _loop = place.Loop;
        _formation = new(place.Formation, new(), this);
        Boot = unchecked((ulong)Random.Shared.NextInt64()) | 1;
    }

    /// <summary>Drawn at this start of the process; never zero.</summary>
    public ulong Boot { get; }

    /// <summary>Who leads the partitions here; any thread may look.</summary>
    public LeaderBoard Leaders { get; } = new();

    public Instant Now => MonotonicClock.Now;

    public long WallClockMilliseconds => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Ends when the node, asked to stop, leads nothing any more that another could lead.</summary>
    public Task HandedOver => _handedOver.Task;

    /// <summary>Ends when the node, asked to stop, waits for nothing more.</summary>
    public Task StopReadily => _stopReady.Task;

    /// <summary>Whether this node itself stood still.</summary>
    public StallWatch Stalls { get; } = new(StallWatch.OfProcess);

    /// <summary>The node belongs to a cluster and has been started.</summary>
    public bool IsNode => Volatile.Read(ref _node) is not null;

    /// <summary>The node belongs to no cluster, and has not been told which to join.</summary>
    public bool IsUnjoined => _place.WaitsForJoin && _joins is null;

    /// <summary>
    /// Begins to join the cluster of the node with this peer address, once. Null, or why not.
    /// </summary>
    public string? TryJoin(string address)
    {
        string? before = _place.WaitsForJoin ? Interlocked.CompareExchange(ref _joins, address, null) : address;
        if (before is not null)
        {
            // Whether it is the same cluster is seen when it is known.
            return before == address || IsNode
                ? null
                : $"this node is joining the cluster at {before}; to join another, start it anew";
        }

        bool isBegun = _loop.TryPost(() =>
        {
            _formation = new(_place.Formation with { Seeds = [address] }, new(), this);
            _formation.Start();
        });
        if (isBegun)
        {
            return null;
        }

        _joins = null;
        return "too much waits for this node: try again in a moment";
    }

    /// <summary>No node of the cluster that this one belongs to has, or had, this peer address.</summary>
    public bool IsForeign(ClusterReport report, string address) =>
        _joins != address && !report.Nodes.Any(node => node.PeerAddress == address);

    /// <summary>Begins: the loop must have been started with this host, the peers' port be open.</summary>
    public void Start(PeerNetwork peers)
    {
        _peers = peers;
        if (_place.WaitsForJoin)
        {
            _place.Events.Add(new("forming", "This node belongs to no cluster: `JOIN host:port` in `quorate shell`, or "
                + "at its Redis port with a peer address, says which one it is to follow."));
            return;
        }

        if (!_loop.TryPost(_formation.Start))
        {
            _loop.End(ExitCode.Internal, "The node's loop takes nothing, at its very start: please report it.");
        }
    }

    /// <summary>Begins to stop well; <see cref="StopReadily"/> tells the end.</summary>
    public void BeginStop() => _loop.PostSignal(() =>
    {
        _isStopping = true;
        if (_node is { } node)
        {
            node.BeginStop();
        }
        else
        {
            _handedOver.TrySetResult();
            _stopReady.TrySetResult();
        }
    });

    /// <summary>Closes the node; ends when that is done.</summary>
    public async Task Close()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isPosted = _loop.TryPost(() =>
        {
            _node?.Close();
            closed.SetResult();
        });
        if (isPosted)
        {
            await closed.Task.ConfigureAwait(false);
        }
    }

    void IDrivenNode.Submit(ClientCall call)
    {
        if (_node is { } node)
        {
            node.Submit(call);
        }
        else
        {
            call.Complete(new(
                Core.Raft.Outcome.Refused, Core.Raft.DropReason.NotLeader, default, default, default, default));
        }
    }

    void IDrivenNode.Submit(MetadataCall call)
    {
        if (_node is { } node)
        {
            node.Submit(call);
        }
        else
        {
            call.Complete(Core.Raft.Outcome.Refused, null, null);
        }
    }

    void IDrivenNode.Receive(NodeId from, PeerClass by, ReadOnlyMemory<byte> message) =>
        _node?.Receive(from, message);

    void IDrivenNode.Look(Action<ClusterNode> action)
    {
        if (_node is { } node)
        {
            action(node);
        }
    }

    void IDrivenNode.DrainDisk()
    {
        _place.Disk.Drain();
        StartWhenFormed();
    }

    void IDrivenNode.Tick()
    {
        if (Stalls.Look(_due, Now) is { } stall)
        {
            _place.Events.Add(new("stall", stall));
        }

        if (_node is { } node)
        {
            node.Tick();
        }
        else
        {
            _formation.Tick();
            StartWhenFormed();
        }
    }

    void IDrivenNode.Turn()
    {
        StartWhenFormed();
        _node?.Turn();
    }

    bool IDrivenNode.Work(int budgetBytes) => _node?.Work(budgetBytes) ?? false;

    void IDrivenNode.FlushPeers()
    {
        _peers?.Flush();
        long now = Environment.TickCount64;
        if (now - _countedAt >= CountMilliseconds)
        {
            _countedAt = now;
            _place.Count?.Invoke();
        }
    }

    bool IClusterHost.Send(NodeId to, PeerClass by, ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail) =>
        _peers!.Send(to, by, message, tail);

    void IClusterHost.SetDeadline(Instant deadline) => SetDeadline(deadline);

    void IFormationHost.SetDeadline(Instant deadline) => SetDeadline(deadline);

    void IClusterHost.TurnWaits() => _loop.TurnWaits();

    void IClusterHost.WorkWaits() => _loop.WorkWaits();

    void IClusterHost.ViewChanged(ClusterView view)
    {
        SetAddresses(view.State.Nodes);
        _loop.SetView(view);
    }

    /// <summary>What may need the last of the space is done; the map that a node starts with is older.</summary>
    void IClusterHost.LogOpened() => _place.Disk.IsReserveOpen = false;

    void IClusterHost.AddressLearnt(NodeId node, string peerAddress) => _peers!.SetAddress(node, peerAddress);

    void IClusterHost.LeaderChanged(GroupId group, NodeId? leader) => Leaders.Set(group, leader);

    void IClusterHost.PeerHeard(NodeId node, bool isHeard) => Leaders.SetHeard(node, isHeard);

    void IClusterHost.PartitionsChanged() => _place.Reads.Show(_node!.Runtime);

    void IClusterHost.Happened(in NodeEvent happened) => _place.Events.Add(happened);

    void IClusterHost.HandedOver()
    {
        // Nobody is served by this node alone any more: what is left of its stop is background work.
        _loop.HurryWork();
        _handedOver.TrySetResult();
    }

    void IClusterHost.StopReady() => _stopReady.TrySetResult();

    void IPeerHost.Happened(in NodeEvent happened) => _place.Events.Add(happened);

    void IFormationHost.Waits(string sentence) => _place.Events.Add(new("forming", sentence));

    void IFormationHost.Ask(string address, ReadOnlyMemory<byte> question)
    {
        byte[] words = question.ToArray();
        _ = Task.Run(async () =>
        {
            if (await _peers!.Ask(address, words).ConfigureAwait(false) is { } answer)
            {
                _loop.TryPost(() =>
                {
                    _formation.Answered(address, answer);
                    StartWhenFormed();
                });
            }
        });
    }

    void IFormationHost.Formed(ClusterIdentity identity)
    {
        Invariant.Check(_formed is null, "a formation ends once");
        _formed = identity;

        // Not from inside the formation.
        _loop.TurnWaits();
    }

    /// <summary>
    /// A node ends by itself when the disk refuses something, of which the disk knows, or when what it has read cannot
    /// be used; a broken invariant is an exception, and the loop's. The files that the sentence names are in the folder
    /// before it.
    /// </summary>
    public void End(string sentence) => _loop.End(
        _place.Disk.IsToBlame ? ExitCode.InputOutput : ExitCode.Data, $"{_place.Folder.Files}: {sentence}");

    void IFormationHost.Refused(string sentence) => _loop.End(ExitCode.Usage, sentence);

    void IPeerHost.Receive(ReadOnlySpan<NodeInput> messages) => _loop.Receive(messages);

    Task<byte[]?> IPeerHost.Answer(byte[] question)
    {
        var answered = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isPosted = _loop.TryPost(() =>
        {
            byte[] answer = _node is { } node ? node.Answer(question) : _formation.Answer(question);
            StartWhenFormed();
            answered.SetResult(answer);
        });
        return isPosted ? answered.Task : Task.FromResult<byte[]?>(null);
    }

    void IPeerHost.LinkLost(NodeId peer, PeerLane lane, LinkLoss loss)
    {
        if (_lostLinks.Add(peer, lane, loss))
        {
            _loop.PostSignal(() => LinkLost(peer, lane));
        }
    }

    private void LinkLost(NodeId peer, PeerLane lane)
    {
        (bool isOwn, bool nothingLeft) = _lostLinks.Take(peer, lane);
        for (PeerClass by = PeerClass.Urgent; by <= PeerClass.Bulk; by++)
        {
            if (PeerLanes.Of(by) == lane)
            {
                _node?.LinkLost(peer, by, nothingLeft);
            }
        }

        if (isOwn)
        {
            _peers?.LossHeard(peer, lane);
        }
    }

    private void SetDeadline(Instant deadline)
    {
        _due = deadline;
        _loop.SetDeadline(deadline);
    }

    private void StartWhenFormed()
    {
        if (_formed is not { } identity || _node is not null || _isStopping)
        {
            return;
        }

        NodeIdentity known = _place.Folder.Identity!;
        var given = new NodeIdentity(identity.Cluster, identity.Node, identity.Incarnation);
        if (known.IsFormed && known != given)
        {
            string sentence = $"The data folder {_place.Folder.Root} says that it is of node {known.Node.Value} of "
                + $"cluster {known.Cluster:N}, its files that it is of node {identity.Node.Value} of cluster "
                + $"{identity.Cluster:N}: put its own files back. {FolderAdvice.Sentence}";
            _loop.End(ExitCode.Data, sentence);
            return;
        }

        if (!known.IsFormed && !_place.Folder.TryName(given, out string problem))
        {
            // It names the file whole.
            _loop.End(ExitCode.InputOutput, problem);
            return;
        }

        _peers!.Identity = new PeerIdentity(identity.Cluster, identity.Node, identity.Incarnation, Boot);
        Volatile.Write(ref _node, _place.Create(identity, Boot, this));
        SetAddresses(identity.Founders);
        _place.Events.Add(new("formed", $"This is {identity.Node} of cluster {identity.Cluster:N}."));
        _node.Start();
    }

    private void SetAddresses(IEnumerable<NodeRecord> nodes)
    {
        foreach (NodeRecord record in nodes)
        {
            var node = new NodeId(record.Id);
            if (node == _peers!.Identity?.Node)
            {
                continue;
            }

            if (record.State == NodeState.Removed)
            {
                _peers.Forget(node);
            }
            else
            {
                _peers.SetAddress(node, record.PeerAddress);
            }
        }
    }
}
