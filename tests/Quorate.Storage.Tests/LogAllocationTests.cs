using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests;

/// <summary>What the node's log takes from the managed heap while it writes.</summary>
public sealed class LogAllocationTests
{
    [Fact]
    public void Batches_on_the_steady_path_allocate_next_to_nothing()
    {
        var disk = new EchoDisk();
        var owner = new QuietOwner();
        var log = new NodeLog(disk, "n1/", new NodeLogSettings(), owner, new SampleEntropy(1));
        log.Open();
        IGroupLog stream = log.For(LogOwner.FirstStream, owner);
        stream.Open();
        disk.RunAll();
        Persist[] writes = [.. Enumerable.Range(1, 3000).Select(i => Write((ulong)i))];
        long before = 0;
        for (int i = 0; i < writes.Length; i++)
        {
            before = i == 1000 ? GC.GetAllocatedBytesForCurrentThread() : before;
            stream.Write(writes[i]);
            disk.RunAll();
        }

        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / 2000;
        Assert.Equal(3000UL, owner.Last);

        // Positions, 12 bytes each, whose list grows by doubling.
        Assert.InRange(each, 0, 60);
    }

    private static Persist Write(ulong number) => new()
    {
        Sequence = number,
        Entries = [new Entry(new(number), new(1), EntryKind.Data, new byte[500])],
        MustSync = true,
    };

    /// <summary>Ends everything well and keeps nothing.</summary>
    private sealed class EchoDisk : IDisk
    {
        private readonly Queue<(ulong Ticket, IDiskClient Client)> _waiting = new();

        public void Submit(in DiskOperation operation, IDiskClient client) =>
            _waiting.Enqueue((operation.Ticket, client));

        public void RunAll()
        {
            while (_waiting.TryDequeue(out (ulong Ticket, IDiskClient Client) next))
            {
                next.Client.Complete(new(next.Ticket, DiskStatus.Done));
            }
        }
    }

    private sealed class QuietOwner : INodeLogClient, IGroupLogClient
    {
        public ulong Last { get; private set; }

        public void LogOpened(IReadOnlyList<LogStream> streams) => Assert.Empty(streams);

        public void CheckpointWanted(LogStream stream) => Assert.Fail("the log is short");

        public void SpaceIsLow(bool isLow) => Assert.Fail("there is space");

        public void LogOpened(RecoveredLog log) => Assert.Equal(LogIndex.Zero, log.Last);

        public void LogDurable(ulong sequence) => Last = sequence;

        public void LogRead(ulong tag, Entry[] entries) => Assert.Fail("nothing was asked for");

        public void LogFailed(string sentence) => Assert.Fail(sentence);
    }
}
