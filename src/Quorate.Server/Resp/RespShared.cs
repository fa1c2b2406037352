using System.Collections.Concurrent;
using System.Diagnostics;
using Quorate.Node.Cluster;
using Quorate.Node.Commands;
using Quorate.Protocol;
using Quorate.Server.Http;
using Quorate.Server.Reading;
using Quorate.Server.Resp.ClusterMode;
using Quorate.Server.Runtime;

namespace Quorate.Server.Resp;

/// <summary>What the endpoint tells clients about its node.</summary>
public sealed record RespNode
{
    /// <summary>The program's version, as INFO and HELLO show it.</summary>
    public string Version { get; init; } = typeof(RespNode).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>The port that clients are told of.</summary>
    public int Port { get; init; }

    /// <summary>The data folder, for INFO; empty for none.</summary>
    public string DataFolder { get; init; } = "";

    /// <summary>The node's wall clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The memory budget in bytes, and how much of it is used; null where there is none.</summary>
    public Func<(long Used, long Max)>? Memory { get; init; }

    /// <summary>The cluster endpoint besides; null for none.</summary>
    public ClusterEndpoint? Cluster { get; init; }

    /// <summary>For a node that is told while it runs which cluster to follow; null for others.</summary>
    public Joining? Joining { get; init; }

    /// <summary>Serves reads on the connections' own threads; null where all go to the node.</summary>
    public LocalReads? Reads { get; init; }
}

/// <summary>What all connections of an endpoint share. Any thread may use it.</summary>
internal sealed class RespShared(RespSettings settings, INodeGateway gateway, RespNode node)
{
    private volatile RespSettings _settings = settings;
    private long _lastId;

    /// <summary>Another record takes its place when a setting is changed.</summary>
    public RespSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    public INodeGateway Gateway { get; } = gateway;

    public RespNode Node { get; } = node;

    /// <summary>The commands of all clients, from their first bytes on.</summary>
    public RespBudget Budget { get; } = new(settings.LargeCommandBytesMax);

    /// <summary>The replies of all clients.</summary>
    public ReplyRoom Replies { get; } = new(settings.RepliesBytesMax);

    public RespCounters Counters { get; } = new();

    /// <summary>Open connections by id.</summary>
    public ConcurrentDictionary<long, RespPipe> Connections { get; } = new();

    /// <summary>What INFO shows of the counters.</summary>
    public InfoStats Stats { get; } = new();

    /// <summary>What INFO shows of keyspaces.</summary>
    public KeyCounts KeyCounts { get; } = new();

    public ScanCursors Cursors { get; } = new(settings.ScanCursorsMax);

    public SessionIds Sessions { get; } = new(SessionIds.Draw());

    /// <summary>When the endpoint began, in milliseconds since 1970.</summary>
    public long StartedAt { get; } = node.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public long WallClockMilliseconds => Node.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public long NextId() => Interlocked.Increment(ref _lastId);
}

/// <summary>What the endpoint has done since it began. Any thread may count.</summary>
internal sealed class RespCounters
{
    private long _connections;
    private long _rejected;
    private long _commands;
    private long _bytesIn;
    private long _bytesOut;
    private long _refused;
    private long _unknown;
    private long _cut;
    private long _pressed;
    private long _repliesRefused;
    private long _inputCut;
    private long _inputRefused;
    private long _readsHere;

    /// <summary>Connections that were accepted.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    /// <summary>Connections that were too many.</summary>
    public long Rejected => Interlocked.Read(ref _rejected);

    /// <summary>Commands of all connections.</summary>
    public long Commands => Interlocked.Read(ref _commands);

    public long BytesIn => Interlocked.Read(ref _bytesIn);

    public long BytesOut => Interlocked.Read(ref _bytesOut);

    /// <summary>Requests that partitions refused.</summary>
    public long RefusedRequests => Interlocked.Read(ref _refused);

    /// <summary>Requests whose outcome is unknown.</summary>
    public long UnknownRequests => Interlocked.Read(ref _unknown);

    /// <summary>Reads that were served on their connection's own thread.</summary>
    public long ReadsHere => Interlocked.Read(ref _readsHere);

    /// <summary>Clients that were cut because they took no replies.</summary>
    public long SlowClientsCut => Interlocked.Read(ref _cut);

    /// <summary>Of these, those that were cut early because the replies of all clients took too much.</summary>
    public long PressedClientsCut => Interlocked.Read(ref _pressed);

    /// <summary>Reads that were refused because the replies of all clients took too much.</summary>
    public long RepliesRefused => Interlocked.Read(ref _repliesRefused);

    /// <summary>How long reads took, from when they had come until their reply was ready.</summary>
    public LatencyHistogram Reads { get; } = new();

    /// <summary>The same of writes.</summary>
    public LatencyHistogram Writes { get; } = new();

    /// <summary>The same of the connections' own commands.</summary>
    public LatencyHistogram Others { get; } = new();

    public void Done(RespRequest request)
    {
        LatencyHistogram family = request.Spec is { } spec
            ? spec.Kind == CommandKind.Write ? Writes : Reads
            : Others;
        family.Add((long)Stopwatch.GetElapsedTime(request.StartedAt).TotalMicroseconds);
    }

    public void Accepted() => Interlocked.Increment(ref _connections);

    public void RejectedOne() => Interlocked.Increment(ref _rejected);

    public void CutOne(bool isPressed)
    {
        Interlocked.Increment(ref _cut);
        Interlocked.Add(ref _pressed, isPressed ? 1 : 0);
    }

    /// <summary>Clients that were cut because they left a command unfinished while others waited for the
    /// memory.</summary>
    public long UnfinishedClientsCut => Interlocked.Read(ref _inputCut);

    /// <summary>Commands that were refused since unfinished ones of all clients took too much.</summary>
    public long InputRefused => Interlocked.Read(ref _inputRefused);

    public void CutUnfinished() => Interlocked.Increment(ref _inputCut);

    public void RefusedInput() => Interlocked.Increment(ref _inputRefused);

    public void RefusedReply() => Interlocked.Increment(ref _repliesRefused);

    /// <summary>Once for each batch, since many threads share these.</summary>
    public void Took(long commands, long bytes, long readsHere)
    {
        if (readsHere > 0)
        {
            Interlocked.Add(ref _readsHere, readsHere);
        }

        Interlocked.Add(ref _commands, commands);
        Interlocked.Add(ref _bytesIn, bytes);
    }

    public void Wrote(long bytes) => Interlocked.Add(ref _bytesOut, bytes);

    public void NotDone(Core.Raft.Outcome outcome) =>
        Interlocked.Increment(ref outcome == Core.Raft.Outcome.Unknown ? ref _unknown : ref _refused);
}
