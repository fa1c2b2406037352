using Quorate.Simulator.Disk;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Tests;

/// <summary>The lying disk keeps the promises it makes, and breaks the ones it does not make.</summary>
public sealed class SimulatedDiskTests : IDiskClient
{
    private readonly SimulatedDisk _disk = new(_ => { }, 1);
    private DiskCompletion _last;

    void IDiskClient.Complete(in DiskCompletion completion) => _last = completion;

    [Fact]
    public void What_is_synced_with_its_name_survives_and_what_is_not_may_be_lost()
    {
        bool lost = false;
        bool survived = false;
        bool torn = false;
        for (ulong seed = 0; seed < 60; seed++)
        {
            _disk.Wipe();
            Write("f", 0, 1, 100);
            Do(new(1, DiskOperationKind.Sync, "f"));
            Do(new(1, DiskOperationKind.SyncFolder, ""));
            Write("f", 100, 2, 20_000);
            _disk.PowerLost(new(seed));
            byte[] content = _disk.Content("f")!.Value.ToArray();
            Assert.All(content[..100], b => Assert.Equal(1, b));
            int kept = content.Count(b => b == 2);
            lost |= kept == 0;
            survived |= kept == 20_000;
            for (int page = 4096; page < 16384 && page + 4096 <= content.Length; page += 4096)
            {
                int inPage = content.AsSpan(page, 4096).Count((byte)2);
                torn |= inPage is > 0 and < 4096;
                Assert.Equal(0, inPage % 512);
            }

            Assert.Equal(content.Length, _disk.BytesUsed);
        }

        Assert.True(lost && survived && torn);
    }

    [Fact]
    public void A_file_may_vanish_whose_folder_was_not_synced()
    {
        bool gone = false;
        bool there = false;
        for (ulong seed = 0; seed < 20; seed++)
        {
            _disk.Wipe();
            Write("f", 0, 1, 100);
            Do(new(1, DiskOperationKind.Sync, "f"));
            _disk.PowerLost(new(seed));
            gone |= _disk.Content("f") is null;
            there |= _disk.Content("f") is { Length: 100 };
        }

        Assert.True(gone && there);
    }

    [Fact]
    public void Names_survive_as_a_prefix_of_their_changes()
    {
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        for (ulong seed = 0; seed < 60; seed++)
        {
            _disk.Wipe();
            Write("a", 0, 1, 1);
            Do(new(1, DiskOperationKind.Rename, "a", NewName: "b"));
            Write("c", 0, 1, 1);
            Do(new(1, DiskOperationKind.Delete, "b"));
            _disk.PowerLost(new(seed));
            seen.Add(string.Join(',', _disk.Names));
        }

        Assert.Equal(["", "a", "b", "b,c", "c"], seen);
    }

    [Fact]
    public void Process_death_keeps_the_page_cache_and_perhaps_what_was_under_way()
    {
        var lengths = new SortedSet<int>();
        for (ulong seed = 0; seed < 30; seed++)
        {
            _disk.Wipe();
            Write("f", 0, 1, 10);
            var data = new byte[1000];
            _disk.Submit(new(2, DiskOperationKind.Write, "f", 10, data), this);
            PendingDiskOperation pending = _disk.Pending[0];
            _last = default;
            _disk.ProcessDied(new(seed));
            _disk.Execute(pending);
            Assert.Equal(default, _last);
            lengths.Add(_disk.Content("f")!.Value.Length);
        }

        Assert.Contains(10, lengths);
        Assert.Contains(1010, lengths);
        Assert.True(lengths.Count > 4);
    }

    [Fact]
    public void After_a_failed_sync_bytes_are_shown_that_no_later_sync_makes_durable()
    {
        Write("f", 0, 1, 10);
        Do(new(1, DiskOperationKind.Sync, "f"));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        Write("f", 10, 2, 10);
        _disk.FailNextSync();
        Assert.Equal(DiskStatus.Failed, Do(new(1, DiskOperationKind.Sync, "f")).Status);
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.Sync, "f")).Status);
        Assert.Equal(20, _disk.Content("f")!.Value.Length);
        Assert.Equal(10, _disk.DurableContent("f")!.Value.Length);
        Write("f", 10, 3, 5);
        Do(new(1, DiskOperationKind.Sync, "f"));
        _disk.PowerLost(new(1));
        Assert.Equal(15, _disk.Content("f")!.Value.Length);
    }

    [Fact]
    public void A_sync_covers_only_what_was_complete_when_it_was_asked_for()
    {
        Write("f", 0, 1, 10);
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        _disk.Submit(new(1, DiskOperationKind.Sync, "f"), this);
        PendingDiskOperation sync = _disk.Pending[0];
        Write("f", 10, 2, 10);
        _disk.Execute(sync);
        Assert.Equal(10, _disk.DurableContent("f")!.Value.Length);
    }

    [Fact]
    public void A_full_disk_refuses_to_grow()
    {
        _disk.CapacityBytes = 100;
        Assert.Equal(DiskStatus.Done, Write("f", 0, 1, 90));
        Assert.Equal(DiskStatus.Full, Write("g", 0, 1, 50));
        Assert.InRange(_disk.BytesUsed, 90, 100);
        Assert.Equal(DiskStatus.Done, Write("f", 0, 2, 90));
        Do(new(1, DiskOperationKind.Delete, "f"));
        Assert.Equal(DiskStatus.Done, Write("g", 0, 1, 50));
        _disk.SetFull(true);
        Assert.Equal(DiskStatus.Full, Write("g", 50, 1, 1));
    }

    [Fact]
    public void A_flipped_bit_is_one_bit_of_what_is_durable()
    {
        Assert.Null(_disk.FlipBit(new(1), "f"));
        Write("f", 0, 0, 1000);
        Do(new(1, DiskOperationKind.Sync, "f"));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        long? at = _disk.FlipBit(new(1), "f", 50);
        Assert.InRange(at!.Value, 0, 49);
        Assert.Equal(1, _disk.Content("f")!.Value.ToArray().Count(b => b != 0));
    }

    [Fact]
    public void A_durable_write_survives_once_it_is_told_of()
    {
        Do(new(1, DiskOperationKind.Allocate, "f", Length: 8192));
        Do(new(1, DiskOperationKind.Sync, "f"));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        Write("f", 0, 7, 100);
        Assert.Equal(DiskStatus.Done, WriteDurable("f", 4096, 1, 4096));
        _disk.PowerLost(new(1));
        byte[] content = _disk.Content("f")!.Value.ToArray();
        Assert.All(content[..100], b => Assert.Equal(7, b));
        Assert.All(content[4096..], b => Assert.Equal(1, b));
    }

    [Fact]
    public void A_durable_write_covers_no_write_that_completed_after_it_was_asked_for()
    {
        Do(new(1, DiskOperationKind.Allocate, "f", Length: 8192));
        Do(new(1, DiskOperationKind.Sync, "f"));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        _disk.Submit(new(1, DiskOperationKind.WriteDurable, "f", 0, Filled(1, 10)), this);
        PendingDiskOperation durable = _disk.Pending[0];
        Write("f", 4096, 2, 10);
        _disk.Execute(durable);
        byte[] content = _disk.DurableContent("f")!.Value.ToArray();
        Assert.Equal(1, content[0]);
        Assert.Equal(0, content[4096]);
    }

    [Fact]
    public void A_death_during_a_durable_write_leaves_any_prefix_written_and_synced_only_whole()
    {
        var seen = new HashSet<(bool Part, bool Whole, bool Durable)>();
        for (ulong seed = 0; seed < 60; seed++)
        {
            AllocateAnew(16384);
            _disk.Submit(new(1, DiskOperationKind.WriteDurable, "f", 0, Filled(1, 16384)), this);
            _disk.ProcessDied(new(seed));
            int shown = _disk.Content("f")!.Value.ToArray().Count(b => b == 1);
            int durable = _disk.DurableContent("f")!.Value.ToArray().Count(b => b == 1);
            Assert.Equal(shown, _disk.Content("f")!.Value.Span[..shown].Count((byte)1));
            Assert.True(durable == 0 || durable == 16384);
            seen.Add((shown is > 0 and < 16384, shown == 16384, durable > 0));
        }

        Assert.Equal(4, seen.Count);
    }

    [Fact]
    public void Power_that_goes_during_a_durable_write_leaves_pages_in_any_order_and_torn()
    {
        bool gap = false;
        bool torn = false;
        for (ulong seed = 0; seed < 60; seed++)
        {
            AllocateAnew(16384);
            _disk.Submit(new(1, DiskOperationKind.WriteDurable, "f", 0, Filled(1, 16384)), this);
            _disk.PowerLost(new(seed));
            byte[] content = _disk.Content("f")!.Value.ToArray();
            int first = Array.IndexOf(content, (byte)0);
            gap |= first >= 0 && Array.LastIndexOf(content, (byte)1) > first;
            torn |= first >= 0 && first % 4096 != 0;
        }

        Assert.True(gap && torn);
    }

    [Fact]
    public void A_durable_write_may_find_no_room_or_fail_to_sync()
    {
        _disk.CapacityBytes = 100;
        Assert.Equal(DiskStatus.Full, WriteDurable("f", 0, 1, 200));
        Assert.Equal(0, _disk.DurableContent("f")?.Length ?? 0);
        _disk.CapacityBytes = 1000;
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        _disk.FailNextSync();
        Assert.Equal(DiskStatus.Failed, WriteDurable("f", 0, 1, 200));
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.Sync, "f")).Status);
        Assert.Equal(200, _disk.Content("f")!.Value.Length);
        _disk.PowerLost(new(1));
        Assert.Equal(0, _disk.Content("f")!.Value.Length);
    }

    [Fact]
    public void Allocate_counts_its_space_and_shows_zeros_that_a_sync_makes_durable()
    {
        _disk.CapacityBytes = 10_000;
        Write("f", 0, 1, 100);
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.Allocate, "f", Length: 8192)).Status);
        Assert.Equal(8192, _disk.BytesUsed);
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.Allocate, "f", Length: 10)).Status);
        Assert.Equal(DiskStatus.Full, Do(new(1, DiskOperationKind.Allocate, "g", Length: 8192)).Status);
        Assert.InRange(_disk.BytesUsed, 8192, 10_000);
        Do(new(1, DiskOperationKind.Sync, "f"));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        _disk.PowerLost(new(1));
        byte[] content = _disk.Content("f")!.Value.ToArray();
        Assert.Equal(8192, content.Length);
        Assert.Equal(100, content.Count(b => b == 1));
        Assert.Equal(8092, content.Count(b => b == 0));
    }

    [Fact]
    public void Each_failure_comes_once_and_where_it_was_named()
    {
        Write("f", 0, 1, 100);
        _disk.FailNext(DiskFailures.Read | DiskFailures.Write);
        Assert.Equal(DiskStatus.Failed, Do(new(1, DiskOperationKind.Read, "f", 0, Length: 10)).Status);
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.Read, "f", 0, Length: 10)).Status);
        Assert.Equal(DiskStatus.Failed, Write("f", 100, 2, 100));
        Assert.InRange(_disk.Content("f")!.Value.Length, 100, 200);
        Assert.Equal(_disk.BytesUsed, _disk.Content("f")!.Value.Length);
        Assert.Equal(DiskStatus.Done, Write("f", 100, 2, 100));
        _disk.FailNext(DiskFailures.Write);
        Assert.Equal(DiskStatus.Failed, Do(new(1, DiskOperationKind.Allocate, "f", Length: 1000)).Status);
        Assert.Equal(_disk.BytesUsed, _disk.Content("f")!.Value.Length);
        _disk.FailNext(DiskFailures.FolderSync);
        _disk.Mend();
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.SyncFolder, "")).Status);
        Assert.Equal(["f"], _disk.DurableNames);
    }

    [Fact]
    public void After_a_failed_folder_sync_no_later_one_of_the_same_process_means_anything()
    {
        Write("f", 0, 1, 100);
        _disk.FailNext(DiskFailures.FolderSync);
        Assert.Equal(DiskStatus.Failed, Do(new(1, DiskOperationKind.SyncFolder, "")).Status);
        Assert.Equal(DiskStatus.Done, Do(new(1, DiskOperationKind.SyncFolder, "")).Status);
        Assert.Empty(_disk.DurableNames);
        _disk.ProcessDied(new(1));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
        Assert.Equal(["f"], _disk.DurableNames);
    }

    private static byte[] Filled(byte value, int length)
    {
        byte[] data = new byte[length];
        data.AsSpan().Fill(value);
        return data;
    }

    private void AllocateAnew(int length)
    {
        _disk.ProcessDied(new(1));
        _disk.Wipe();
        Do(new(1, DiskOperationKind.Allocate, "f", Length: length));
        Do(new(1, DiskOperationKind.Sync, "f"));
        Do(new(1, DiskOperationKind.SyncFolder, ""));
    }

    private DiskStatus WriteDurable(string file, long offset, byte value, int length) =>
        Do(new(1, DiskOperationKind.WriteDurable, file, offset, Filled(value, length))).Status;

    private DiskStatus Write(string file, long offset, byte value, int length) =>
        Do(new(1, DiskOperationKind.Write, file, offset, Filled(value, length))).Status;

    private DiskCompletion Do(in DiskOperation operation)
    {
        _disk.Submit(operation, this);
        _disk.Execute(_disk.Pending[^1]);
        return _last;
    }
}
