using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Engine;
using Quorate.Simulator.World;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Twins;

/// <summary>The log of a node that was started again, whose entries are read one after the other.</summary>
internal sealed class RestartedLog : INodeLogClient
{
    private readonly SortedDictionary<ulong, Stream> _streams = [];
    private readonly Action _wait;

    public RestartedLog(IDisk disk, KeyRing? keys, IEnumerable<LogStream> streams, Action wait)
    {
        _wait = wait;
        var settings = new NodeLogSettings { SegmentBytes = 64 * 1024 };
        var entropy = new SeededEntropy(new SeededRandom(1));
        var log = new NodeLog(disk, NodeFiles.LogPrefix, settings, this, entropy, keys);
        log.Open();
        foreach (LogStream stream in streams)
        {
            var client = new Stream();
            client.Log = log.For(stream, client);
            client.Log.Open();
            _streams.Add(stream.Group.Value, client);
        }

        while (_streams.Values.Any(stream => !stream.IsOpened))
        {
            wait();
        }
    }

    /// <summary>What the log holds of a stream.</summary>
    public RecoveredLog Opened(LogStream stream) => _streams[stream.Group.Value].Found!;

    /// <summary>The entries of a stream behind one index and up to another.</summary>
    public IEnumerable<Entry> Entries(LogStream stream, LogIndex after, LogIndex last)
    {
        Stream from = _streams[stream.Group.Value];
        for (LogIndex next = after.Next; next <= last;)
        {
            from.Read = null;
            from.Log.Read(1, next, last, 64 * 1024);
            while (from.Read is null)
            {
                _wait();
            }

            Invariant.Check(from.Read.Length > 0, $"the log of {stream} holds entry {next}");
            foreach (Entry entry in from.Read)
            {
                yield return entry;
            }

            next = from.Read[^1].Index.Next;
        }
    }

    public void LogOpened(IReadOnlyList<LogStream> streams)
    {
    }

    public void CheckpointWanted(LogStream stream)
    {
    }

    public void SpaceIsLow(bool isLow)
    {
    }

    public void LogFailed(string sentence) => throw new InvariantBrokenException(sentence);

    private sealed class Stream : IGroupLogClient
    {
        public IGroupLog Log { get; set; } = null!;

        public bool IsOpened => Found is not null;

        public RecoveredLog? Found { get; private set; }

        public Entry[]? Read { get; set; }

        public void LogOpened(RecoveredLog log) => Found = log;

        public void LogDurable(ulong sequence)
        {
        }

        public void LogRead(ulong tag, Entry[] entries) => Read = entries;

        public void LogFailed(string sentence) => throw new InvariantBrokenException(sentence);
    }
}
