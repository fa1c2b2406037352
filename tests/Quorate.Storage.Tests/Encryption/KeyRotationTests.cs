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
        _current = new(NewKey());
    }

    [Fact]
    public void Tables_of_a_retired_key_are_written_again()
    {
        StoreOwner owner = Open();
        Fill(owner, 1);
        Fill(owner, 2);
        uint former = Rotate();
        Assert.True(_ring.ReferencesOf(former) > 0);
        Fill(owner, 3);
        RunUntilRewritten(owner);
        Assert.Equal(0, _ring.ReferencesOf(former));
        owner.Call(store => store.Close());

        // Nothing needs the former key any more.
        uint current = _current.Id;
        KeyRing whole = _ring;
        _ring = new();
        _ring.Add(whole.Find(current)!);
        StoreOwner again = Open();
        for (int i = 0; i < 60; i++)
        {
            Assert.NotNull(Get(again, $"k{i}"));
        }
    }

    /// <summary>A store to which nothing else happens is let work once when the key is exchanged.</summary>
    [Fact]
    public void All_tables_of_an_idle_store_are_written_again()
    {
        StoreOwner owner = Open();
        for (ulong index = 1; index <= 3; index++)
        {
            Fill(owner, index);
        }

        Assert.True(((PartitionStore)owner.Store).TableBytes.Count > 1);
        uint former = Rotate();
        owner.Call(store => store.Work(int.MaxValue));
        Disk.RunAll();
        Assert.Equal(0, _ring.ReferencesOf(former));
    }

    [Fact]
    public void A_destroyed_store_refers_to_no_key()
    {
        StoreOwner owner = Open();
        Fill(owner, 1);
        uint former = Rotate();
        owner.Call(store => store.Destroy());
        RunAll(owner);
        Assert.True(owner.IsDestroyed);
        Assert.Equal(0, _ring.ReferencesOf(former));
    }

    [Fact]
    public void The_log_refers_to_a_key_until_its_segments_are_released()
    {
        var log = new LogOwner(Disk, keys: _ring);
        Rotate();
        log.Log.Open();
        uint former = _current.Id;
        ulong index = AppendSealed(log, 1, 5);
        Rotate();
        Assert.True(_ring.ReferencesOf(former) > 0);

        // A process that starts again reads in the log what it needs, and forgets nothing of it.
        _ring = Copy(_ring);
        log = new LogOwner(Disk, keys: _ring);
        log.Log.Open();
        StreamOwner stream = log.One;
        Disk.RunAll();
        Assert.NotNull(stream.Opened);
        Assert.True(_ring.ReferencesOf(former) > 0);
        index = AppendSealed(log, index, 60, release: true);
        Assert.True(index > 60);
        Assert.Equal(0, _ring.ReferencesOf(former));
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
        Assert.Equal(0, _ring.ReferencesOf(former));
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
        _current.Rotate(_ring, NewKey());
        return former;
    }

    private uint NewKey()
    {
        byte[] bytes = new byte[DataKey.KeyBytes];
        _entropy.Fill(bytes);
        uint id = (uint)_ring.Ids.Count + 1;
        _ring.Add(new(id, bytes));
        return id;
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
            sealer.Seal(_current.Id, new(new(1), new(index)), new byte[800], payload);
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
