using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Server.Disk;
using Quorate.Server.Runtime;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Twins;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Server.Tests.Disk;

/// <summary>
/// What the simulator has shown on its disk holds on the real one: the same operations, ended in the same order, leave
/// the same bytes, and the log finds the same in them.
/// </summary>
public sealed class TwinDiskTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_recorded_log_leaves_the_same_bytes_on_the_real_disk(ulong seed)
    {
        var random = new SeededRandom(seed);
        var pending = new List<PendingDiskOperation>();
        var simulated = new SimulatedDisk(pending.Add, seed);
        var recorded = new RecordedDisk(simulated);
        RunLog(recorded, random, () => RunAny(simulated, pending, random));
        while (pending.Count > 0)
        {
            RunAny(simulated, pending, random);
        }

        Assert.InRange(recorded.Count, 100, 100_000);

        using var folder = new TemporaryFolder();
        using var real = new RealDisk(folder.Path, new RealDiskSettings { OpenFilesMax = 2 });
        Assert.Empty(recorded.ReplayOn(real, () => DiskUnderTest.WaitAndDrain(real)));
        AssertSame(simulated, folder.Path);

        string expected = Recovered(simulated, () => DiskUnderTest.RunAll(simulated));
        Assert.Equal(expected, Recovered(real, () => DiskUnderTest.WaitAndDrain(real)));
        while (real.UnderWay > 0)
        {
            DiskUnderTest.WaitAndDrain(real);
        }

        Assert.Contains(" entries ", expected, StringComparison.Ordinal);
        AssertSame(simulated, folder.Path);
    }

    /// <summary>
    /// All that whole nodes did to their disks, in a run of the simulator: entries, checkpoints, merges, snapshots out
    /// and in, with and without encryption. Then each is started again, twice, and has the state that it had.
    /// </summary>
    [Fact]
    public void Recorded_nodes_leave_the_same_bytes_on_the_real_disk_and_restart_from_them()
    {
        long snapshots = 0;
        int states = 0;
        var encrypted = new List<bool>();
        for (ulong seed = 1; seed <= 10; seed++)
        {
            // Of every second run logs and tables are so small that snapshots are sent.
            RecordedRun run = seed % 2 == 0
                ? RecordedRun.Small(1 + (seed / 2), isEncrypted: seed % 4 == 0, operations: 150)
                : RecordedRun.Of(seed);
            snapshots += run.SnapshotsTaken;
            encrypted.Add(run.IsEncrypted);
            foreach (RecordedNode node in run.Nodes)
            {
                using var folder = new TemporaryFolder();
                using var real = new RealDisk(folder.Path, new RealDiskSettings { OpenFilesMax = 4 });
                void Wait() => DiskUnderTest.WaitAndDrain(real);
                Assert.Empty(node.Recorded.ReplayOn(real, Wait));
                AssertSame(node.Simulated, folder.Path);
                Assert.Empty(node.Restart(real, Wait));
                Finish(real);
                Assert.Empty(node.Restart(real, Wait));
                Finish(real);
                states += node.KnownStates;
            }
        }

        Assert.True(snapshots > 0, "no snapshot was sent");
        Assert.True(states > 10, $"only {states} states were compared");
        Assert.Contains(true, encrypted);
        Assert.Contains(false, encrypted);

        static void Finish(RealDisk real)
        {
            while (real.UnderWay > 0)
            {
                DiskUnderTest.WaitAndDrain(real);
            }
        }
    }

    /// <summary>A comparison that cannot fail proves nothing.</summary>
    [Fact]
    public void A_replay_tells_what_ends_otherwise()
    {
        var simulated = new SimulatedDisk(_ => { }, 1);
        var recorded = new RecordedDisk(simulated);
        recorded.Submit(new(1, DiskOperationKind.Write, "f", 0, new byte[10]), new LogClient());
        DiskUnderTest.RunAll(simulated);
        recorded.Submit(new(2, DiskOperationKind.Read, "f", 0, Length: 10), new LogClient());
        DiskUnderTest.RunAll(simulated);
        var other = new MemoryDisk
        {
            Fate = asked => asked.Kind == DiskOperationKind.Write ? DiskStatus.Full : DiskStatus.Done,
        };
        IReadOnlyList<string> differences = recorded.ReplayOn(other, other.RunAll);
        Assert.Equal(2, differences.Count);
        Assert.Contains("Write f", differences[0], StringComparison.Ordinal);
    }

    /// <summary>
    /// A list that is under way beside the making of a file may or may not have its name; any other name counts.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replay_takes_no_order_of_what_is_under_way_together_for_a_difference(bool hasAnother)
    {
        var pending = new List<PendingDiskOperation>();
        var simulated = new SimulatedDisk(pending.Add, 1);
        var recorded = new RecordedDisk(simulated);
        recorded.Submit(new(1, DiskOperationKind.Write, "made", 0, new byte[10]), new LogClient());
        recorded.Submit(new(2, DiskOperationKind.List, ""), new LogClient());
        simulated.Execute(pending[1]);
        simulated.Execute(pending[0]);
        var other = new MemoryDisk();
        if (hasAnother)
        {
            other.Put("another", new byte[1]);
        }

        Assert.Equal(hasAnother ? 1 : 0, recorded.ReplayOn(other, other.RunAll).Count);
    }

    /// <summary>Ends one operation, any of those under way.</summary>
    private static void RunAny(SimulatedDisk disk, List<PendingDiskOperation> pending, SeededRandom random)
    {
        int at = (int)random.Next(pending.Count);
        PendingDiskOperation next = pending[at];
        pending.RemoveAt(at);
        disk.Execute(next);
    }

    /// <summary>Writes to two streams of a log, cuts them and releases what is old, several writes at a time.</summary>
    private static void RunLog(RecordedDisk disk, SeededRandom random, Action work)
    {
        var client = new LogClient();
        NodeLog log = client.Open(disk);
        client.Until(() => client.Opened.Count == 2, work);
        LogIndex[] last = new LogIndex[2];
        ulong[] sequence = new ulong[2];
        for (int i = 0; i < 400; i++)
        {
            int stream = (int)random.Next(2);
            LogIndex cut = random.Next(10) == 0 && last[stream].Value > 40 ? last[stream] : default;
            LogIndex first = cut == default ? last[stream].Next : cut;
            byte[] payload = new byte[random.Next(random.Next(20) == 0 ? 20_000 : 600)];
            payload.AsSpan().Fill((byte)i);
            last[stream] = first;
            client.Streams[stream].Write(new Persist
            {
                Sequence = ++sequence[stream],
                TruncateFrom = cut,
                Entries = [new(first, new((ulong)i + 1), EntryKind.Data, payload)],
                MustSync = true,
                ReleaseTo = random.Next(8) == 0 && first.Value > 40 ? new(first.Value - 30) : default,
            });
            if (random.Next(3) == 0)
            {
                ulong[] wanted = [.. sequence];
                client.Until(() => client.Durable.SequenceEqual(wanted), work);
            }
        }

        client.Until(() => client.Durable.SequenceEqual(sequence), work);
        Assert.InRange(log.Segments.Count, 1, 100);
    }

    private static string Recovered(IDisk disk, Action work)
    {
        var client = new LogClient();
        client.Open(disk);
        client.Until(() => client.Opened.Count == 2, work);
        var text = new List<string>();
        for (int stream = 0; stream < 2; stream++)
        {
            RecoveredLog opened = client.Opened[stream];
            for (LogIndex at = opened.Base.Next; at <= opened.Last; at = client.Read[^1].Index.Next)
            {
                client.Read = [];
                client.Streams[stream].Read(1, at, opened.Last, 5000);
                client.Until(() => client.Read.Length > 0, work);
                text.AddRange(client.Read.Select(e => $"{e} {Crc32C.Of(e.Payload.Span):x8} {e.Payload.Length}"));
            }

            text.Add($"stream {stream} after {opened.Base} {opened.BaseTerm} to {opened.Last}");
        }

        return $"{text.Count} entries {string.Join('\n', text)}";
    }

    private static void AssertSame(SimulatedDisk simulated, string folder)
    {
        string[] names = [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))];
        Assert.Equal(simulated.Names, names.Order(StringComparer.Ordinal));
        foreach (string name in names)
        {
            Assert.Equal(simulated.Content(name)!.Value.ToArray(), File.ReadAllBytes(Path.Combine(folder, name)));
        }
    }

    /// <summary>Owns a log of two streams.</summary>
    private sealed class LogClient : INodeLogClient, IDiskClient
    {
        private readonly SortedDictionary<int, RecoveredLog> _opened = [];

        public List<IGroupLog> Streams { get; } = [];

        public IReadOnlyDictionary<int, RecoveredLog> Opened => _opened;

        public ulong[] Durable { get; } = new ulong[2];

        public Entry[] Read { get; set; } = [];

        public NodeLog Open(IDisk disk)
        {
            var settings = new NodeLogSettings { SegmentBytes = 16 * 4096, OpenCopyBytesMax = 4 * 4096 };
            var log = new NodeLog(disk, "n1-", settings, this, new SystemEntropy());
            log.Open();
            for (int i = 0; i < 2; i++)
            {
                Streams.Add(log.For(new(new((uint)i + 1), 1), new StreamClient(this, i)));
                Streams[i].Open();
            }

            return log;
        }

        public void Until(Func<bool> done, Action work)
        {
            for (int turns = 0; !done(); turns++)
            {
                Assert.InRange(turns, 0, 100_000);
                work();
            }
        }

        public void Complete(in DiskCompletion completion)
        {
        }

        public void LogOpened(IReadOnlyList<LogStream> streams)
        {
        }

        public void CheckpointWanted(LogStream stream)
        {
        }

        public void SpaceIsLow(bool isLow) => Assert.False(isLow);

        public void LogFailed(string sentence) => Assert.Fail(sentence);

        private sealed class StreamClient(LogClient owner, int stream) : IGroupLogClient
        {
            public void LogOpened(RecoveredLog log) => owner._opened.Add(stream, log);

            public void LogDurable(ulong sequence) =>
                owner.Durable[stream] = Math.Max(owner.Durable[stream], sequence);

            public void LogRead(ulong tag, Entry[] entries) => owner.Read = entries;

            public void LogFailed(string sentence) => Assert.Fail(sentence);
        }
    }
}
