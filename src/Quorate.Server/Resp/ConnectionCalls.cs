using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp;

/// <summary>
/// The calls of one connection to partitions: in which order they are handed over, and what came of them.
/// </summary>
internal sealed class ConnectionCalls
{
    private readonly RespConnection _connection;
    private readonly Action<RespCall> _enqueue;
    private readonly List<PartitionTrack> _toLook = [];
    private Dictionary<GroupId, PartitionTrack>? _tracks;
    private PartitionTrack? _lastTrack;
    private ClientCall[] _batch = [];
    private int _batchCount;
    private Instant? _now;
    private long _wallClock;
    private long _readsHere;

    public ConnectionCalls(RespConnection connection)
    {
        _connection = connection;
        _enqueue = Enqueue;
    }

    /// <summary>Of what is asked in this turn.</summary>
    public Instant Deadline => Now
        + Duration.FromMilliseconds(_connection.Shared.Settings.RequestDeadlineMilliseconds);

    /// <summary>
    /// The node's clock, read after all that this turn takes had arrived, and after all that had ended before it.
    /// </summary>
    private Instant Now => _now ?? ReadClocks();

    public void BeginTurn() => _now = null;

    /// <summary>How many reads were served here since this was last asked.</summary>
    public long TakeReadsHere()
    {
        long count = _readsHere;
        _readsHere = 0;
        return count;
    }

    /// <summary>
    /// Serves a read on this thread, when it overtakes nothing of its connection and this node may answer it from
    /// memory. False when the partition has to be asked; nothing was done then.
    /// </summary>
    public bool TryRead(RespRequest request, KeyspaceView keyspace, Slot slot)
    {
        if (_connection.Shared.Node.Reads is not { } reads)
        {
            return false;
        }

        PartitionTrack track = TrackOf(new GroupId(keyspace.PartitionOf(slot).Group));
        if (!track.MayReadNow || track.LocalIn(reads.Partitions) is not { } partition)
        {
            return false;
        }

        ReadLevel level = LevelOf(request, keyspace);
        var read = new FastRead(level, track.Owed, Now, _wallClock);
        if (!reads.TryServe(partition, request.Line, read, request, out ReadToken seen))
        {
            return false;
        }

        track.Saw(seen);
        _readsHere++;
        return true;
    }

    /// <summary>
    /// Asks a partition; the call is handed over at the end of the turn, or when it overtakes nobody any more.
    /// </summary>
    /// <param name="slot">Of its keys.</param>
    /// <param name="lines">They stay until the call has ended.</param>
    public void Ask(RespCall call, KeyspaceView keyspace, Slot slot, CommandLine[] lines, bool writes)
    {
        RespClient client = _connection.Client;
        call.Keyspace = keyspace.Record.Id;
        call.Slot = slot;
        call.Lines = lines;
        call.Writes = writes;
        call.WriteLevel = client.WriteLevel ?? LevelOf(keyspace.Record);
        call.ReadLevel = LevelOf(call.Request, keyspace);
        call.Deadline = call.MillisecondsMax is { } most
            ? Min(Deadline, Now + Duration.FromMilliseconds(most))
            : Deadline;
        if (writes)
        {
            call.SureReplicas = ConsistencyCommands.SureReplicas(keyspace.Record, call.WriteLevel);
            call.OtherReplicas = keyspace.Record.Replicas - 1;
        }

        call.Request.Pending++;
        PartitionTrack track = TrackOf(new GroupId(keyspace.PartitionOf(slot).Group));
        if (track.Add(call))
        {
            Enqueue(call);
        }
        else
        {
            LookLater(track);
        }
    }

    private static Instant Min(Instant one, Instant other) => one < other ? one : other;

    /// <summary>A call has ended: the ones that waited for it may go, and its request goes on.</summary>
    public void End(RespCall call)
    {
        CallResult result = call.Result;
        if (call.Track is not { } track)
        {
            // It was not for a partition; its request knows what it asked.
            call.Request.Pending--;
            call.Request.Steps!.Next(call.Request);
            return;
        }

        if (track.Remove(call))
        {
            LookLater(track);
        }

        if (result.Outcome == Outcome.Done)
        {
            PartitionTrack seen = result.Group == track.Group ? track : TrackOf(result.Group);
            seen.Saw(result.Token);
            if (call.Writes)
            {
                seen.Wrote(call);
            }
        }
        else if (result.Reason is DropReason.SessionLost or DropReason.SessionTooOld)
        {
            track.Forget();
        }

        RespRequest request = call.Request;
        request.Pending--;
        if (call.RefusedBytes > 0)
        {
            _connection.RefusedReply(call.RefusedBytes);
        }

        if (request.Steps is { } steps)
        {
            if (request.Pending == 0)
            {
                steps.Next(request);
            }
        }
        else if (result.Outcome == Outcome.Done)
        {
            request.Finish(result.Reply);
        }
        else
        {
            _connection.Shared.Counters.NotDone(result.Outcome);
            request.Error(Outcomes.ErrorOf(call));
        }
    }

    /// <summary>Partitions that this connection has written to, and how surely the writes are on how many
    /// replicas.</summary>
    public IEnumerable<PartitionTrack> Written() => (_tracks?.Values ?? Enumerable.Empty<PartitionTrack>())
        .Where(track => track.Written is not null);

    /// <summary>The level at which a keyspace writes unless a connection says otherwise.</summary>
    public static WriteLevel LevelOf(KeyspaceRecord record) => record.WriteLevel switch
    {
        LevelKind.Leader => WriteLevel.Leader,
        LevelKind.Count => WriteLevel.Count((int)record.WriteLevelCount),
        LevelKind.All => WriteLevel.All,
        _ => WriteLevel.Majority,
    };

    /// <summary>Hands over all that may go.</summary>
    public void Submit()
    {
        foreach (PartitionTrack track in _toLook)
        {
            track.NeedsLook = false;
            track.Release(_enqueue);
        }

        _toLook.Clear();
        if (_batchCount == 0)
        {
            return;
        }

        int count = _batchCount;
        _batchCount = 0;
        _connection.Shared.Gateway.Submit(_batch.AsSpan(0, count));
        _batch.AsSpan(0, count).Clear();
    }

    private ReadLevel LevelOf(RespRequest request, KeyspaceView keyspace) => request.ReadsReplica
        ? ReadLevel.Eventual
        : _connection.Client.ReadLevel ?? (ReadLevel)keyspace.Record.ReadLevel;

    private Instant ReadClocks()
    {
        _wallClock = _connection.Shared.WallClockMilliseconds;
        Instant now = _connection.Shared.Gateway.Now;
        _now = now;
        return now;
    }

    private void Enqueue(RespCall call)
    {
        if (!call.Writes && call.ReadLevel == ReadLevel.Session)
        {
            call.Token = call.Proves ?? call.Track!.Owed;
        }

        if (_batchCount == _batch.Length)
        {
            Array.Resize(ref _batch, Math.Max(4, 2 * _batchCount));
        }

        _batch[_batchCount++] = call;
    }

    private void LookLater(PartitionTrack track)
    {
        if (!track.NeedsLook)
        {
            track.NeedsLook = true;
            _toLook.Add(track);
        }
    }

    /// <summary>What was seen of partitions that are no more goes: keyspaces come and go for ever.</summary>
    private void ForgetDropped()
    {
        ClusterView view = _connection.Shared.Gateway.View;
        if (_tracks!.Count < view.State.Partitions.Count)
        {
            return;
        }

        // order-free: each is judged by itself.
        foreach (PartitionTrack track in _tracks.Values.ToArray())
        {
            if (track.IsIdle && !view.TryFind(track.Group, out _))
            {
                _tracks.Remove(track.Group);
            }
        }
    }

    /// <summary>Partitions of which something is remembered.</summary>
    public int Tracks => _tracks?.Count ?? 0;

    private PartitionTrack TrackOf(GroupId group)
    {
        if (_lastTrack is { } last && last.Group == group)
        {
            return last;
        }

        _tracks ??= [];
        if (!_tracks.TryGetValue(group, out PartitionTrack? track))
        {
            ForgetDropped();
            track = new PartitionTrack(group);
            _tracks.Add(group, track);
        }

        _lastTrack = track;
        return track;
    }
}
