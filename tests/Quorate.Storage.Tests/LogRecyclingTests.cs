using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// Segments of the node's log are recycled when every stream has released them, never before, and what is left in them
/// is never taken for new (pitfalls R14, R16, S1).
/// </summary>
public sealed class LogRecyclingTests
{
    private static readonly LogStream Second = new(new(2), 1);

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void A_long_run_with_releases_keeps_few_files_and_soon_allocates_no_more()
    {
        LogOwner owner = Open();
        int allocated = 0;
        _disk.Fate = operation =>
        {
            bool grows = operation.Kind == DiskOperationKind.Allocate && !_disk.Exists(operation.File);
            allocated += grows ? 1 : 0;
            return DiskStatus.Done;
        };
        int filesMax = 0;
        for (ulong i = 1; i <= 600; i++)
        {
            LogIndex release = i % 5 == 0 ? new(i - 2) : LogIndex.Zero;
            Write(owner.One, i, i, release);
            filesMax = Math.Max(filesMax, Segments.Count());
        }

        Assert.InRange(filesMax, 2, 7);
        Assert.InRange(allocated, 1, 6);
        Assert.True(_disk.Counts[(int)DiskOperationKind.Rename] > 100, "segments are recycled by renaming");
        Assert.Equal(Segments.Count() * 16384L, Segments.Sum(name => (long)_disk.Content(name).Length));
        LogOwner again = Open();
        Assert.Equal(new LogIndex(600), again.One.Opened!.Last);
        Assert.Equal(new LogIndex(598), again.One.Opened.Base);
        AssertStrict();
    }

    [Fact]
    public void Batches_that_a_recycled_file_still_holds_are_not_taken_for_new_wherever_the_log_ends()
    {
        LogOwner owner = Open();
        for (ulong i = 1; i <= 100; i++)
        {
            Write(owner.One, i, i, new(i > 1 ? i - 1 : 0));
            var copy = new MemoryDisk();
            foreach (string name in _disk.Names)
            {
                copy.Put(name, (byte[])_disk.Content(name).Clone());
            }

            var again = new LogOwner(copy);
            again.Log.Open();
            Assert.Null(again.One.Opened);
            copy.RunAll();
            Assert.Null(again.Failure);
            Assert.Equal(new LogIndex(i), again.One.Opened!.Last);
        }
    }

    [Fact]
    public void A_segment_stays_while_one_stream_still_needs_it()
    {
        // Nobody is asked to release anything.
        LogOwner owner = Open(LogOwner.Small with { SegmentsKeptMax = 1000 });
        StreamOwner other = owner[Second];
        _disk.RunAll();
        Write(other, 1, 1);
        for (ulong i = 1; i <= 60; i++)
        {
            Write(owner.One, i, i, new(i - 1));
        }

        Assert.True(owner.Log.Segments.Count > 10, $"{owner.Log.Segments.Count} segments");
        other.Log.Read(1, new(1), new(1), 100);
        _disk.RunAll();
        Assert.Null(owner.Failure);
        Assert.Single(other.Reads[1]);
        LogOwner again = Open();
        StreamOwner same = again[Second];
        _disk.RunAll();
        Assert.Equal(new LogIndex(1), same.Opened!.Last);

        Write(same, 1, 2, new(1));
        Assert.InRange(again.Log.Segments.Count, 1, 2);
    }

    [Fact]
    public void Streams_that_pin_the_oldest_of_too_many_segments_are_asked_for_a_checkpoint_and_no_others()
    {
        LogOwner owner = Open();
        StreamOwner other = owner[Second];
        _disk.RunAll();
        Write(other, 1, 1);
        ulong i = 1;
        for (; owner.Log.Segments.Count <= LogOwner.Small.SegmentsKeptMax; i++)
        {
            Assert.Empty(owner.Wanted);
            Write(owner.One, i, i, new(i - 1));
        }

        Assert.Equal([Second], owner.Wanted);
        owner.Wanted.Clear();
        Write(other, 2, 2, new(1));
        for (int more = 0; more < 20; more++, i++)
        {
            Write(owner.One, i, i, new(i - 1));
        }

        // Its second entry pins the log by now.
        Assert.All(owner.Wanted, stream => Assert.Equal(Second, stream));
    }

    [Fact]
    public void The_stream_with_the_most_entries_is_asked_for_a_checkpoint_when_there_are_too_many()
    {
        var owner = new LogOwner(_disk, LogOwner.Small with { EntriesKeptMax = 40, SegmentsKeptMax = 1000 });
        owner.Log.Open();
        StreamOwner other = owner[Second];
        StreamOwner one = owner.One;
        _disk.RunAll();
        for (ulong i = 1; i <= 15; i++)
        {
            Write(other, i, i);
        }

        for (ulong i = 1; i <= 25; i++)
        {
            Assert.Empty(owner.Wanted);
            Write(one, i, i);
        }

        Write(one, 26, 26);
        Assert.Equal([LogOwner.FirstStream], owner.Wanted);
        for (ulong i = 27; i <= 37; i++)
        {
            Write(one, i, i);
        }

        // Again when there are an eighth more, and no more often.
        Assert.Equal(2, owner.Wanted.Count);
        Write(one, 38, 38, new(30));
        owner.Wanted.Clear();
        for (ulong i = 39; i <= 55; i++)
        {
            Assert.Empty(owner.Wanted);
            Write(one, i, i);
        }

        Write(one, 56, 56);
        Assert.Equal([LogOwner.FirstStream], owner.Wanted);
    }

    [Fact]
    public void Hard_states_and_bases_outlive_the_segments_that_they_were_written_in()
    {
        LogOwner owner = Open();
        StreamOwner voter = owner[Second];
        StreamOwner follower = owner[new(new(3), 1)];
        _disk.RunAll();
        var vote = new HardState(new(7), new(3, 1), default);
        voter.Log.Write(new Persist { Sequence = 1, HardState = vote, MustSync = true });
        follower.Log.Write(new Persist
        {
            Sequence = 1,
            ResetTo = new(new(500), new(9), default, Membership.Of([new(1, 1)]), []),
            MustSync = true,
        });
        for (ulong i = 1; i <= 60; i++)
        {
            Write(owner.One, i, i, new(i - 1));
        }

        Assert.InRange(owner.Log.Segments.Count, 1, 2);
        LogOwner again = Open();
        (StreamOwner sameVoter, StreamOwner sameFollower) = (again[Second], again[new(new(3), 1)]);
        _disk.RunAll();
        Assert.Equal(vote, sameVoter.Opened!.HardState);
        Assert.Equal((new LogIndex(500), new Term(9)), (sameFollower.Opened!.Base, sameFollower.Opened.BaseTerm));
    }

    [Fact]
    public void A_dropped_stream_is_gone_for_good_and_pins_nothing()
    {
        LogOwner owner = Open();
        StreamOwner other = owner[Second];
        _disk.RunAll();
        Write(other, 1, 1);
        for (ulong i = 1; i <= 40; i++)
        {
            Write(owner.One, i, i, new(i - 1));
        }

        LogOwner again = Open();
        Assert.Equal([LogOwner.FirstStream, Second], again.Opened!);
        again.Log.Drop(Second);
        _disk.RunAll();
        Assert.InRange(again.Log.Segments.Count, 1, 2);
        Assert.Equal([LogOwner.FirstStream], Open().Opened!);
        AssertStrict();
    }

    [Fact]
    public void A_dropped_stream_takes_no_more_writes_and_its_owner_hears_nothing_more()
    {
        LogOwner owner = Open();
        owner.One.Log.Write(Entries(1, 1, 1, 10));
        owner.One.Log.Read(1, new(1), new(1), 100);
        owner.Log.Drop(LogOwner.FirstStream);
        owner.One.Log.Write(Entries(2, 2, 1, 10));
        owner.One.Log.Read(2, new(1), new(1), 100);
        _disk.RunAll();
        Assert.Null(owner.Failure);
        Assert.Empty(owner.One.Durable);
        Assert.Empty(owner.One.Reads);
        Assert.Empty(Open().Opened!);
    }

    [Fact]
    public void A_switch_of_segments_waits_for_nothing_but_its_own_batch_and_the_mark()
    {
        LogOwner owner = Open();
        var kinds = new List<DiskOperationKind>();
        _disk.Fate = operation =>
        {
            if (!operation.File.EndsWith(".mark", StringComparison.Ordinal))
            {
                kinds.Add(operation.Kind);
            }

            return DiskStatus.Done;
        };
        int segments = owner.Log.Segments.Count;
        for (ulong i = 1; owner.Log.Segments.Count < segments + 3; i++)
        {
            owner.One.Log.Write(Entries(i, i, 1, 10));
            kinds.Clear();
            while (!owner.One.Durable.Contains(i))
            {
                Assert.True(_disk.RunOne());
            }

            Assert.Equal(DiskOperationKind.WriteDurable, kinds[^1]);
            Assert.Single(kinds, kind => kind == DiskOperationKind.WriteDurable);
            Assert.DoesNotContain(DiskOperationKind.Sync, kinds);
            _disk.RunAll();
        }
    }

    [Theory]
    [InlineData(17_000)]
    [InlineData(100_000)]
    public void An_entry_larger_than_a_segment_gets_a_larger_one(int bytes)
    {
        LogOwner owner = Open();
        Write(owner.One, 1, 1);
        owner.One.Log.Write(Entries(2, 2, 1, bytes));
        owner.One.Log.Write(Entries(3, 3, 1, bytes));
        _disk.RunAll();
        Write(owner.One, 4, 4);
        Assert.Equal([1, 2, 3, 4], owner.One.Durable);
        for (int i = 0; i < 3; i++)
        {
            LogOwner again = Open();
            Assert.Equal(new LogIndex(4), again.One.Opened!.Last);
            again.One.Log.Read(1, new(3), new(3), 100);
            _disk.RunAll();
            Assert.Equal(bytes, again.One.Reads[1].Single().Payload.Length);
        }

        owner = Open();
        Write(owner.One, 1, 5, new(4));
        for (ulong i = 2; i < 20; i++)
        {
            Write(owner.One, i, i + 4, new(i + 3));
        }

        Assert.All(Segments, name => Assert.Equal(16384, _disk.Content(name).Length));
    }

    [Fact]
    public void A_full_disk_is_told_of_while_there_is_room_to_release_and_ends_when_space_is_back()
    {
        LogOwner owner = Open();
        bool isFull = true;
        _disk.Fate = operation => isFull && IsGrowth(operation) ? DiskStatus.Full : DiskStatus.Done;
        ulong i = 1;
        for (; owner.SpaceNews.Count == 0; i++)
        {
            Write(owner.One, i, i);
            Assert.Null(owner.Failure);
        }

        Assert.Equal([true], owner.SpaceNews);
        owner.One.Log.Write(new Persist { Sequence = i, ReleaseTo = new(i - 2), MustSync = true });
        _disk.RunAll();
        Assert.Equal([true, false], owner.SpaceNews);
        Assert.Null(owner.Failure);
        do
        {
            Write(owner.One, i + 1, i);
            i++;
        }
        while (owner.One.Durable[^1] == i);

        // The last one waits for space, and has not been acknowledged.
        Assert.Null(owner.Failure);
        Assert.Equal([true, false, true], owner.SpaceNews);
        isFull = false;
        owner.Log.LookForSpace();
        _disk.RunAll();
        Assert.Equal(i, owner.One.Durable[^1]);
        Assert.True(Open().One.Opened!.Last.Value >= i - 3);

        bool IsGrowth(DiskOperation operation) => operation.Kind == DiskOperationKind.Allocate
            && (!_disk.Exists(operation.File) || _disk.Content(operation.File).Length < operation.Length);
    }

    [Fact]
    public void A_log_opens_on_a_full_disk_with_room_to_release()
    {
        // Nothing that could be released or written again is looked for.
        NodeLogSettings settings = LogOwner.Small with { SegmentsKeptMax = 1000 };
        LogOwner owner = Open(settings);
        for (ulong i = 1; i <= 22; i++)
        {
            Write(owner.One, i, i);
        }

        _disk.Put(Segments.Last(), null);
        _disk.Fate = operation =>
            operation.Kind == DiskOperationKind.Allocate && operation.Length >= LogOwner.Small.SegmentBytes
                && !_disk.Exists(operation.File)
                ? DiskStatus.Full
                : DiskStatus.Done;
        LogOwner again = Open(settings);
        Assert.Equal([true], again.SpaceNews);
        Write(again.One, 1, 23, new(22));
        Assert.Null(again.Failure);
        Assert.Equal([1], again.One.Durable);
        Assert.Equal([true, false], again.SpaceNews);
        AssertStrict();
    }

    private static Persist Entries(
        ulong sequence, ulong first, int count, int bytes, LogIndex release = default) => new()
        {
            Sequence = sequence,
            Entries = [.. Enumerable.Range(0, count)
            .Select(i => new Entry(new(first + (ulong)i), new(1), EntryKind.Data, new byte[bytes]))],
            ReleaseTo = release,
            MustSync = true,
        };

    private IEnumerable<string> Segments =>
        _disk.Names.Where(name => LogInspector.IsSegment(LogOwner.Prefix, name));

    private void Write(StreamOwner stream, ulong sequence, ulong index, LogIndex release = default)
    {
        stream.Log.Write(Entries(sequence, index, 1, 10, release));
        _disk.RunAll();
    }

    private void AssertStrict() => Assert.Empty(
        LogStrictCheck.Problems(LogOwner.Prefix, _disk.Names, file => _disk.Content(file)));

    private LogOwner Open(NodeLogSettings? settings = null)
    {
        var owner = new LogOwner(_disk, settings);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        _disk.RunAll();
        Assert.Null(owner.Failure);
        return owner;
    }
}
