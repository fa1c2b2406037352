using System.Diagnostics;
using Quorate.Bench.Memory;
using Quorate.Bench.RocksDb;
using Quorate.Storage.Blocks;
using Quorate.Storage.SSTable;
using Quorate.Storage.Stores;

namespace Quorate.Bench.Stores;

/// <summary>
/// The partition store beside RocksDB: a million rows, the same blocks, filter bits, cache and compression, neither
/// with a log of its own. The store has one thread and its disk's, RocksDB one and a background job.
/// </summary>
internal static class StoreFigure
{
    private const int Rows = 1_000_000;
    private const long MemtableBytes = 32 * 1024 * 1024;
    private const long AllBytes = 512 * 1024 * 1024;
    private const int Rounds = 3;
    private const int CachedReads = 300_000;
    private const int ColdReads = 20_000;
    private const int ScanRows = 20_000;

    public static int Run(string folder, bool compress)
    {
        string name = $"quorate-bench-{Environment.ProcessId}";
        string root = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        try
        {
            var keys = new StoreKeys(Rows);
            Console.WriteLine(
                $"{Rows} rows of {IRows.KeyBytes} B + {IRows.ValueBytes} B, "
                + $"{(compress ? "Snappy" : "no compression")}; the store, then RocksDB, "
                + "then their ratio (below 1: the store is slower)");
            string store = Directory.CreateDirectory(Path.Combine(root, "store")).FullName;
            string rocks = Directory.CreateDirectory(Path.Combine(root, "rocks")).FullName;
            Write(keys, store, rocks, compress);
            using (var owner = new StoreOwner(store, Settings(compress), 2 * AllBytes))
            using (var other = new RocksStore(rocks, OthersSettings(compress, AllBytes)))
            {
                Scan("full scan, first", owner, other);
                Scan("full scan, cached", owner, other);
                Read("cached, uniform", owner, other, keys.Uniform, CachedReads, 1);
                Read("cached, zipf", owner, other, keys.Zipf, CachedReads, 1);
            }

            ReadCold(keys, store, rocks, compress);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        return 0;
    }

    /// <summary>Settings with which tables are merged only when more than so many are there.</summary>
    public static PartitionStoreSettings Settings(bool compress, int tablesMax = 1000) => new()
    {
        Prefix = "",
        Partition = new(1),
        Tables = new SSTableSettings { Compression = compress ? BlockCompression.Snappy : BlockCompression.None },
        TierTablesMin = 1000,
        TablesMax = tablesMax,
    };

    private static RocksSettings OthersSettings(bool compress, long cacheBytes) => new()
    {
        BlockBytes = new SSTableSettings().BlockBytes,
        FilterBitsPerKey = new SSTableSettings().FilterBitsPerKey,
        CacheBytes = cacheBytes,
        MemtableBytes = MemtableBytes,
        Compress = compress,
        CompactByItself = false,
    };

    private static void Write(StoreKeys keys, string store, string rocks, bool compress)
    {
        double ingest;
        using (var owner = new StoreOwner(store, Settings(compress), 2 * AllBytes))
        {
            ingest = Seconds(() => owner.Ingest(keys, MemtableBytes));
            Console.WriteLine($"store: {owner.TableBytes.Count} tables, {owner.TableBytes.Sum() >> 20} MiB");
        }

        double compaction;
        using (var owner = new StoreOwner(store, Settings(compress, tablesMax: 1), 2 * AllBytes))
        {
            compaction = Seconds(() => owner.Compact(tables: 1));
        }

        using var other = new RocksStore(rocks, OthersSettings(compress, AllBytes));
        double othersIngest = Seconds(() => IngestOther(keys, other));
        long bytes = new DirectoryInfo(rocks).EnumerateFiles("*.sst").Sum(file => file.Length);
        Console.WriteLine($"RocksDB: {Directory.GetFiles(rocks, "*.sst").Length} files, {bytes >> 20} MiB");
        double othersCompaction = Seconds(other.Compact);
        Print("ingest, all flushed", ingest, othersIngest, Rows);
        Print("compaction of all into one", compaction, othersCompaction, Rows);
    }

    private static void ReadCold(StoreKeys keys, string store, string rocks, bool compress)
    {
        long memory = keys.Bytes / 10;
        var owner = new StoreOwner(store, Settings(compress), memory);

        // RocksDB's indexes and filters are beside its cache, too.
        long cache = memory / 2;
        using var other = new RocksStore(rocks, OthersSettings(compress, cache));
        Console.WriteLine($"memory {memory >> 10} KiB, of which {cache >> 10} KiB for blocks, for RocksDB as well");
        foreach (int atOnce in (int[])[1, 16])
        {
            Read($"cold, uniform, {atOnce} at once", owner, other, keys.Uniform, ColdReads, atOnce);
            Read($"cold, zipf, {atOnce} at once", owner, other, keys.Zipf, ColdReads, atOnce);
        }

        Read(
            "cold, absent, uniform", owner, other, seed => StoreKeys.Absent(keys.Uniform(seed)), ColdReads, 1,
            areThere: false);
        Scan("full scan, cold", owner, other);
        owner.Dispose();
        PartitionStoreSettings settings = Settings(compress);
        ScanAnew("8 blocks a fetch", store, settings with { ReadAheadBytesMax = 0 }, memory);
        ScanAnew("as many more as were passed", store, settings, memory);
    }

    private static void ScanAnew(string what, string store, PartitionStoreSettings settings, long memory)
    {
        using var owner = new StoreOwner(store, settings, memory);
        int begun = 0;
        double time = Seconds(() => begun = owner.ScanAnew(ScanRows));
        Console.WriteLine($"cold scan of {ScanRows} rows, {what}: began {begun} times, {time * 1000:F1} ms");
    }

    private static void IngestOther(StoreKeys keys, RocksStore other)
    {
        Span<byte> key = stackalloc byte[IRows.KeyBytes];
        Span<byte> value = stackalloc byte[IRows.ValueBytes];
        for (int place = 0; place < keys.Rows; place++)
        {
            long number = keys.At(place);
            IRows.WriteKey(key, number);
            StoreKeys.WriteValue(value, number);
            other.Put(key, value);
        }

        other.Flush();
    }

    private static long ReadOther(RocksStore other, Func<long> next, long count)
    {
        Span<byte> key = stackalloc byte[IRows.KeyBytes];
        long found = 0;
        for (long i = 0; i < count; i++)
        {
            IRows.WriteKey(key, next());
            found += other.Get(key) >= 0 ? 1 : 0;
        }

        return found;
    }

    private static void Scan(string what, StoreOwner owner, RocksStore other)
    {
        long rows = 0;
        double time = Seconds(() => rows = owner.Scan());
        long othersRows = 0;
        double othersTime = Seconds(() => othersRows = other.Scan());
        Expect(rows == Rows && othersRows == Rows);
        Print(what, time, othersTime, Rows);
    }

    /// <summary>By turns, and the median of their times.</summary>
    private static void Read(
        string what, StoreOwner owner, RocksStore other, Func<ulong, Func<long>> draw, int count, int atOnce,
        bool areThere = true)
    {
        double[] times = new double[Rounds];
        double[] othersTimes = new double[Rounds];
        for (int round = 0; round < Rounds; round++)
        {
            // Both read the same rows in the same order.
            Func<long> next = draw((ulong)round);
            Func<long> othersNext = draw((ulong)round);
            long found = 0;
            times[round] = Seconds(() => found = owner.Read(next, count, atOnce));
            long othersFound = 0;
            othersTimes[round] = Seconds(() => othersFound = ReadOther(other, othersNext, count));
            Expect(found == othersFound && found == (areThere ? count : 0));
        }

        Array.Sort(times);
        Array.Sort(othersTimes);
        Print(what, times[Rounds / 2], othersTimes[Rounds / 2], count);
    }

    private static void Expect(bool isSo)
    {
        if (!isSo)
        {
            throw new InvalidOperationException("The two stores do not hold what was written.");
        }
    }

    private static double Seconds(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static void Print(string what, double seconds, double othersSeconds, long rows) =>
        Console.WriteLine(
            $"{what}: {rows / seconds / 1000:F0}k rows/s ({seconds / rows * 1e6:F2} µs), "
            + $"RocksDB {rows / othersSeconds / 1000:F0}k rows/s ({othersSeconds / rows * 1e6:F2} µs), "
            + $"ratio {othersSeconds / seconds:F2}");
}
