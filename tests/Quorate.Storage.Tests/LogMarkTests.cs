using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// What stands beside a log's segments: the secret without which nobody makes a header, and which segment is the
/// newest, so that its file is missed.
/// </summary>
public sealed class LogMarkTests
{
    /// <summary>Where the payload of an entry lies that is the first of a segment.</summary>
    private const int PayloadStart =
        LogBatch.HeaderBytes + LogRecord.HeadBytes + LogRecord.StandingBytes + LogRecord.EntryBytes;

    /// <summary>
    /// A client that knows the format stores values made of headers: each says, of the place where it will lie once the
    /// file is recycled under a later name, that the log was durable up to there.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Values_made_of_headers_are_never_taken_for_the_logs_own(int ahead)
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        ulong next = 1;
        for (int life = 0; life < 8; life++)
        {
            for (ulong sequence = 1; sequence <= 7; sequence++, next++)
            {
                // Each value fills a segment.
                ulong segment = SequenceOf(owner.Log.Segments[^1]) + 1;
                LogIndex release = sequence % 2 == 0 ? new(next - 1) : LogIndex.Zero;
                owner.One.Log.Write(Append(sequence, next, Forged(segment + (ulong)ahead), release));
                disk.RunAll();
                LogOwner looked = Open(CopyOf(disk));
                Assert.Equal(new LogIndex(next), looked.One.Opened!.Last);
            }

            Assert.Empty(LogStrictCheck.Problems(LogOwner.Prefix, disk.Names, file => disk.Content(file)));
            owner = Open(disk);
            Assert.Equal(new LogIndex(next - 1), owner.One.Opened!.Last);
        }

        Assert.True(disk.Counts[(int)DiskOperationKind.Rename] > 5, "segments were recycled");
    }

    [Fact]
    public void Each_log_has_a_secret_of_its_own_and_keeps_it()
    {
        var disk = new MemoryDisk();
        Open(disk);
        LogSecret secret = LogMark.Read(disk.Content("n1/log.mark"))!.Secret;
        Assert.Equal(LogOwner.Secret, secret);
        Assert.NotEqual(0UL, secret.Value);
        Open(disk);
        Assert.Equal(secret, LogMark.Read(disk.Content("n1/log.mark"))!.Secret);
    }

    /// <summary>
    /// Whatever the moment at which the process died, and whichever file somebody removed or cut then: nothing that was
    /// reported is missing in silence.
    /// </summary>
    /// <param name="writesBefore">In a life before this one.</param>
    /// <param name="eighths">How much is left of the file, in eighths of its length; -1 when it is gone.</param>
    [Theory]
    [InlineData(0, -1)]
    [InlineData(3, -1)]
    [InlineData(7, -1)]
    [InlineData(0, 0)]
    [InlineData(3, 0)]
    [InlineData(0, 1)]
    [InlineData(7, 1)]
    [InlineData(0, 4)]
    [InlineData(3, 4)]
    [InlineData(7, 7)]
    public void No_file_of_a_log_is_missed_in_silence(int writesBefore, int eighths)
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        ulong index = 1;
        for (; index <= (ulong)writesBefore; index++)
        {
            Write(disk, owner, index, index);
        }

        owner = writesBefore > 0 ? Open(disk) : owner;
        int refused = 0;
        for (ulong sequence = 1; sequence <= 14; sequence++, index++)
        {
            Write(disk, owner, sequence, index);
            foreach (string name in disk.Names)
            {
                MemoryDisk copy = CopyOf(disk);
                byte[] content = disk.Content(name);
                copy.Put(name, eighths < 0 ? null : content[..(content.Length * eighths / 8)]);
                var again = new LogOwner(copy);
                again.Log.Open();
                Assert.Null(again.One.Opened);
                copy.RunAll();
                bool isOpen = again.Failure is null;
                refused += isOpen ? 0 : 1;
                Assert.True(isOpen || again.Failure!.Contains(name, StringComparison.Ordinal), again.Failure);
                Assert.True(
                    !isOpen || again.One.Opened!.Last == new LogIndex(index),
                    $"without {name} entry {index} was reported, and {again.One.Opened?.Last} is the last");
            }
        }

        Assert.InRange(refused, eighths < 0 ? 28 : 14, 100);
    }

    /// <summary>
    /// As above, and the process died at any operation: in the middle of it the mark may name a segment in which
    /// nothing is yet, and the one before it is the one that counts.
    /// </summary>
    [Fact]
    public void No_file_is_missed_in_silence_while_the_next_segment_is_begun()
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        int refused = 0;
        for (ulong sequence = 1; sequence <= 14; sequence++)
        {
            owner.One.Log.Write(Append(sequence, sequence, new byte[LogOwner.Small.SegmentBytes / 3], LogIndex.Zero));
            do
            {
                ulong reported = owner.One.Durable.Count == 0 ? 0 : owner.One.Durable.Max();
                foreach (string name in disk.Names)
                {
                    MemoryDisk copy = CopyOf(disk);
                    copy.Put(name, null);
                    var again = new LogOwner(copy);
                    again.Log.Open();
                    Assert.Null(again.One.Opened);
                    copy.RunAll();
                    refused += again.Failure is null ? 0 : 1;
                    Assert.True(
                        again.Failure is not null || again.One.Opened!.Last >= new LogIndex(reported),
                        $"without {name} entry {reported} was reported, and {again.One.Opened?.Last} is the last");
                }
            }
            while (disk.RunOne());
        }

        Assert.InRange(refused, 50, 1000);
    }

    [Fact]
    public void A_missing_newest_segment_is_named_and_so_is_a_missing_or_damaged_mark()
    {
        var disk = new MemoryDisk();
        LogOwner owner = Open(disk);
        for (ulong i = 1; owner.Log.Segments.Count < 2; i++)
        {
            Write(disk, owner, i, i);
        }

        string newest = owner.Log.Segments[^1];
        Assert.Equal(
            $"The log file {newest} is missing, though n1/log.mark shows that it was begun",
            Refusal(disk, newest, null).Split(';')[0]);
        Assert.StartsWith("The file n1/log.mark is missing, ", Refusal(disk, "n1/log.mark", null));
        Assert.StartsWith("The file n1/log.mark is damaged, ", Refusal(disk, "n1/log.mark", new byte[8192]));
        byte[] foreign = [.. disk.Content("n1/log.mark")];
        foreign[3]++;
        foreign[4099]++;
        Assert.Contains("Start the version that wrote it", Refusal(disk, "n1/log.mark", foreign));
    }

    /// <summary>A version before the mark's left segments alone: it is that version that can read them.</summary>
    [Fact]
    public void A_log_of_the_version_before_is_foreign_and_not_damaged()
    {
        var disk = new MemoryDisk();
        string first = Open(disk).Log.Segments[0];
        byte[] content = [.. disk.Content(first)];
        content[3] = 2;
        disk.Put("n1/log.mark", null);
        Assert.Contains("Start the version that wrote it", Refusal(disk, first, content));
    }

    [Fact]
    public void A_torn_block_of_the_mark_leaves_what_was_said_before()
    {
        LogMark mark = LogMark.New(LogOwner.Secret);
        byte[] file = mark.Again(out _).ToArray();
        for (ulong segment = 1; segment < 9; segment++)
        {
            byte[] before = [.. file];
            ReadOnlyMemory<byte> block = mark.Begin(segment, 4096, segment - 1, out long offset);
            block.Span.CopyTo(file.AsSpan((int)offset));
            for (int torn = 1; torn < 64; torn++)
            {
                block.Span[..torn].CopyTo(before.AsSpan((int)offset));
                LogMark found = LogMark.Read(before)!;
                Assert.InRange(found.Newest, segment - 1, segment);
                Assert.Equal(LogOwner.Secret, found.Secret);
            }

            Assert.Equal(segment, LogMark.Read(file)!.Newest);
        }
    }

    private static string Refusal(MemoryDisk disk, string name, byte[]? content)
    {
        MemoryDisk copy = CopyOf(disk);
        copy.Put(name, content);
        var owner = new LogOwner(copy);
        owner.Log.Open();
        copy.RunAll();
        Assert.Null(owner.Opened);
        return owner.Failure!;
    }

    /// <summary>A header of the segment in every block of a file but the first.</summary>
    private static byte[] Forged(ulong segment)
    {
        byte[] payload = new byte[LogOwner.Small.SegmentBytes - PayloadStart];
        for (int at = LogBatch.BlockBytes; at < LogOwner.Small.SegmentBytes; at += LogBatch.BlockBytes)
        {
            var place = new LogPoint(segment, at);
            byte[] header = new byte[LogBatch.BlockBytes];
            LogBatch.WriteHeader(header, default, 16, place, place, 0);
            header.AsSpan(0, LogBatch.HeaderBytes).CopyTo(payload.AsSpan(at - PayloadStart));
        }

        return payload;
    }

    private static ulong SequenceOf(string file) => LogBatch.Sequences(LogOwner.Prefix, [file])[0];

    private static Persist Append(ulong sequence, ulong index, byte[] payload, LogIndex release = default) => new()
    {
        Sequence = sequence,
        Entries = [new(new(index), new(1), EntryKind.Data, payload)],
        ReleaseTo = release,
        MustSync = true,
    };

    private static void Write(MemoryDisk disk, LogOwner owner, ulong sequence, ulong index)
    {
        owner.One.Log.Write(Append(sequence, index, [1, 2, 3]));
        disk.RunAll();
        Assert.Contains(sequence, owner.One.Durable);
    }

    private static LogOwner Open(MemoryDisk disk)
    {
        var owner = new LogOwner(disk);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        disk.RunAll();
        Assert.Null(owner.Failure);
        return owner;
    }

    private static MemoryDisk CopyOf(MemoryDisk disk)
    {
        var copy = new MemoryDisk();
        foreach (string name in disk.Names)
        {
            copy.Put(name, (byte[])disk.Content(name).Clone());
        }

        return copy;
    }
}
