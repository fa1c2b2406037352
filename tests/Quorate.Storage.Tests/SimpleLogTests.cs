using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>The log on a disk that tells no lies.</summary>
public sealed class SimpleLogTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void A_new_log_is_empty()
    {
        LogOwner owner = Open();
        Assert.Equal(LogModel.Empty.Text(), owner.Text(_disk.RunAll));
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
            Assert.Equal(maker.Model.Text(), owner.Text(_disk.RunAll));
            var writes = new PersistRenumbering();
            for (int i = 0; i < 10; i++)
            {
                owner.Log.Write(writes.Renumber(maker.Next()));
                if (i % 3 == 0)
                {
                    _disk.RunAll();
                }
            }

            _disk.RunAll();
            Assert.Equal(10, owner.Durable.Count);
        }
    }

    [Fact]
    public void Writes_that_wait_for_a_sync_share_the_next_one()
    {
        LogOwner owner = Open();
        int syncs = _disk.Counts[(int)DiskOperationKind.Sync];
        for (ulong i = 1; i <= 50; i++)
        {
            owner.Log.Write(Append(i, i, 1));
        }

        _disk.RunAll();
        Assert.Equal(2, _disk.Counts[(int)DiskOperationKind.Sync] - syncs);
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (ulong)i), owner.Durable);
    }

    [Fact]
    public void A_batch_may_be_reported_by_its_last_write_alone()
    {
        LogOwner owner = Open(new() { NotifyEachWrite = false });
        for (ulong i = 1; i <= 50; i++)
        {
            owner.Log.Write(Append(i, i, 1));
        }

        _disk.RunAll();
        Assert.Equal([1, 50], owner.Durable);
    }

    [Fact]
    public void A_write_that_needs_no_sync_does_without_one_but_never_ahead_of_others()
    {
        LogOwner owner = Open();
        owner.Log.Write(Append(1, 1, 1));
        _disk.RunAll();
        int syncs = _disk.Counts[(int)DiskOperationKind.Sync];
        owner.Log.Write(new Persist { Sequence = 2, HardState = new(new(1), default, new(1)) });
        _disk.RunAll();
        Assert.Equal(syncs, _disk.Counts[(int)DiskOperationKind.Sync]);
        owner.Log.Write(new Persist { Sequence = 3, HardState = new(new(1), default, new(2)) });
        _disk.RunAll();
        Assert.Equal(syncs + 1, _disk.Counts[(int)DiskOperationKind.Sync]);
        Assert.Equal([1, 2, 3], owner.Durable);
    }

    [Fact]
    public void Nothing_is_reported_inside_a_call()
    {
        var owner = new LogOwner(_disk);
        owner.Log.Open();
        Assert.Null(owner.Opened);
        _disk.RunAll();
        owner.Log.Write(Append(1, 1, 1));
        owner.Log.Read(7, new(1), new(1), 100);
        owner.Log.Read(8, new(5), new(9), 100);
        Assert.Empty(owner.Durable);
        Assert.Empty(owner.Reads);
        _disk.RunAll();
        Assert.Equal(new LogIndex(1), Assert.Single(owner.Reads[7]).Index);
        Assert.Empty(owner.Reads[8]);
    }

    [Fact]
    public void A_read_never_gives_out_entries_that_were_cut_after_it_was_asked_for()
    {
        LogOwner owner = Open();
        owner.Log.Write(Append(1, 1, 3));
        _disk.RunAll();
        owner.Log.Read(1, new(1), new(3), 10_000);
        owner.Log.Write(new Persist { Sequence = 2, TruncateFrom = new(2), Entries = [New(2, 2)], MustSync = true });
        owner.Log.Read(2, new(1), new(3), 10_000);
        owner.Log.Read(3, new(2), new(3), 10_000);
        _disk.RunAll();
        Assert.Equal("1@1", Assert.Single(owner.Reads[1]).ToString());
        Assert.Equal("1@1", Assert.Single(owner.Reads[2]).ToString());
        Assert.Equal("2@2", Assert.Single(owner.Reads[3]).ToString());
    }

    [Fact]
    public void A_read_is_bounded_in_bytes_but_brings_one_entry_at_least()
    {
        LogOwner owner = Open(new() { SegmentBytes = 1_000_000 });
        byte[] payload = new byte[100];
        Entry[] entries =
            [.. Enumerable.Range(1, 10).Select(i => new Entry(new((ulong)i), new(1), EntryKind.Data, payload))];
        owner.Log.Write(new Persist { Sequence = 1, Entries = entries, MustSync = true });
        owner.Log.Read(1, new(3), new(10), 1);
        owner.Log.Read(2, new(3), new(10), 3 * (100 + Entry.OverheadBytes));
        _disk.RunAll();
        Assert.Single(owner.Reads[1]);
        Assert.Equal(3, owner.Reads[2].Length);
    }

    [Fact]
    public void Released_segments_are_deleted_and_released_entries_are_not_read()
    {
        LogOwner owner = Open();
        for (ulong i = 0; i < 40; i++)
        {
            owner.Log.Write(Append(i + 1, (i * 3) + 1, 3));
            _disk.RunAll();
        }

        int before = _disk.Names.Count;
        owner.Log.Write(new Persist { Sequence = 41, ReleaseTo = new(119), MustSync = true });
        _disk.RunAll();
        Assert.True(before > 5, $"{before} segments");
        Assert.InRange(_disk.Names.Count, 1, 2);
        owner.Log.Read(1, new(119), new(120), 100);
        owner.Log.Read(2, new(120), new(120), 100);
        _disk.RunAll();
        Assert.Empty(owner.Reads[1]);
        Assert.Single(owner.Reads[2]);
        LogOwner again = Open();
        Assert.Equal((new LogIndex(119), new LogIndex(120)), (again.Opened!.Base, again.Opened.Last));
    }

    [Fact]
    public void Many_restarts_leave_few_segments()
    {
        LogOwner owner = Open(new());
        for (int i = 0; i < 30; i++)
        {
            owner = Open(new());
            owner.Log.Write(Append(1, (ulong)i + 1, 1));
            _disk.RunAll();
        }

        Assert.Single(_disk.Names);
        Assert.Equal(new LogIndex(30), Open().Opened!.Last);
    }

    [Theory]
    [InlineData(DiskOperationKind.Write, DiskStatus.Failed)]
    [InlineData(DiskOperationKind.Sync, DiskStatus.Failed)]
    [InlineData(DiskOperationKind.Write, DiskStatus.Full)]
    public void After_a_failure_nothing_is_acknowledged(DiskOperationKind kind, DiskStatus status)
    {
        LogOwner owner = Open();
        owner.Log.Write(Append(1, 1, 1));
        _disk.RunAll();
        _disk.Fate = operation => operation.Kind == kind ? status : DiskStatus.Done;
        owner.Log.Write(Append(2, 2, 1));
        owner.Log.Write(Append(3, 3, 1));
        _disk.RunAll();
        _disk.Fate = null;
        owner.Log.Write(Append(4, 4, 1));
        owner.Log.Read(1, new(1), new(1), 100);
        _disk.RunAll();
        Assert.Equal([1], owner.Durable);
        Assert.Empty(owner.Reads);
        Assert.NotNull(owner.Failure);
        Assert.Contains("g1/log-", owner.Failure, StringComparison.Ordinal);
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

    private LogOwner Open(SimpleLogSettings? settings = null)
    {
        var owner = new LogOwner(_disk, settings);
        owner.Log.Open();
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
