using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// Damage below what is known to be durable ends the start; damage above it is a torn tail (pitfalls R26, S8).
/// </summary>
public sealed class LogCorruptionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_flipped_bit_in_what_is_known_durable_is_found(ulong seed)
    {
        LogRun run = Finished(seed);
        string whole = run.ReopenAndCheck();
        run.Crash(powerLost: true, seed);
        IReadOnlyList<DurableRange> ranges = KnownDurable(run);
        Assert.True(ranges.Sum(range => range.Length) > 15_000);
        var random = new SeededRandom(seed);
        foreach (DurableRange range in ranges)
        {
            // All bytes of headers and most records, some of the others: all are alike to the checksum.
            for (long at = 0; at < range.Length; at += at % 4096 < 300 ? 1 : 61)
            {
                int bit = (int)random.Next(8);
                run.Disk.FlipBitAt(range.File, at, bit);
                LogOwner owner = run.Reopen();
                Assert.Null(owner.Opened);
                Assert.NotNull(owner.Failure);
                Assert.Contains(range.File, owner.Failure!, StringComparison.Ordinal);
                run.Crash(powerLost: false, seed);
                run.Disk.FlipBitAt(range.File, at, bit);
            }
        }

        Assert.Equal(whole, run.ReopenAndCheck());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_file_that_counts_is_never_missed_in_silence(ulong seed)
    {
        var disk = new MemoryDisk();
        LogOwner owner = Fill(disk, seed);
        string whole = owner.One.Text(disk.RunAll);
        foreach (string name in disk.Names)
        {
            byte[] content = disk.Content(name);
            foreach (byte[]? damaged in new[] { null, [], content[..(content.Length / 2)], new byte[content.Length] })
            {
                if (damaged is null && disk.Names.Count == 1)
                {
                    // No file at all is what a new replica has; its node must know better.
                    continue;
                }

                MemoryDisk copy = CopyOf(disk);
                copy.Put(name, damaged);
                var again = new LogOwner(copy, LogOwner.Small with { SegmentBytes = 32768 });
                again.Log.Open();
                copy.RunAll();

                // A spare does not count, and the very last segment holds nothing but what was recovered into it:
                // without a trace of it the older ones may still be whole.
                if (again.Opened is null)
                {
                    Assert.Contains("n1/log", again.Failure!, StringComparison.Ordinal);
                    continue;
                }

                StreamOwner one = again.One;
                copy.RunAll();
                Assert.Equal(whole, one.Text(copy.RunAll));
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Files_behind_the_first_tell_of_a_log_that_was_even_when_they_were_only_made_ready(bool isOnlyReady)
    {
        var began = new MemoryDisk();
        var first = new LogOwner(began);
        first.Log.Open();
        began.RunAll();
        byte[] torn = [.. began.Content(LogBatch.FileName(LogOwner.Prefix, 1))];
        Assert.True(LogBatch.TryReadHeader(torn, LogOwner.Secret, 1, 0, out LogBatch batch));
        torn.AsSpan(LogBatch.HeaderBytes, batch.Length - LogBatch.HeaderBytes).Clear();

        var disk = new MemoryDisk();
        disk.Put("n1/log.mark", Mark());
        disk.Put(LogBatch.FileName(LogOwner.Prefix, 2), new byte[torn.Length]);
        disk.Put(LogBatch.FileName(LogOwner.Prefix, 3), isOnlyReady ? torn : [.. torn.Select(b => (byte)(b + 1))]);
        var owner = new LogOwner(disk);
        owner.Log.Open();
        disk.RunAll();

        Assert.Contains("no other one is whole", owner.Failure!, StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_after_the_last_batch_is_cut()
    {
        var disk = new MemoryDisk();
        LogOwner owner = Fill(disk, 5);
        string whole = owner.One.Text(disk.RunAll);
        for (int length = 1; length < 6000; length += 413)
        {
            string last = owner.Log.Segments[^1];
            byte[] content = disk.Content(last);
            int end = EndOf(content);
            for (int i = 0; i < length && end + i < content.Length; i++)
            {
                content[end + i] = i < 4 ? "QNL\u0004"u8[i] : (byte)i;
            }

            owner = Open(disk);
            Assert.Equal(whole, owner.One.Text(disk.RunAll));
        }
    }

    [Fact]
    public void A_batch_of_another_life_of_the_segment_never_fits()
    {
        byte[] one = Segment(firstPayload: 1);
        byte[] other = Segment(firstPayload: 2);
        Assert.Equal(one.Length, other.Length);

        // The last batch of one life behind the batches of the other: its own checksum, segment and place are right.
        int at = EndOf(one) - 4096;
        var disk = new MemoryDisk();
        disk.Put("n1/log-00000001", [.. one[..at], .. other[at..]]);
        disk.Put("n1/log.mark", Mark());
        Assert.Equal(new LogIndex(2), Open(disk).One.Opened!.Last);
    }

    [Fact]
    public void A_header_alone_proves_that_what_is_before_it_was_durable()
    {
        var disk = new MemoryDisk();
        disk.Put("n1/log-00000001", Segment(firstPayload: 1));
        disk.Put("n1/log.mark", Mark());
        byte[] content = disk.Content("n1/log-00000001");
        int end = EndOf(content);
        content[end - 1] ^= 1;
        content[end - 4096 - 1] ^= 1;
        var owner = new LogOwner(disk);
        owner.Log.Open();
        disk.RunAll();
        Assert.Null(owner.Opened);
        Assert.Contains("n1/log-00000001 is damaged at byte", owner.Failure!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_alone_proves_that_the_segment_before_it_was_durable()
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        for (ulong i = 1; owner.Log.Segments.Count < 2; i++)
        {
            owner.One.Log.Write(new Persist { Sequence = i, Entries = [New(i, 7)], MustSync = true });
            disk.RunAll();
        }

        // The next segment's first batch is torn; its header is there.
        disk.Content("n1/log-00000002")[Array.LastIndexOf(disk.Content("n1/log-00000002"), (byte)7)] ^= 4;
        LogOwner torn = Open(CopyOf(disk));
        Assert.Equal(owner.One.Durable.Count - 1, (int)torn.One.Opened!.Last.Value);

        // That rules out that the end of the segment before it is torn.
        disk.Content("n1/log-00000001")[Array.LastIndexOf(disk.Content("n1/log-00000001"), (byte)7)] ^= 4;
        var rotten = new LogOwner(disk, LogOwner.Small with { SegmentBytes = 32768 });
        rotten.Log.Open();
        disk.RunAll();
        Assert.Null(rotten.Opened);
        Assert.Contains("n1/log-00000001 is damaged at byte", rotten.Failure!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bit_that_turned_since_the_opening_is_found_when_it_is_read()
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        owner.One.Log.Write(new Persist { Sequence = 1, Entries = [New(1, 7), New(2, 7)], MustSync = true });
        disk.RunAll();
        byte[] content = disk.Content("n1/log-00000001");
        content[Array.LastIndexOf(content, (byte)7)] ^= 4;
        owner.One.Log.Read(1, new(1), new(1), 10);
        disk.RunAll();
        Assert.Single(owner.One.Reads[1]);
        owner.One.Log.Read(2, new(2), new(2), 10);
        disk.RunAll();
        Assert.False(owner.One.Reads.ContainsKey(2));
        Assert.Contains("n1/log-00000001 is damaged", owner.Failure!, StringComparison.Ordinal);
        Assert.Contains("entry 2 of g1.1", owner.Failure!, StringComparison.Ordinal);
    }

    [Fact]
    public void Rot_in_the_last_batch_alone_is_the_named_exception()
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        owner.One.Log.Write(new Persist { Sequence = 1, Entries = [New(1, 7)], MustSync = true });
        disk.RunAll();
        owner.One.Log.Write(new Persist { Sequence = 2, Entries = [New(2, 7)], MustSync = true });
        disk.RunAll();
        byte[] content = disk.Content("n1/log-00000001");
        content[Array.LastIndexOf(content, (byte)7)] ^= 4;
        Assert.Equal(new LogIndex(1), Open(disk).One.Opened!.Last);
    }

    /// <summary>The mark of a log in which no segment was begun yet.</summary>
    private static byte[] Mark() => LogMark.New(LogOwner.Secret).Again(out _).ToArray();

    private static MemoryDisk CopyOf(MemoryDisk disk)
    {
        var copy = new MemoryDisk();
        foreach (string name in disk.Names)
        {
            copy.Put(name, (byte[])disk.Content(name).Clone());
        }

        return copy;
    }

    private static byte[] Segment(byte firstPayload)
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        for (ulong i = 1; i <= 3; i++)
        {
            byte payload = i == 1 ? firstPayload : (byte)7;
            owner.One.Log.Write(new Persist { Sequence = i, Entries = [New(i, payload)], MustSync = true });
            disk.RunAll();
        }

        return disk.Content("n1/log-00000001");
    }

    /// <summary>Where the batches of a segment end, by the headers alone.</summary>
    private static int EndOf(byte[] segment)
    {
        int end = 0;
        while (end < segment.Length && segment.AsSpan(end).StartsWith("QNL\u0004"u8))
        {
            int body = BinaryPrimitives.ReadInt32LittleEndian(segment.AsSpan(end + 4));
            end += (body + 56 + 4095) / 4096 * 4096;
        }

        return end;
    }

    private static Entry New(ulong index, byte payload) =>
        new(new(index), new(1), EntryKind.Data, Enumerable.Repeat(payload, 8).ToArray());

    private static LogOwner Fill(MemoryDisk disk, ulong seed)
    {
        LogOwner owner = Open(disk);
        var maker = new PersistMaker(seed);
        for (int i = 0; i < 60; i++)
        {
            owner.One.Log.Write(maker.Next());
            disk.RunAll();
        }

        return Open(disk);
    }

    private static LogOwner Open(MemoryDisk disk)
    {
        // Long enough that nothing is in a second segment before the tests say so.
        var owner = new LogOwner(disk, LogOwner.Small with { SegmentBytes = 32768 });
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        disk.RunAll();
        Assert.Null(owner.Failure);
        return owner;
    }

    private static LogRun Finished(ulong seed)
    {
        var run = new LogRun(seed, 60);
        while (!run.IsOver)
        {
            run.Step();
        }

        run.Crash(powerLost: false, seed);
        return run;
    }

    private static IReadOnlyList<DurableRange> KnownDurable(LogRun run) => LogInspector.KnownDurable(
        LogOwner.Prefix, run.Disk.DurableNames, file => run.Disk.DurableContent(file)!.Value);
}
