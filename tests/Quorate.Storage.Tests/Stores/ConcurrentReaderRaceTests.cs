using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// A partition store that applies, clears, checkpoints, compacts and evicts on one thread, against readers on others
/// (pitfall R32). Every entry writes both rows of a pair, in two slots; whatever a reader sees of a pair it sees of one
/// entry, and of none before the index that it began with.
/// </summary>
public sealed class ConcurrentReaderRaceTests
{
    private const int ReaderCount = 2;
    private const int Fillers = 12;
    private const int PairsMin = 1000;
    private const int EntriesMin = 100;
    private static readonly Duration RunTime = Duration.FromMilliseconds(2000);
    private static readonly byte[] Left = StoreOwner.KeyOf("{a}count");
    private static readonly byte[] Right = StoreOwner.KeyOf("{b}count");

    private readonly MemoryDisk _disk = new();
    private readonly MemtableReaders _readers = new(ReaderCount);
    private readonly StoreOwner _owner = new();
    private readonly PartitionStore _store;
    private readonly List<string> _problems = [];
    private readonly SeededRandom _random = new(3);
    private ulong _index;
    private long _validated;
    private long _changed;
    private long _cold;
    private int _asked;
    private bool _ended;

    public ConcurrentReaderRaceTests()
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = "p1-",
            Partition = new(1),
            Memory = new() { RetiredCountMax = 1, UnorderedRowsMax = 64 },
        };
        _store = new(_disk, settings, _owner, new BlockCache(100_000), new MemoryBudget(1 << 24), null, _readers);
        _owner.Store = _store;
        _store.Open();
        _disk.RunAll();
    }

    [Fact]
    public void Readers_see_whole_entries_while_the_store_applies_clears_saves_and_evicts()
    {
        Apply(clears: false);
        Thread[] threads = [.. Enumerable.Range(0, ReaderCount).Select(_ => new Thread(Guarded))];
        Array.ForEach(threads, thread => thread.Start());
        long started = Stopwatch.GetTimestamp();
        while ((Stopwatch.GetElapsedTime(started).TotalMilliseconds < RunTime.Microseconds / 1000.0
            || (!HasSeenEnough && Stopwatch.GetElapsedTime(started) < Soon.Patience))
            && Volatile.Read(ref _ended) == false)
        {
            Change();
        }

        Volatile.Write(ref _ended, true);
        Array.ForEach(threads, thread => thread.Join());
        _store.Close();
        Assert.Null(_owner.Failure);
        Assert.Empty(_problems);
        Assert.True(_validated > PairsMin, $"only {_validated} pairs were read");
        Assert.True(_changed > 0, "readers and writer never met");
        Assert.True(_cold > 0, "no row was ever evicted");
        Assert.True(_index > EntriesMin, $"only {_index} entries were applied");
    }

    /// <summary>Where threads take turns on one core they meet seldom, and it takes longer.</summary>
    private bool HasSeenEnough => Interlocked.Read(ref _validated) > PairsMin && Interlocked.Read(ref _changed) > 0
        && Interlocked.Read(ref _cold) > 0 && _index > EntriesMin;

    /// <summary>What the thread under the lock does: an entry, and now and then all that changes the memory.</summary>
    private void Change()
    {
        Apply(clears: _random.Next(8) == 0);
        if (_owner.Saved.Count == _asked && _random.Next(20) == 0)
        {
            _asked++;
            _store.Checkpoint(() => StoreOwner.Meta(_index));
        }

        // Now and then nothing is written until the checkpoint is done, so that the pair itself is clean and evicted.
        bool waits = _random.Next(100) == 0;
        do
        {
            _store.Work(1000);
            _disk.RunAll();
        }
        while (waits && _owner.Saved.Count < _asked);

        if (waits || _random.Next(50) == 0)
        {
            _store.Memory.EvictClean(int.MaxValue);
        }
    }

    private void Apply(bool clears)
    {
        _index++;
        var writer = new ArrayBufferWriter<byte>();
        if (clears)
        {
            RowChanges.Write(writer, new(RowKey.Clear, RowType.Clear, 0, default));
        }

        byte[] value = Value(_index);
        RowChanges.Write(writer, new(Left, RowType.Text, 0, value));
        for (int i = 0; i < Fillers; i++)
        {
            byte[] key = StoreOwner.KeyOf($"{{{(char)('a' + _random.Next(3))}}}{_random.Next(500)}");
            RowType type = _random.Next(3) == 0 ? RowType.Tombstone : RowType.Text;
            RowChanges.Write(writer, new(key, type, 0, type == RowType.Text ? value : default));
        }

        RowChanges.Write(writer, new(Right, RowType.Text, 0, value));
        _store.Apply(new(_index), StoreOwner.TimeOf(_index), writer.WrittenSpan);
    }

    private static byte[] Value(ulong index)
    {
        byte[] value = new byte[8 * (int)(1 + (index % 30))];
        for (int at = 0; at < value.Length; at += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(at), index);
        }

        return value;
    }

    private void Guarded()
    {
        try
        {
            using ConcurrentReader reader = ConcurrentReader.TryMake(_readers)!;
            for (int i = 0; !Volatile.Read(ref _ended); i++)
            {
                if (reader.TryBegin(_store.Concurrent))
                {
                    // Whichever is asked first: an entry is seen whole.
                    string? problem = i % 2 == 0 ? Read(reader, Left, Right) : Read(reader, Right, Left);
                    reader.End();
                    if (problem is not null)
                    {
                        Report(problem);
                    }
                }
            }
        }
        catch (Exception e)
        {
            Report(e.ToString());
        }
    }

    private string? Read(ConcurrentReader reader, byte[] first, byte[] second)
    {
        Lookup one = reader.Get(first, out Row row);
        RowVersion version = row.Version;
        bool isWhole = one != Lookup.Found || row.Value.SequenceEqual(Value(version.Index.Value));
        Lookup two = reader.Get(second, out Row other);
        isWhole &= two != Lookup.Found || other.Value.SequenceEqual(Value(other.Version.Index.Value));
        if (!isWhole)
        {
            return $"a torn row, {version} or {other.Version}";
        }

        if (reader.Time != StoreOwner.TimeOf(reader.Applied.Value))
        {
            return $"{reader.Time} is not the time of {reader.Applied}";
        }

        if (!reader.Validate())
        {
            Interlocked.Increment(ref _changed);
            return null;
        }

        if (one == Lookup.Cold || two == Lookup.Cold)
        {
            Interlocked.Increment(ref _cold);
            return null;
        }

        Interlocked.Increment(ref _validated);
        bool isRight = one == Lookup.Found && two == Lookup.Found && version.Index == other.Version.Index
            && version.Index >= reader.Applied && version.Index <= reader.Seen;
        return isRight ? null : $"at {reader.Applied}: {one} {version} and {two} {other.Version}";
    }

    private void Report(string problem)
    {
        lock (_problems)
        {
            _problems.Add(problem);
        }

        Volatile.Write(ref _ended, true);
    }
}
