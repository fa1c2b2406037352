using System.Diagnostics;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Server.Runtime;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Bench.Log;

/// <summary>
/// The processor time of the log itself, for each entry: a disk that is done at once and keeps nothing of a batch, and
/// writes that were made beforehand. What stays is composing, checksums, positions, queue and reports.
/// </summary>
internal sealed class LogCost : INodeLogClient, IDisk
{
    private const int EntryBytes = 128;
    private const int Rounds = 200;
    private const int Turns = 200;

    private readonly MemoryDisk _disk = new();
    private readonly Writer[] _writers;
    private (ulong Ticket, IDiskClient Client)? _batch;

    private LogCost(int writers)
    {
        var log = new NodeLog(this, "", new() { SegmentBytes = 16 * 1024 * 1024 }, this, new SystemEntropy());
        _writers = [.. Enumerable.Range(1, writers).Select(i => new Writer(log, new((uint)i)))];
        log.Open();
        Drain();
    }

    public static int Run()
    {
        foreach (int writers in (int[])[1, 16, 64])
        {
            var cost = new LogCost(writers);
            var times = new List<double>();
            for (int turn = 0; turn < Turns; turn++)
            {
                times.Add(cost.Turn());
            }

            times.Sort();
            Console.WriteLine(
                $"{writers} writers: {times[Turns / 10]:F0} ns an entry (a tenth of the turns took no longer), "
                + $"median {times[Turns / 2]:F0}");
        }

        return 0;
    }

    private double Turn()
    {
        foreach (Writer writer in _writers)
        {
            writer.Prepare(Rounds);
        }

        GC.Collect(0);
        long begun = Stopwatch.GetTimestamp();
        foreach (Writer writer in _writers)
        {
            writer.WriteNext();
        }

        Drain();
        return Stopwatch.GetElapsedTime(begun).TotalNanoseconds / ((double)_writers.Length * Rounds);
    }

    private void Drain()
    {
        do
        {
            while (_batch is { } batch)
            {
                _batch = null;
                batch.Client.Complete(new(batch.Ticket, DiskStatus.Done));
            }
        }
        while (_disk.RunOne() || _batch is not null);
    }

    void IDisk.Submit(in DiskOperation operation, IDiskClient client)
    {
        // The log has one batch under way; the mark beside it is small and goes to the disk in memory.
        if (operation.Kind == DiskOperationKind.WriteDurable && _batch is null && operation.Data.Length > 0)
        {
            _batch = (operation.Ticket, client);
        }
        else
        {
            _disk.Submit(operation, client);
        }
    }

    void INodeLogClient.LogOpened(IReadOnlyList<LogStream> streams)
    {
    }

    void INodeLogClient.CheckpointWanted(LogStream stream)
    {
    }

    void INodeLogClient.SpaceIsLow(bool isLow)
    {
    }

    void INodeLogClient.LogFailed(string sentence) => throw new InvalidOperationException(sentence);

    private sealed class Writer : IGroupLogClient
    {
        private readonly IGroupLog _log;
        private readonly byte[] _payload = new byte[EntryBytes];
        private Persist[] _writes = [];
        private ulong _made;
        private int _next;

        public Writer(NodeLog log, GroupId group)
        {
            _log = log.For(new(group, 1), this);
            _log.Open();
        }

        /// <summary>Makes the next writes; the last of them releases all before it.</summary>
        public void Prepare(int count)
        {
            _writes = new Persist[count];
            _next = 0;
            for (int i = 0; i < count; i++)
            {
                _made++;
                _writes[i] = new()
                {
                    Sequence = _made,
                    Entries = [new(new(_made), new(1), EntryKind.Data, _payload)],
                    ReleaseTo = i == count - 1 ? new(_made - 1) : LogIndex.Zero,
                    MustSync = true,
                };
            }
        }

        public void WriteNext()
        {
            if (_next < _writes.Length)
            {
                _log.Write(_writes[_next++]);
            }
        }

        void IGroupLogClient.LogOpened(RecoveredLog log)
        {
        }

        void IGroupLogClient.LogDurable(ulong sequence) => WriteNext();

        void IGroupLogClient.LogRead(ulong tag, Entry[] entries)
        {
        }

        void IGroupLogClient.LogFailed(string sentence) => throw new InvalidOperationException(sentence);
    }
}
