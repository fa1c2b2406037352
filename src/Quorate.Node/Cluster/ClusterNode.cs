using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Liveness;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Runtime;
using Quorate.Node.Wire;
using Quorate.Storage.Log;

namespace Quorate.Node.Cluster;

/// <summary>
/// A node of a cluster: its partitions, its copy of the metadata, and the way of each request to whoever may answer it.
/// It is fed inputs and tells its host what follows; it has no thread, clock or socket of its own.
/// <para>Inputs besides its members are the completions of its disk, which go straight to whoever waits for
/// them.</para>
/// <para>Invariants: every call is completed once; what the metadata says is acted on only once it is durable here
/// (<see cref="LocalMap"/>).</para>
/// </summary>
public sealed class ClusterNode : INodeHost, IMetadataOwner
{
    private readonly ClusterParts _parts;
    private readonly PartitionKeeper _keeper;
    private readonly LocalCalls _local;
    private readonly CallRouter _router;
    private readonly MetadataCalls _calls;
    private readonly Duties _duties;
    private readonly LeaderBalance _balance;
    private readonly PartitionMoves _moves;
    private readonly Heirs _heirs;
    private readonly Stopping _stopping;
    private readonly Joins _joins;
    private readonly PeerInbox _inbox;
    private readonly PeerWatch _watch;
    private Instant _runtimeDeadline = Instant.Never;
    private Instant _metadataDeadline = Instant.Never;
    private Instant _dutyAt = Instant.Never;
    private Instant _told = Instant.Never;
    private Instant _toldFull = Instant.Never;
    private bool _turnIsAsked;
    private bool _isStarted;
    private bool _metadataWasLed;

    /// <summary>Partitions of which a leader was known since this node started.</summary>
    private readonly HashSet<GroupId> _led = [];

    public ClusterNode(ClusterPlace place, ClusterSettings settings, IClusterHost host)
    {
        _parts = new(place, settings, host);
        _keeper = new(_parts, End);
        var nodePlace = new NodePlace
        {
            Id = _parts.Self, Boot = place.Boot,
            Disk = place.Disk,
            Entropy = place.Entropy,
            Memory = place.Memory,
            Cache = _keeper.Cache,
            Rows = _keeper.NewRows,
            Published = place.Published ?? (static _ => new PlainReadPublication()),
            Keys = _keeper.Keys,
        };
        _parts.Runtime = new(nodePlace, settings.Node, this);
        _parts.Metadata = new(_parts, this);
        _local = new(_parts);
        _router = new(_parts, _local);
        _local.Router = _router;
        _calls = new(_parts);
        _duties = new(_parts, _calls, End);
        _balance = new(_parts, _local);
        _moves = new(_parts, _local, _calls);
        _heirs = new(_parts, _local);
        _stopping = new(_parts, _heirs, _local);
        _joins = new(_parts, _calls);
        _inbox = new(_parts, _local, _router, _calls, Removed);
        _watch = new(_parts);
    }

    public NodeId Id => _parts.Self;

    /// <summary>The newest view; told by <see cref="IClusterHost.ViewChanged"/>, too.</summary>
    public ClusterView View => _parts.View;

    /// <summary>Nothing is left that a stop should wait for; see <see cref="BeginStop"/>.</summary>
    public bool IsReadyToStop => _stopping.IsReady;

    /// <summary>The partitions of this node; for looking.</summary>
    public NodeRuntime Runtime => _parts.Runtime;

    /// <summary>How many nodes vote in the metadata group, as far as this one knows.</summary>
    public int MetadataVoters => _parts.Metadata.Raft?.Membership.Voters.Length ?? 0;

    Instant INodeHost.Now => _parts.Now;

    /// <summary>Partitions to which a way is remembered.</summary>
    internal int Routes => _router.Routes;

    long INodeHost.WallClockMilliseconds => _parts.Host.WallClockMilliseconds;

    /// <summary>Reads the disk and joins the cluster.</summary>
    public void Start()
    {
        ClusterIdentity identity = _parts.Place.Identity;
        var first = new MetadataState();
        first.Nodes.AddRange(identity.Founders);
        SetView(first);
        _keeper.Start(Started);
    }

    /// <summary>
    /// A message of a node whose identity the host has verified. It is kept: nobody changes it any more.
    /// </summary>
    public void Receive(NodeId from, ReadOnlyMemory<byte> message)
    {
        if (_parts.HasEnded || !_isStarted || message.Length < 2)
        {
            return;
        }

        string? problem = _inbox.Take(from, message);
        if (problem is not null)
        {
            _parts.Say("wire", $"Node {from.Value} has sent what is no message, and it was dropped: {problem}.");
        }

        AfterInput();
    }

    /// <summary>
    /// The connection to a node broke: what was sent by it and not answered may be lost. For class Requests it decides
    /// over the outcome of what was handed on.
    /// </summary>
    /// <param name="nothingLeft">
    /// Nothing that was sent to that node by this class and is not answered has left this one: none of it is executed,
    /// now or later.
    /// </param>
    public void LinkLost(NodeId peer, PeerClass by, bool nothingLeft = false)
    {
        if (by == PeerClass.Requests && !_parts.HasEnded)
        {
            _router.LinkLost(peer, nothingLeft);
            _calls.LinkLost(peer, nothingLeft);
            AfterInput();
        }
    }

    /// <summary>The answer to a question of a node that does not belong to a cluster yet.</summary>
    public byte[] Answer(ReadOnlySpan<byte> question)
    {
        byte[] answer = _joins.Answer(question);
        AfterInput();
        return answer;
    }

    public void Submit(ClientCall call)
    {
        _router.Submit(call);
        AfterInput();
    }

    public void Submit(MetadataCall call)
    {
        _calls.Submit(call);
        AfterInput();
    }

    /// <summary>The deadline that was set has come. Harmless at any other time.</summary>
    public void Tick()
    {
        if (_parts.HasEnded || !_isStarted)
        {
            return;
        }

        Instant now = _parts.Now;
        _told = Instant.Never;
        if (_runtimeDeadline <= now)
        {
            _parts.Runtime.Tick();
        }

        _parts.Metadata.Tick(now);
        _router.Tick(now);
        _calls.Tick(now);
        if (_dutyAt <= now)
        {
            _dutyAt = now
                + (_stopping.HasBegun ? _parts.Settings.StopInterval : _parts.Settings.DutyInterval);
            Look();
        }

        AfterInput();
    }

    /// <summary>Does what waits.</summary>
    public void Turn()
    {
        _turnIsAsked = false;
        if (_parts.HasEnded || !_isStarted)
        {
            return;
        }

        _parts.Metadata.Turn();
        if (_parts.Metadata.HasChanged)
        {
            _parts.Metadata.HasChanged = false;
            if (_parts.Metadata.Metadata.State.Version > _parts.View.Version)
            {
                SetView(_parts.Metadata.Metadata.State.Clone());
                _calls.Saw();
                _duties.Look();
            }
        }

        _keeper.Match();
        _parts.Runtime.Turn();
        _moves.GoOn();
        AfterInput();
    }

    /// <summary>Background work, about as much as the budget says, in bytes. True when there is more.</summary>
    public bool Work(int budgetBytes) => !_parts.HasEnded && _isStarted && _parts.Runtime.Work(budgetBytes);

    /// <summary>
    /// Begins to stop well: hands leaderships over, then saves checkpoints; <see cref="IClusterHost.HandedOver"/> and
    /// <see cref="IClusterHost.StopReady"/> say when. It goes on serving until <see cref="Close"/>.
    /// </summary>
    public void BeginStop()
    {
        if (!_isStarted)
        {
            _parts.Host.HandedOver();
            _parts.Host.StopReady();
            return;
        }

        _stopping.Begin();
        _dutyAt = _parts.Now;
        AfterInput();
    }

    /// <summary>The process ends: what is open is answered, memory is given back.</summary>
    public void Close()
    {
        if (_parts.HasEnded)
        {
            return;
        }

        _parts.HasEnded = true;
        _router.Close();
        _calls.Close();
        _keeper.Close();
        _parts.Metadata.Close();
        _parts.Runtime.Close();
    }

    /// <summary>What this node knows, for operators.</summary>
    public ClusterReport Report() => Reporting.Make(_parts, _router, _balance);

    /// <summary>The same of one partition; null when there is none of this group.</summary>
    public PartitionReport? ReportOf(GroupId group) =>
        _parts.View.TryFind(group, out PartitionRecord? row) ? Reporting.Of(_parts, row, _balance) : null;

    void INodeHost.Send(GroupId group, in RaftMessage message)
    {
        RaftWire.Write(_parts.Writer, group, message);
        _parts.Send(message.To.NodeId, RaftWire.ClassOf(message.Kind));
    }

    void INodeHost.SendHeartbeat(NodeId to, in NodeHeartbeat heartbeat)
    {
        HeartbeatWire.Write(_parts.Writer, heartbeat with
        {
            IsStopping = IsToLeadNothing,
            PeerAddress = heartbeat.HearsYou ? null : _parts.Place.Self.PeerAddress,
        });
        _parts.Send(to, PeerClass.Urgent);
    }

    void INodeHost.Reply(GroupId group, in PartitionReply reply) => _local.Reply(reply);

    void INodeHost.SetDeadline(Instant deadline) => _runtimeDeadline = deadline;

    void IMetadataOwner.SetMetadataDeadline(Instant deadline) => _metadataDeadline = deadline;

    void INodeHost.TurnWaits() => AskForTurn();

    void IMetadataOwner.AskForTurn() => AskForTurn();

    void INodeHost.WorkWaits() => _parts.Host.WorkWaits();

    void INodeHost.RoleChanged(GroupId group, in RoleChanged change)
    {
        if (change.Role == Role.Leader)
        {
            string name = _parts.View.NameOf(group);
            bool wasLed = _led.Contains(group);
            SayElected($"partition {name}", _parts.Runtime.Find(group)?.Replica.Group, change.Term, wasLed);
        }

        _parts.Host.LeaderChanged(group, change.Leader.IsNone ? null : change.Leader.NodeId);
        if (!change.Leader.IsNone)
        {
            _led.Add(group);
            _router.LeaderKnown(group);
        }
    }

    void IMetadataOwner.MetadataRoleChanged(in RoleChanged change)
    {
        if (change.Role == Role.Leader)
        {
            SayElected("the metadata group", _parts.Metadata.Raft, change.Term, _metadataWasLed);
        }

        _metadataWasLed |= !change.Leader.IsNone;
    }

    void INodeHost.LogOpened() => _parts.Host.LogOpened();

    void INodeHost.UnknownLogs(IReadOnlyList<LogStream> streams)
    {
        _keeper.UnknownLogs(streams);
        AskForTurn();
    }

    void INodeHost.CheckpointWanted(LogStream stream)
    {
        if (stream == _parts.Metadata.Stream)
        {
            _parts.Metadata.WantCheckpoint();
        }
    }

    void INodeHost.NodeHeard(in NodeNews news)
    {
        bool wasHeard = _parts.IsHeard(news.Node);
        _parts.Heard(news.Node, news.Heard);
        _parts.Metadata.Hear(news);
        if (!news.Heard)
        {
            _router.FellSilent(news.Node);
        }

        if (news.Heard != wasHeard)
        {
            _parts.Say(
                news.Heard ? "heard" : "silent", $"Node {news.Node.Value} is {(news.Heard ? "heard" : "silent")}.");
        }
    }

    void INodeHost.SnapshotRefused(GroupId group, string problem) =>
        _parts.Say("snapshot", Reporting.SnapshotSentence(_parts.View.NameOf(group), problem));

    void INodeHost.PartitionDropped(GroupId group)
    {
        _led.Remove(group);
        _parts.Host.LeaderChanged(group, null);
        _parts.Say("partition", $"Nothing of partition {_parts.View.NameOf(group)} is left on node {Id.Value}.");
    }

    void INodeHost.End(string sentence) => End(sentence);

    void IMetadataOwner.End(string sentence) => End(sentence);

    /// <summary>The file of the map is read and what it names is open: the log may be.</summary>
    private void Started(MetadataState state)
    {
        if (state.Version > 0)
        {
            SetView(state);
        }

        _isStarted = true;
        _parts.Metadata.Start();
        _parts.Runtime.Start();
        _dutyAt = _parts.Now;

        // One that was asked for earlier came to nothing.
        AskForTurn();
        AfterInput();
    }

    /// <summary>What is to be done from time to time, whether or not anything has happened.</summary>
    private void Look()
    {
        _keeper.Match();
        _duties.Look();
        _moves.Look();
        if (_stopping.HasBegun)
        {
            TellStop();
        }
        else if (!IsToLeadNothing)
        {
            _toldFull = Instant.Never;
            _balance.Look();
        }
        else if (Guards.FullNodesLeadNothing)
        {
            // The others have told by then whether they are full, too: nothing is handed round among such.
            if (_toldFull == Instant.Never)
            {
                _toldFull = _parts.Now + (_parts.Settings.Node.Heartbeats.Interval * 2);
                _parts.Say("space", "The disk is full: this node takes no writes until some is freed, and hands its "
                    + "leaderships to nodes whose disks are not.");
            }

            _ = _toldFull <= _parts.Now ? _heirs.HandOverAll() : 0;
        }
    }

    /// <summary>It stops, or takes no writes since its disk is full: others are to lead.</summary>
    private bool IsToLeadNothing => _stopping.HasBegun || _parts.Runtime.SpaceIsLow;

    private void TellStop()
    {
        if (!_stopping.Look())
        {
            return;
        }

        if (_stopping.IsReady)
        {
            _parts.Host.StopReady();
        }
        else
        {
            _parts.Host.HandedOver();
        }
    }

    private void SetView(MetadataState state)
    {
        MetadataState before = _parts.View.State;
        _watch.Show(state);
        _parts.Host.ViewChanged(_parts.View);
        foreach ((string kind, string sentence) in MetadataNews.Between(before, state))
        {
            _parts.Say(kind, sentence);
        }

        if (state.Nodes.Any(node => node.Id == Id.Value && node.State == NodeState.Removed))
        {
            Removed();
        }
    }

    private void AskForTurn()
    {
        if (!_turnIsAsked)
        {
            _turnIsAsked = true;
            _parts.Host.TurnWaits();
        }
    }

    private void AfterInput()
    {
        if (_parts.HasEnded)
        {
            return;
        }

        Instant next = Instant.Min(Instant.Min(_runtimeDeadline, _metadataDeadline), _dutyAt);
        next = Instant.Min(next, Instant.Min(_router.NextDeadline, _calls.NextDeadline));
        if (next != _told && _isStarted)
        {
            _told = next;
            _parts.Host.SetDeadline(next);
        }
    }

    /// <param name="wasLed">A leader of it was known since this node started; else nobody has fallen silent.</param>
    private void SayElected(string what, RaftGroup? group, Term term, bool wasLed)
    {
        (string cause, string text) = group is { CampaignWasAsked: true }
            ? ("transfer", "handed over")
            : term.Value <= 1 ? ("first", "its first leader")
            : !wasLed ? ("start", "nobody has led it since this node started")
            : ("silence", "the former leader fell silent");
        _parts.Host.Happened(new("election", $"Node {Id.Value} leads {what} in term {term} ({text}).", cause));
    }

    private void Removed() => End(
        $"Node {Id.Value} was removed from the cluster. Start it with an empty data folder to join anew.");

    private void End(string sentence)
    {
        if (!_parts.HasEnded)
        {
            _parts.HasEnded = true;
            _router.Close();
            _calls.Close();
            _parts.Host.End(sentence);
        }
    }
}
