using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>What the log says of space while the disk is full for a moment.</summary>
public sealed class LogSpaceTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void A_log_to_which_nothing_is_written_finds_that_space_is_back_when_it_is_asked_to_look()
    {
        var owner = new LogOwner(_disk);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        _disk.RunAll();
        bool isFull = true;
        _disk.Fate = operation =>
            isFull && operation.Kind == DiskOperationKind.Allocate ? DiskStatus.Full : DiskStatus.Done;
        for (ulong i = 1; owner.SpaceNews.Count == 0; i++)
        {
            Write(owner.One, i, i, LogIndex.Zero);
        }

        owner.Log.LookForSpace();
        _disk.RunAll();
        Assert.Equal([true], owner.SpaceNews);
        isFull = false;
        _disk.RunAll();
        Assert.Equal([true], owner.SpaceNews);
        owner.Log.LookForSpace();
        _disk.RunAll();

        Assert.Equal([true, false], owner.SpaceNews);
        Assert.Null(owner.Failure);
    }

    /// <summary>
    /// The disk is full for a moment, just when a segment is recycled while another one is ready. Seed 8826376 of the
    /// simulator refused writes for ever after.
    /// </summary>
    [Fact]
    public void Space_is_not_low_while_a_segment_is_ready_whatever_became_of_one_more()
    {
        var owner = new LogOwner(_disk);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        _disk.RunAll();
        ulong i = 1;
        int full = 0;
        _disk.Fate = operation =>
        {
            bool isRecycled = operation.Kind == DiskOperationKind.Allocate && _disk.Exists(operation.File);
            full += isRecycled && full == 0 ? 1 : 0;
            return isRecycled && full == 1 && full++ == 1 ? DiskStatus.Full : DiskStatus.Done;
        };
        for (; full == 0; i++)
        {
            Write(owner.One, i, i, i % 5 == 0 ? new(i - 2) : LogIndex.Zero);
        }

        // Writes are refused while space is low: nothing more is released then.
        owner.Log.LookForSpace();
        _disk.RunAll();
        Assert.DoesNotContain(true, owner.SpaceNews.TakeLast(1));
        for (ulong end = i + 40; i < end; i++)
        {
            Write(owner.One, i, i, i % 5 == 0 ? new(i - 2) : LogIndex.Zero);
        }

        Assert.Null(owner.Failure);
        Assert.Empty(LogStrictCheck.Problems(LogOwner.Prefix, _disk.Names, file => _disk.Content(file)));
    }

    [Fact]
    public void Segments_that_nobody_needs_make_room_for_a_write_that_is_larger_than_a_segment()
    {
        var owner = new LogOwner(_disk);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        _disk.RunAll();
        ulong i = 1;
        for (; owner.Log.Segments.Count < 10; i++)
        {
            owner.One.Log.Write(Large(i, 200, LogIndex.Zero));
            _disk.RunAll();
        }

        // A file that keeps its length needs nothing more of a full disk.
        long held = _disk.Names.Sum(name => (long)_disk.Content(name).Length);
        _disk.Fate = operation => operation.Kind == DiskOperationKind.Allocate
            && _disk.Names.Where(name => name != operation.File).Sum(name => (long)_disk.Content(name).Length)
                + operation.Length > held
            ? DiskStatus.Full
            : DiskStatus.Done;
        owner.One.Log.Write(Large(i, 10, new(i - 1)));
        owner.One.Log.Write(Large(i + 1, 20_000, LogIndex.Zero));
        for (int steps = 0; _disk.Waiting > 0; steps++)
        {
            Assert.True(steps < 10_000, "the disk comes to rest");
            _disk.RunOne();
        }

        Assert.Null(owner.Failure);
        Assert.Equal(i + 1, owner.One.Durable[^1]);
    }

    private static Persist Large(ulong sequence, int bytes, LogIndex release) => new()
    {
        Sequence = sequence,
        Entries = [new Entry(new(sequence), new(1), EntryKind.Data, new byte[bytes])],
        ReleaseTo = release,
        MustSync = true,
    };

    /// <summary>A follower gets entries whether its disk is full or not: it must neither lie about them nor
    /// end.</summary>
    [Fact]
    public void A_log_without_a_next_segment_waits_and_goes_on_when_there_is_space()
    {
        var owner = new LogOwner(_disk);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        _disk.RunAll();
        bool isFull = false;
        _disk.Fate = operation => isFull && operation.Kind == DiskOperationKind.Allocate
            ? DiskStatus.Full
            : DiskStatus.Done;
        ulong i = 1;
        for (; i < 5; i++)
        {
            Write(owner.One, i, i, LogIndex.Zero);
        }

        isFull = true;
        ulong end = i + 2000;
        for (; i < end && owner.One.Durable[^1] == i - 1; i++)
        {
            Write(owner.One, i, i, LogIndex.Zero);
        }

        Assert.True(i < end, "the log never needs a segment");
        Assert.Null(owner.Failure);
        Assert.True(owner.SpaceNews[^1], "its owner is told");
        ulong durable = owner.One.Durable[^1];
        for (int more = 0; more < 5; more++, i++)
        {
            Write(owner.One, i, i, LogIndex.Zero);
            owner.Log.LookForSpace();
            _disk.RunAll();
        }

        Assert.Null(owner.Failure);
        Assert.Equal(durable, owner.One.Durable[^1]);
        isFull = false;
        owner.Log.LookForSpace();
        _disk.RunAll();
        Assert.Equal(i - 1, owner.One.Durable[^1]);
        Assert.False(owner.SpaceNews[^1]);
        Assert.Empty(LogStrictCheck.Problems(LogOwner.Prefix, _disk.Names, file => _disk.Content(file)));
    }

    private void Write(StreamOwner stream, ulong sequence, ulong index, LogIndex release)
    {
        stream.Log.Write(new Persist
        {
            Sequence = sequence,
            Entries = [new Entry(new(index), new(1), EntryKind.Data, new byte[10])],
            ReleaseTo = release,
            MustSync = true,
        });
        _disk.RunAll();
    }
}
