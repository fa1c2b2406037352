using Quorate.Storage.Memory;

namespace Quorate.Bench.Stores;

/// <summary>
/// Reads of the disk for each GET when a partition is ten times as large as its memory, and whether that memory holds
/// while it is filled and read.
/// </summary>
internal static class ColdReadsFigure
{
    private const int Rows = 1_000_000;
    private const int Reads = 100_000;

    public static int Run(string folder)
    {
        string name = $"quorate-bench-{Environment.ProcessId}";
        string root = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        try
        {
            var keys = new StoreKeys(Rows);
            long memory = keys.Bytes / 10;
            using (var owner = new StoreOwner(root, new() { Prefix = "", Partition = new(1) }, memory))
            {
                owner.Ingest(keys, memory / 8);
                Tell("filled", owner);
                owner.ComeToRest();
                Tell("come to rest", owner);
                Measure(keys, owner);
            }

            using var merged = new StoreOwner(root, StoreFigure.Settings(compress: true, tablesMax: 1), memory);
            merged.Compact(tables: 1);
            Tell("merged into one table", merged);
            Measure(keys, merged);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        return 0;
    }

    private static void Measure(StoreKeys keys, StoreOwner owner)
    {
        Read("uniform, there", owner, keys.Uniform(1));
        Read("uniform, absent", owner, StoreKeys.Absent(keys.Uniform(2)));
        Read("zipf, there", owner, keys.Zipf(3));
        Read("zipf, absent", owner, StoreKeys.Absent(keys.Zipf(4)));
    }

    private static void Tell(string what, StoreOwner owner) =>
        Console.WriteLine(
            $"{what}: {owner.TableBytes.Count} tables, {owner.TableBytes.Sum() >> 10} KiB; memory "
            + $"{owner.Memory.TotalBytes >> 10} KiB, peak {owner.MemoryBytesPeak >> 10} KiB "
            + $"({(double)owner.MemoryBytesPeak / owner.Memory.TotalBytes:P1})");

    private static void Read(string what, StoreOwner owner, Func<long> next)
    {
        // What is worth keeping is in the cache by then.
        owner.Read(next, Reads / 4, 16);
        owner.ForgetMemoryPeak();
        owner.DiskReads = 0;
        long found = owner.Read(next, Reads, 16);
        Console.WriteLine(
            $"{what}: {(double)owner.DiskReads / Reads:F3} disk reads a GET, {found} of {Reads} there, memory peak "
            + $"{(double)owner.MemoryBytesPeak / owner.Memory.TotalBytes:P1}, rows "
            + $"{owner.Memory.UsedBy(MemoryUse.Memtables) >> 10} KiB");
    }
}
