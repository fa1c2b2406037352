using System.Buffers;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;
using Quorate.Storage.Tests.SSTable;
using Quorate.Storage.Tests.Stores;

namespace Quorate.Storage.Tests.Encryption;

/// <summary>A data key from the day it is exchanged until nothing needs it any more (pitfall S9).</summary>
public sealed class KeyRotationTests : StoreFixture
{
    private readonly SampleEntropy _entropy = new(7);
    private readonly CurrentKey _current;
    private KeyRing _ring = new();

    public KeyRotationTests()
    {
        _current = new(_ring.Create(_entropy).Id);
    }

    [Fact]
    public void A_retired_key_stays_until_its_tables_are_written_again()
    {
        StoreOwner owner = Open();
        Fill(owner, 1);
        Fill(owner, 2);
        uint former = Rotate();
        Assert.False(_ring.TryDrop(former, out string sentence));
        Assert.Contains("files or log segments are encrypted with it", sentence, StringComparison.Ordinal);
        Fill(owner, 3);
        RunUntilRewritten(owner);
        Assert.Equal(0, _ring.ReferencesOf(former));
        Assert.True(_ring.TryDrop(former, out sentence), sentence);
        owner.Call(store => store.Close());
        StoreOwner again = Open();
        for (int i = 0; i < 60; i++)
        {
            Assert.NotNull(Get(again, $"k{i}"));
        }
    }

    [Fact]
    public void No_key_is_dropped_while_a_store_has_yet_to_be_opened()
    {
        StoreOwner owner = Open();
        Fill(owner, 1);
        owner.Call(store => store.Close());
        uint former = Rotate();
        AssertUnread(former);
        var second = new StoreOwner();
        second.Store = Make(Disk, Prefix, second);
        second.Call(store => store.Open());
        RunAll(second);
        RunUntilRewritten(second);
        AssertUnread(former);

        // The first one, which was closed, is destroyed for good only by another.
        _ring.NoteRead();
        Assert.True(_ring.TryDrop(former, out string sentence), sentence);
    }

    [Fact]
    public void A_destroyed_store_needs_no_key()
    {
        StoreOwner owner = Open();
        Fill(owner, 1);
        uint former = Rotate();
        owner.Call(store => store.Destroy());
        RunAll(owner);
        Assert.True(owner.IsDestroyed);
        Assert.True(_ring.TryDrop(former, out string sentence), sentence);
    }

    [Fact]
    public void A_key_that_the_log_needs_stays_until_its_segments_are_released()
    {
        var log = new LogOwner(Disk, keys: _ring);
        AssertUnread(Rotate());
        log.Log.Open();
        uint former = _current.Id;
        ulong index = AppendSealed(log, 1, 5);
        Rotate();
        Assert.False(_ring.TryDrop(former, out _));

        // A process that starts again reads in the log what it needs, and forgets nothing of it.
        _ring = Copy(_ring);
        log = new LogOwner(Disk, keys: _ring);
        AssertUnread(former);
        log.Log.Open();
        StreamOwner stream = log.One;
        Disk.RunAll();
        Assert.NotNull(stream.Opened);
        Assert.True(_ring.ReferencesOf(former) > 0);
        Assert.False(_ring.TryDrop(former, out string sentence));
        Assert.Contains("log segments", sentence, StringComparison.Ordinal);
        index = AppendSealed(log, index, 60, release: true);
        Assert.True(index > 60);
        Assert.Equal(0, _ring.ReferencesOf(former));
        Assert.True(_ring.TryDrop(former, out sentence), sentence);
        Assert.True(_ring.ReferencesOf(_current.Id) > 0);
    }

    [Fact]
    public void A_snapshot_of_an_older_key_is_taken_when_the_key_is_there_and_names_it_when_not()
    {
        List<InstallSnapshot> pieces = SnapshotOf(9);
        uint former = _current.Id;
        KeyRing whole = _ring;
        _ring = new();
        _ring.Add(new DataKey(former + 1, new byte[DataKey.KeyBytes]));
        _current.Rotate(_ring, former + 1);
        StoreOwner owner = Open();
        Receive(owner, pieces);
        Assert.Equal([9UL], owner.Refused);
        Assert.Contains(
            $"data key {former}, which is not among", ((PartitionStore)owner.Store).SnapshotProblem!,
            StringComparison.Ordinal);
        _ring.Add(whole.Find(former)!);
        _ring.Retire(former);
        Receive(owner, pieces);
        Assert.Equal([9UL], owner.Received);
        Assert.Null(((PartitionStore)owner.Store).SnapshotProblem);
        owner.Call(store => store.TakeReceived(pieces[0].Meta));
        Assert.NotNull(Get(owner, "k"));
        RunUntilRewritten(owner);
        Assert.True(_ring.TryDrop(former, out string sentence), sentence);
        Assert.NotNull(Get(owner, "k"));
    }

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        PartitionStoreTests.MakeSmall(disk, prefix, client, new(_ring, _current, _entropy));

    private static KeyRing Copy(KeyRing ring)
    {
        var copy = new KeyRing();
        foreach (uint id in ring.Ids)
        {
            copy.Add(ring.Find(id)!);
            if (ring.IsRetired(id))
            {
                copy.Retire(id);
            }
        }

        return copy;
    }

    private uint Rotate()
    {
        uint former = _current.Id;
        _current.Rotate(_ring, _ring.Create(_entropy).Id);
        return former;
    }

    private void AssertUnread(uint retired)
    {
        Assert.False(_ring.TryDrop(retired, out string sentence));
        Assert.Contains("until all stores and the log are open", sentence, StringComparison.Ordinal);
    }

    private void Fill(StoreOwner owner, ulong index)
    {
        owner.Apply(index, [.. Enumerable.Range(0, 60).Select(i => ($"k{i}", RowType.Text, $"{index}"))]);
        Checkpoint(owner, index);
    }

    private void RunUntilRewritten(StoreOwner owner)
    {
        for (int i = 0; i < 20; i++)
        {
            RunAll(owner);
            Assert.Null(owner.Failure);
        }
    }

    /// <summary>
    /// Appends entries sealed with the key that counts, and lets all before the last go; the next index.
    /// </summary>
    private ulong AppendSealed(LogOwner log, ulong first, int count, bool release = false)
    {
        using var sealer = new EntrySealer(_ring, new(1), _entropy);
        StreamOwner stream = log.One;
        Disk.RunAll();
        ulong index = first;
        for (int i = 0; i < count; i++, index++)
        {
            var payload = new ArrayBufferWriter<byte>();
            sealer.Seal(_current.Id, new byte[800], payload);
            stream.Log.Write(new()
            {
                Sequence = (ulong)i + 1,
                Entries = [new(new(index), new(1), EntryKind.Data, payload.WrittenMemory)],
                HardState = new(new(1), new(1, 1), new(index)),
                MustSync = true,
                ReleaseTo = release ? new(index - 1) : default,
            });
            Disk.RunAll();
        }

        return index;
    }
}
