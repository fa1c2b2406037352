using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>The node's log on a disk that tells no lies.</summary>
public sealed class NodeLogTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void A_new_log_is_empty()
    {
        LogOwner owner = Open();
        Assert.Equal(LogModel.Empty.Text(), owner.One.Text(_disk.RunAll));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_was_written_is_there_after_every_reopening(ulong seed)
    {
        var maker = new PersistMaker(seed);
        for (int round = 0; round < 20; round++)
        {
            LogOwner owner = Open();
            Assert.Equal(maker.Model.Text(), owner.One.Text(_disk.RunAll));
            var writes = new PersistRenumbering();
            Persist write;
            int count = 0;
            do
            {
                // The last one needs a sync: one that does not may be lost.
                write = writes.Renumber(maker.Next());
                owner.One.Log.Write(write);
                if (count++ % 3 == 0)
                {
                    _disk.RunAll();
                }
            }
            while (count < 10 || !write.MustSync);

            _disk.RunAll();
            Assert.Equal(count, owner.One.Durable.Count);
        }
    }

    [Fact]
    public void Writes_of_all_streams_that_wait_for_a_sync_share_the_next_one()
    {
        LogOwner owner = Open(new());
        StreamOwner other = owner[new(new(2), 1)];
        _disk.RunAll();
        int writes = _disk.Counts[(int)DiskOperationKind.WriteDurable];
        for (ulong i = 1; i <= 50; i++)
        {
            owner.One.Log.Write(Append(i, i, 1));
            other.Log.Write(Append(i, i, 1));
        }

        _disk.RunAll();
        Assert.Equal(2, _disk.Counts[(int)DiskOperationKind.WriteDurable] - writes);
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (ulong)i), owner.One.Durable);
        Assert.Equal(owner.One.Durable, other.Durable);
    }

    [Fact]
    public void Batches_are_whole_blocks_and_rewrite_none()
    {
        var written = new List<(string File, long Offset, int Length)>();
        _disk.Fate = operation =>
        {
            if (operation.Kind == DiskOperationKind.WriteDurable)
            {
                written.Add((operation.File, operation.Offset, operation.Data.Length));
            }

            Assert.NotEqual(DiskOperationKind.Write, operation.Kind);
            return DiskStatus.Done;
        };
        LogOwner owner = Open();
        for (ulong i = 1; i <= 40; i++)
        {
            owner.One.Log.Write(Append(i, i, 1));
            _disk.RunAll();
        }

        Assert.All(written, w => Assert.Equal((0, 0), (w.Offset % 4096, w.Length % 4096)));
        written.RemoveAll(w => string.Equals(w.File, "n1/log.mark", StringComparison.Ordinal));
        Assert.Equal(written.Count, written.Select(w => (w.File, w.Offset)).Distinct().Count());
    }

    [Fact]
    public void A_write_that_needs_no_sync_rides_along_but_is_never_reported_ahead_of_others()
    {
        LogOwner owner = Open();
        int writes = _disk.Counts[(int)DiskOperationKind.WriteDurable];
        owner.One.Log.Write(Append(1, 1, 1));
        owner.One.Log.Write(new Persist { Sequence = 2, HardState = new(new(1), default, new(1)) });
        owner.One.Log.Write(new Persist { Sequence = 3, HardState = new(new(2), default, new(1)) });
        Assert.Empty(owner.One.Durable);
        _disk.RunAll();
        Assert.Equal([1, 2, 3], owner.One.Durable);
        Assert.Equal(1, _disk.Counts[(int)DiskOperationKind.WriteDurable] - writes);
        owner.One.Log.Write(Append(4, 2, 1));
        _disk.RunAll();
        Assert.Equal(2, _disk.Counts[(int)DiskOperationKind.WriteDurable] - writes);
        Assert.Equal(new Term(2), Open().One.Opened!.HardState.Term);
    }

    [Fact]
    public void Writes_that_need_no_sync_are_written_when_many_wait_or_nothing_is_under_way()
    {
        LogOwner owner = Open(LogOwner.Small with { LazyWritesMax = 3 });
        owner.One.Log.Write(new Persist { Sequence = 1, HardState = new(new(1), default, default) });
        _disk.RunAll();
        Assert.Equal(new Term(1), Open().One.Opened!.HardState.Term);
        owner = Open(LogOwner.Small with { LazyWritesMax = 3 });
        for (ulong i = 1; i <= 4; i++)
        {
            owner.One.Log.Write(new Persist { Sequence = i, HardState = new(new(i + 1), default, default) });
        }

        _disk.RunAll();
        Assert.Equal(new Term(5), Open().One.Opened!.HardState.Term);
    }

    [Fact]
    public void Nothing_is_reported_inside_a_call()
    {
        var owner = new LogOwner(_disk);
        owner.Log.Open();
        StreamOwner one = owner.One;
        Assert.Null(owner.Opened);
        Assert.Null(one.Opened);
        _disk.RunAll();
        owner.One.Log.Write(Append(1, 1, 1));
        owner.One.Log.Read(7, new(1), new(1), 100);
        owner.One.Log.Read(8, new(5), new(9), 100);
        Assert.Empty(owner.One.Durable);
        Assert.Empty(owner.One.Reads);
        _disk.RunAll();
        Assert.Equal(new LogIndex(1), Assert.Single(owner.One.Reads[7]).Index);
        Assert.Empty(owner.One.Reads[8]);
    }

    [Fact]
    public void A_read_never_gives_out_entries_that_were_cut_after_it_was_asked_for()
    {
        LogOwner owner = Open();
        owner.One.Log.Write(Append(1, 1, 3));
        _disk.RunAll();
        owner.One.Log.Read(1, new(1), new(3), 10_000);
        owner.One.Log.Write(
            new Persist { Sequence = 2, TruncateFrom = new(2), Entries = [New(2, 2)], MustSync = true });
        owner.One.Log.Read(2, new(1), new(3), 10_000);
        owner.One.Log.Read(3, new(2), new(3), 10_000);
        _disk.RunAll();
        Assert.Equal("1@1", Assert.Single(owner.One.Reads[1]).ToString());
        Assert.Equal("1@1", Assert.Single(owner.One.Reads[2]).ToString());
        Assert.Equal("2@2", Assert.Single(owner.One.Reads[3]).ToString());
    }

    [Fact]
    public void A_read_is_bounded_in_bytes_but_brings_one_entry_at_least()
    {
        LogOwner owner = Open(new() { SegmentBytes = 1024 * 1024 });
        byte[] payload = new byte[100];
        Entry[] entries =
            [.. Enumerable.Range(1, 10).Select(i => new Entry(new((ulong)i), new(1), EntryKind.Data, payload))];
        owner.One.Log.Write(new Persist { Sequence = 1, Entries = entries, MustSync = true });
        owner.One.Log.Read(1, new(3), new(10), 1);
        owner.One.Log.Read(2, new(3), new(10), 3 * (100 + Entry.OverheadBytes));
        _disk.RunAll();
        Assert.Single(owner.One.Reads[1]);
        Assert.Equal(3, owner.One.Reads[2].Length);
    }

    [Fact]
    public void Released_segments_are_recycled_and_released_entries_are_not_read()
    {
        LogOwner owner = Open();
        for (ulong i = 0; i < 40; i++)
        {
            owner.One.Log.Write(Append(i + 1, (i * 3) + 1, 3));
            _disk.RunAll();
        }

        int before = owner.Log.Segments.Count;
        owner.One.Log.Write(new Persist { Sequence = 41, ReleaseTo = new(119), MustSync = true });
        _disk.RunAll();
        Assert.True(before > 5, $"{before} segments");
        Assert.InRange(owner.Log.Segments.Count, 1, 2);
        Assert.InRange(_disk.Names.Count, 1, 6);
        owner.One.Log.Read(1, new(119), new(120), 100);
        owner.One.Log.Read(2, new(120), new(120), 100);
        _disk.RunAll();
        Assert.Empty(owner.One.Reads[1]);
        Assert.Single(owner.One.Reads[2]);
        LogOwner again = Open();
        Assert.Equal((new LogIndex(119), new LogIndex(120)), (again.One.Opened!.Base, again.One.Opened.Last));
    }

    [Fact]
    public void Many_restarts_leave_few_segments()
    {
        LogOwner owner = Open(new() { SegmentBytes = 65536 });
        for (int i = 0; i < 30; i++)
        {
            owner = Open(new() { SegmentBytes = 65536 });
            owner.One.Log.Write(Append(1, (ulong)i + 1, 1));
            _disk.RunAll();
        }

        Assert.Single(owner.Log.Segments);
        Assert.Equal(3, _disk.Names.Count);
        Assert.Equal(new LogIndex(30), Open().One.Opened!.Last);
    }

    [Fact]
    public void A_stream_that_is_opened_later_finds_what_it_had()
    {
        LogOwner owner = Open();
        owner.One.Log.Write(Append(1, 1, 3));
        _disk.RunAll();
        var again = new LogOwner(_disk);
        again.Log.Open();
        _disk.RunAll();
        Assert.Equal([LogOwner.FirstStream], again.Opened!);
        StreamOwner late = again.One;
        Assert.Null(late.Opened);
        _disk.RunAll();
        Assert.Equal(new LogIndex(3), late.Opened!.Last);
    }

    [Theory]
    [InlineData(DiskOperationKind.WriteDurable, DiskStatus.Failed)]
    [InlineData(DiskOperationKind.WriteDurable, DiskStatus.Full)]
    public void After_a_failure_nothing_is_acknowledged(DiskOperationKind kind, DiskStatus status)
    {
        LogOwner owner = Open();
        owner.One.Log.Write(Append(1, 1, 1));
        _disk.RunAll();
        _disk.Fate = operation => operation.Kind == kind ? status : DiskStatus.Done;
        owner.One.Log.Write(Append(2, 2, 1));
        owner.One.Log.Write(Append(3, 3, 1));
        _disk.RunAll();
        _disk.Fate = null;
        owner.One.Log.Write(Append(4, 4, 1));
        owner.One.Log.Read(1, new(1), new(1), 100);
        _disk.RunAll();
        Assert.Equal([1], owner.One.Durable);
        Assert.Empty(owner.One.Reads);
        Assert.NotNull(owner.Failure);
        Assert.Contains("n1/log-", owner.Failure, StringComparison.Ordinal);
        Assert.Equal(status == DiskStatus.Full, owner.Failure.Contains("full", StringComparison.Ordinal));
    }

    [Fact]
    public void A_failed_sync_of_the_folder_ends_the_log()
    {
        var owner = new LogOwner(_disk);
        _disk.Fate = operation => operation.Kind == DiskOperationKind.SyncFolder ? DiskStatus.Failed : DiskStatus.Done;
        owner.Log.Open();
        _disk.RunAll();
        Assert.Null(owner.Opened);
        Assert.NotNull(owner.Failure);
    }

    private static Entry New(ulong index, ulong term) =>
        new(new(index), new(term), EntryKind.Data, new byte[] { 1, 2, 3 });

    private static Persist Append(ulong sequence, ulong first, int count) => new()
    {
        Sequence = sequence,
        Entries = [.. Enumerable.Range(0, count).Select(i => New(first + (ulong)i, 1))],
        MustSync = true,
    };

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

/// <summary>Numbers writes from one, as each new process does.</summary>
internal sealed class PersistRenumbering
{
    private ulong _sequence;

    public Persist Renumber(Persist persist) => new()
    {
        Sequence = ++_sequence,
        ResetTo = persist.ResetTo,
        TruncateFrom = persist.TruncateFrom,
        Entries = persist.Entries,
        HardState = persist.HardState,
        ReleaseTo = persist.ReleaseTo,
        MustSync = persist.MustSync,
    };
}
