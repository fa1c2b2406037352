using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Server.Disk;
using Quorate.Server.Runtime;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Bench.Log;

/// <summary>
/// A node's log over a real disk, and groups that write to it: each has one entry under way and writes the next when
/// that is durable. It remembers the sizes of the log's writes.
/// </summary>
internal sealed class LogWriters : INodeLogClient, IDisk, IDisposable
{
    /// <summary>A group releases what it wrote before whenever it has written so many entries.</summary>
    private const ulong ReleaseInterval = 1024;

    private readonly object _gate = new();
    private readonly bool _byDisk;
    private readonly RealDisk _disk;
    private readonly Writer[] _writers;
    private readonly List<int> _writeBytes = [];
    private int _opened;
    private int _underWay;

    /// <param name="byDisk">
    /// The disk's own thread hands its ends over and submits what follows, as a server's does, rather than to wake the
    /// owner's thread.
    /// </param>
    public LogWriters(string folder, int writers, int entryBytes, bool byDisk)
    {
        _byDisk = byDisk;
        _disk = new RealDisk(folder, completionWaits: byDisk ? DrainHere : null);
        var log = new NodeLog(this, "", new(), this, new SystemEntropy());
        byte[] payload = new byte[entryBytes];
        payload.AsSpan().Fill(1);
        _writers = [.. Enumerable.Range(1, writers).Select(i => new Writer(this, log, new((uint)i), payload))];
        lock (_gate)
        {
            log.Open();
            while (_opened < writers)
            {
                Drain();
            }
        }
    }

    /// <summary>Makes what each group writes next: so many entries. That is the groups' work, not the log's.</summary>
    public void Prepare(int entriesEach)
    {
        lock (_gate)
        {
            _writeBytes.Clear();
            _writeBytes.EnsureCapacity(entriesEach * _writers.Length);
            foreach (Writer writer in _writers)
            {
                writer.Prepare(entriesEach);
            }
        }
    }

    /// <summary>Lets each group write what was made; the sizes of the log's writes.</summary>
    public int[] Run()
    {
        lock (_gate)
        {
            _underWay = _writers.Length;
            foreach (Writer writer in _writers)
            {
                writer.WriteNext();
            }

            while (_underWay > 0)
            {
                Drain();
            }

            return [.. _writeBytes];
        }
    }

    public void Dispose() => _disk.Dispose();

    void IDisk.Submit(in DiskOperation operation, IDiskClient client)
    {
        if (operation.Kind == DiskOperationKind.WriteDurable)
        {
            _writeBytes.Add(operation.Data.Length);
        }

        _disk.Submit(operation, client);
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

    private void DrainHere()
    {
        lock (_gate)
        {
            _disk.Drain();
            if (_underWay == 0 || _opened < _writers.Length)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Under the gate.</summary>
    private void Drain()
    {
        if (_byDisk)
        {
            Monitor.Wait(_gate, TimeSpan.FromMilliseconds(100));
        }
        else if (_disk.Drain() == 0)
        {
            _disk.Wait(TimeSpan.FromMilliseconds(100));
        }
    }

    private sealed class Writer : IGroupLogClient
    {
        private readonly LogWriters _owner;
        private readonly IGroupLog _log;
        private readonly byte[] _payload;
        private Persist[] _writes = [];
        private ulong _made;
        private int _next;

        public Writer(LogWriters owner, NodeLog log, GroupId group, byte[] payload)
        {
            _owner = owner;
            _payload = payload;
            _log = log.For(new(group, 1), this);
            _log.Open();
        }

        public void Prepare(int entries)
        {
            _writes = new Persist[entries];
            _next = 0;
            for (int i = 0; i < entries; i++)
            {
                ulong next = ++_made;
                _writes[i] = new()
                {
                    Sequence = next,
                    Entries = [new(new(next), new(1), EntryKind.Data, _payload)],
                    ReleaseTo = next % ReleaseInterval == 0 ? new(next - 1) : LogIndex.Zero,
                    MustSync = true,
                };
            }
        }

        public void WriteNext() => _log.Write(_writes[_next++]);

        void IGroupLogClient.LogOpened(RecoveredLog log) => _owner._opened++;

        void IGroupLogClient.LogDurable(ulong sequence)
        {
            if (_next == _writes.Length)
            {
                _owner._underWay--;
            }
            else
            {
                WriteNext();
            }
        }

        void IGroupLogClient.LogRead(ulong tag, Entry[] entries)
        {
        }

        void IGroupLogClient.LogFailed(string sentence) => throw new InvalidOperationException(sentence);
    }
}
