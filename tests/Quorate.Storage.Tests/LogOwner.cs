using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Log;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests;

/// <summary>Owns a node's log in a test, and its streams, and remembers what it was told.</summary>
internal sealed class LogOwner : INodeLogClient
{
    public const string Prefix = "n1/";

    public static readonly LogStream FirstStream = new(new(1), 1);

    /// <summary>Segments of four blocks, so that nearly everything happens at their borders.</summary>
    public static readonly NodeLogSettings Small = new()
    {
        SegmentBytes = 16384,
        OpenPieceBytes = 5000,
        OpenCopyBytesMax = 12288,
        BatchBytesMax = 3000,
        SegmentsKeptMax = 3,
        AgainBytesMax = 300,
    };

    /// <summary>What the logs of tests are mixed with.</summary>
    public static readonly LogSecret Secret = SecretOf(new SampleEntropy(1));

    private readonly SortedDictionary<LogStream, StreamOwner> _streams = [];

    public LogOwner(IDisk disk, NodeLogSettings? settings = null, KeyRing? keys = null)
    {
        Log = new(disk, Prefix, settings ?? Small, this, new SampleEntropy(1), keys);
    }

    public NodeLog Log { get; }

    public IReadOnlyList<LogStream>? Opened { get; private set; }

    public string? Failure { get; private set; }

    public List<LogStream> Wanted { get; } = [];

    public List<bool> SpaceNews { get; } = [];

    /// <summary>The stream that most tests need alone.</summary>
    public StreamOwner One => this[FirstStream];

    /// <summary>A stream's owner, which opens it when it is first asked for.</summary>
    public StreamOwner this[LogStream stream]
    {
        get
        {
            if (!_streams.TryGetValue(stream, out StreamOwner? owner))
            {
                owner = new(this, stream);
                _streams.Add(stream, owner);
            }

            return owner;
        }
    }

    private static LogSecret SecretOf(SampleEntropy entropy)
    {
        byte[] secret = new byte[LogSecret.Bytes];
        entropy.Fill(secret);
        return new(BitConverter.ToUInt64(secret));
    }

    public void LogOpened(IReadOnlyList<LogStream> streams)
    {
        Assert.Null(Opened);
        Assert.Equal(streams.Order(), streams);
        Opened = streams;
    }

    public void CheckpointWanted(LogStream stream) => Wanted.Add(stream);

    public void SpaceIsLow(bool isLow) => SpaceNews.Add(isLow);

    public void LogFailed(string sentence)
    {
        Assert.Null(Failure);
        Failure = sentence;
    }
}

/// <summary>Owns one stream of a node's log in a test and remembers what it was told.</summary>
internal sealed class StreamOwner : IGroupLogClient
{
    private readonly LogOwner _node;

    public StreamOwner(LogOwner node, LogStream stream)
    {
        _node = node;
        Log = node.Log.For(stream, this);
        Log.Open();
    }

    public IGroupLog Log { get; }

    public RecoveredLog? Opened { get; private set; }

    public List<ulong> Durable { get; } = [];

    public Dictionary<ulong, Entry[]> Reads { get; } = [];

    public void LogOpened(RecoveredLog log)
    {
        Assert.Null(Opened);
        Assert.NotNull(_node.Opened);
        Opened = log;
    }

    public void LogDurable(ulong sequence)
    {
        Assert.Null(_node.Failure);
        Durable.Add(sequence);
    }

    public void LogRead(ulong tag, Entry[] entries) => Reads.Add(tag, entries);

    public void LogFailed(string sentence) => Assert.Fail("the node is told, not the stream");

    /// <summary>All that the stream holds, read entry by entry; <paramref name="run"/> lets the disk work.</summary>
    public string Text(Action run)
    {
        Assert.NotNull(Opened);
        var entries = new List<Entry>();
        for (LogIndex at = Opened.Base.Next; at <= Opened.Last; at = entries[^1].Index.Next)
        {
            ulong tag = 1_000_000 + at.Value;
            Log.Read(tag, at, Opened.Last, 200);
            Assert.DoesNotContain(tag, Reads);
            run();
            Assert.Null(_node.Failure);
            Assert.NotEmpty(Reads[tag]);
            entries.AddRange(Reads[tag]);
            Reads.Remove(tag);
        }

        return LogModel.Text(Opened, entries);
    }
}
