using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Replicas;
using Quorate.Node.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Cluster;

/// <summary>
/// Brings what is asked of the metadata group to its leader, here or at another node.
/// <para>Invariants: each call is completed once; one that is done is told only when this node's view shows it, a
/// barrier when the view shows all that was decided before it was submitted; one barrier at a time is under way, for
/// all that came before it left.</para>
/// </summary>
internal sealed class MetadataCalls(ClusterParts parts)
{
    private const string NoMasterKey =
        "An encrypted keyspace needs the cluster's master key: start the nodes with --master-key-file.";

    private readonly SortedDictionary<ulong, Pending> _pending = [];
    private readonly List<(ulong Version, Pending Call, MetadataResult Result)> _unseen = [];
    private readonly List<MetadataCall> _barriers = [];
    private bool _isBarrierOut;
    private Instant _sweepAt = Instant.Never;

    /// <summary>When <see cref="Tick"/> is next due.</summary>
    public Instant NextDeadline => _sweepAt;

    public void Submit(MetadataCall call)
    {
        if (call.Command.ActionCase == MetadataCommand.ActionOneofCase.Barrier)
        {
            SubmitBarrier(call);
            return;
        }

        string? warning = null;
        MetadataCommand command = call.Command;
        string? refusal = command.ActionCase switch
        {
            MetadataCommand.ActionOneofCase.CreateKeyspace => Plan(call, out command, out warning),
            MetadataCommand.ActionOneofCase.AddDataKey => PlanKey(call, out command),
            _ => null,
        };
        if (refusal is not null)
        {
            call.Complete(Outcome.Done, new MetadataResult { Refusal = refusal }, null);
            return;
        }

        Submit(command, call.Deadline, (outcome, result) => call.Complete(outcome, result, warning));
    }

    /// <summary>Hands a command over; told once what came of it.</summary>
    public void Submit(MetadataCommand command, Instant deadline, Action<Outcome, MetadataResult?> told)
    {
        if (parts.HasEnded || Held >= parts.Settings.Routing.MetadataCallsMax)
        {
            told(Outcome.Refused, null);
            return;
        }

        var pending = new Pending(parts.NextId(), command, deadline, told);
        _pending.Add(pending.Id, pending);
        _sweepAt = Instant.Min(_sweepAt, parts.Now + parts.Settings.Routing.SweepInterval);
        Try(pending);
    }

    /// <summary>Another node hands a command on.</summary>
    public void Receive(NodeId from, MetadataCallMessage message)
    {
        if (!parts.Metadata.MayPropose)
        {
            Answer(from, message, Outcome.Refused, true, null);
            return;
        }

        if (KeyProblem(message.Command) is { } problem)
        {
            Answer(from, message, Outcome.Done, false, new MetadataResult { Refusal = problem });
            return;
        }

        Propose(message.Command, parts.Now + message.Left, reply => Answer(
            from, message, reply.Outcome, IsOfPlace(reply), ResultOf(reply)));
    }

    public void Answered(NodeId from, in MetadataAnswerMessage answer)
    {
        if (answer.Boot == parts.Place.Boot
            && _pending.TryGetValue(answer.Id, out Pending? pending)
            && pending.Target == from)
        {
            Came(pending, answer.Outcome, answer.IsOfPlace, answer.Result);
        }
    }

    /// <summary>What a peer had may be lost; commands are not asked twice, unless they have never left.</summary>
    public void LinkLost(NodeId peer, bool nothingLeft)
    {
        foreach (Pending pending in _pending.Values.Where(call => call.Target == peer).ToArray())
        {
            if (nothingLeft)
            {
                pending.IsOut = false;
                pending.Target = default;
            }
            else
            {
                Complete(pending, Outcome.Unknown, null);
            }
        }
    }

    public void Tick(Instant now)
    {
        if (_sweepAt > now)
        {
            return;
        }

        foreach (Pending pending in _pending.Values.ToArray())
        {
            if (pending.Deadline + parts.Settings.Routing.AnswerGrace <= now)
            {
                Complete(pending, pending.IsOut ? Outcome.Unknown : Outcome.Refused, null);
            }
            else if (!pending.IsOut)
            {
                Try(pending);
            }
        }

        Saw();
        _sweepAt = _pending.Count + _unseen.Count > 0 ? now + parts.Settings.Routing.SweepInterval : Instant.Never;
    }

    /// <summary>The view is another one.</summary>
    public void Saw()
    {
        for (int i = 0; i < _unseen.Count; i++)
        {
            (ulong version, Pending call, MetadataResult result) = _unseen[i];
            if (version <= parts.View.Version || call.Deadline <= parts.Now)
            {
                _unseen.RemoveAt(i--);
                call.Told(Outcome.Done, result);
            }
        }
    }

    public void Close()
    {
        foreach (Pending pending in _pending.Values.ToArray())
        {
            Complete(pending, pending.IsOut ? Outcome.Unknown : Outcome.Refused, null);
        }

        (ulong, Pending Call, MetadataResult Result)[] unseen = [.. _unseen];
        _unseen.Clear();
        foreach ((_, Pending call, MetadataResult result) in unseen)
        {
            call.Told(Outcome.Done, result);
        }
    }

    /// <summary>Calls that have not been told.</summary>
    private int Held => _pending.Count + _unseen.Count + _barriers.Count;

    private void SubmitBarrier(MetadataCall call)
    {
        if (parts.HasEnded || Held >= parts.Settings.Routing.MetadataCallsMax)
        {
            call.Complete(Outcome.Refused, null, null);
            return;
        }

        _barriers.Add(call);
        SendBarrier();
    }

    /// <summary>Those that come while one is out wait for the next: it may be older than they are.</summary>
    private void SendBarrier()
    {
        if (_isBarrierOut || _barriers.Count == 0)
        {
            return;
        }

        MetadataCall[] calls = [.. _barriers];
        _barriers.Clear();
        _isBarrierOut = true;
        Submit(calls[0].Command, calls.Max(call => call.Deadline), (outcome, result) =>
        {
            _isBarrierOut = false;

            // It may have been told at its deadline instead.
            bool isSeen = outcome == Outcome.Done && result!.Version <= parts.View.Version;
            outcome = isSeen || outcome != Outcome.Done ? outcome : Outcome.Refused;
            foreach (MetadataCall call in calls)
            {
                call.Complete(outcome, result, null);
            }

            SendBarrier();
        });
    }

    /// <summary>Why a keyspace can not be planned, or null.</summary>
    private string? Plan(MetadataCall call, out MetadataCommand command, out string? warning)
    {
        command = call.Command.Clone();
        warning = null;
        KeyspaceRecord keyspace = command.CreateKeyspace.Keyspace;
        ByteString wrapped = ByteString.Empty;
        if (parts.Settings.Metadata.PartitionsProblem(call.Partitions) is { } problem)
        {
            // A plan of another number has no partitions, and what refuses that would not know how many were wanted.
            return problem;
        }

        if (keyspace.Eviction == Eviction.AllLfu)
        {
            return "Keys can not be evicted by how often they are used yet: choose one of the other policies.";
        }

        if (keyspace.Encrypted)
        {
            if (NewKey() is not { } made)
            {
                return NoMasterKey;
            }

            wrapped = made;
        }

        var metadata = new ClusterMetadata(parts.Settings.Metadata);
        bool isLoaded = metadata.TryLoad(parts.Metadata.Metadata.Encode());
        Invariant.Check(isLoaded, "this node's own copy of the metadata can be read");
        var planner = new MetadataPlanner(metadata, parts.Settings.Placement);
        (CreateKeyspace planned, warning) = planner.Plan(keyspace, call.Partitions, wrapped.Span);
        command.CreateKeyspace = planned;
        return null;
    }

    /// <summary>Why a keyspace can not be given a new data key here, or null; the rest is the metadata's.</summary>
    private string? PlanKey(MetadataCall call, out MetadataCommand command)
    {
        command = call.Command.Clone();
        if (NewKey() is not { } wrapped)
        {
            return NoMasterKey;
        }

        command.AddDataKey.Wrapped = wrapped;
        return null;
    }

    private ByteString? NewKey() => parts.Place.MasterKey is { } master
        ? UnsafeByteOperations.UnsafeWrap(WrappedKey.New(master, parts.Place.Entropy))
        : null;

    /// <summary>Why the data key that a command brings must not come into the metadata, or null.</summary>
    private string? KeyProblem(MetadataCommand command) => command.ActionCase switch
    {
        MetadataCommand.ActionOneofCase.CreateKeyspace when command.CreateKeyspace.Keyspace is { Encrypted: true } =>
            DataKeys.ProposalProblem(command.CreateKeyspace.WrappedKey, parts.Place.MasterKey),
        MetadataCommand.ActionOneofCase.AddDataKey =>
            DataKeys.ProposalProblem(command.AddDataKey.Wrapped, parts.Place.MasterKey),
        _ => null,
    };

    private void Try(Pending pending)
    {
        if (parts.Metadata.MayPropose)
        {
            if (KeyProblem(pending.Command) is { } problem)
            {
                Complete(pending, Outcome.Done, new MetadataResult { Refusal = problem });
                return;
            }

            pending.IsOut = true;
            pending.Target = parts.Self;
            Propose(pending.Command, pending.Deadline, reply =>
                Came(pending, reply.Outcome, IsOfPlace(reply), ResultOf(reply)));
        }
        else if (ClusterParts.TryLeader(parts.Metadata.Raft, out NodeId leader)
            && leader != parts.Self && parts.IsHeard(leader))
        {
            var left = new Duration(Math.Max(0, (pending.Deadline - parts.Now).Microseconds));
            MetadataWire.Write(
                parts.Writer, new MetadataCallMessage(parts.Place.Boot, pending.Id, left, pending.Command));
            pending.IsOut = parts.Send(leader, PeerClass.Requests);
            pending.Target = leader;
        }
    }

    private void Propose(MetadataCommand command, Instant deadline, Action<ReplicaReply> told)
    {
        MetadataCommand timed = command.Clone();
        timed.Time = (ulong)Math.Max(0, parts.Host.WallClockMilliseconds);
        parts.Metadata.Propose(timed.ToByteArray(), deadline, told);
    }

    private void Came(Pending pending, Outcome outcome, bool isOfPlace, MetadataResult? result)
    {
        if (!_pending.ContainsKey(pending.Id))
        {
            return;
        }

        if (isOfPlace)
        {
            pending.IsOut = false;
            pending.Target = default;
        }
        else if (outcome == Outcome.Done && result is { Refusal.Length: 0 } && result.Version > parts.View.Version)
        {
            _pending.Remove(pending.Id);
            _unseen.Add((result.Version, pending, result));
        }
        else
        {
            Complete(pending, outcome, result);
        }
    }

    private void Complete(Pending pending, Outcome outcome, MetadataResult? result)
    {
        if (_pending.Remove(pending.Id))
        {
            pending.Told(outcome, result);
        }
    }

    private void Answer(
        NodeId to, MetadataCallMessage message, Outcome outcome, bool isOfPlace, MetadataResult? result)
    {
        NodeId hint = ClusterParts.TryLeader(parts.Metadata.Raft, out NodeId leader) ? leader : default;
        var answer = new MetadataAnswerMessage(message.Boot, message.Id, outcome, isOfPlace, hint, result);
        MetadataWire.Write(parts.Writer, answer);
        parts.Send(to, PeerClass.Requests);
    }

    private static bool IsOfPlace(in ReplicaReply reply) => reply.Outcome == Outcome.Refused
        && reply.Reason is DropReason.NotLeader or DropReason.Transferring or DropReason.Overwritten;

    private static MetadataResult? ResultOf(in ReplicaReply reply) =>
        reply.Outcome == Outcome.Done ? MetadataResult.Parser.ParseFrom(reply.Result.Span) : null;

    private sealed class Pending(
        ulong id, MetadataCommand command, Instant deadline, Action<Outcome, MetadataResult?> told)
    {
        public ulong Id => id;

        public MetadataCommand Command => command;

        public Instant Deadline => deadline;

        public Action<Outcome, MetadataResult?> Told => told;

        public bool IsOut { get; set; }

        public NodeId Target { get; set; }
    }
}
