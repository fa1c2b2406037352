using System.Diagnostics;
using Quorate.Core.Model;

namespace Quorate.Bench.Memory;

/// <summary>
/// Fills memory with rows, one thread, then reads and writes at random; prints bytes a row, times, what reading
/// allocates, and the collector's pauses while half of the operations write.
/// </summary>
internal static class RowsFigure
{
    private const int Operations = 4_000_000;

    /// <summary>What a server would allocate around one operation, so that the collector has a reason to run.</summary>
    private const int GarbageBytes = 256;

    private static byte[]? _garbage;

    public static int Run(long rows, IRows table)
    {
        using Process self = Process.GetCurrentProcess();
        long residentBefore = self.WorkingSet64;
        byte[] value = new byte[IRows.ValueBytes];
        Console.WriteLine($"{table.Name}, {rows} rows of {IRows.KeyBytes} B + {IRows.ValueBytes} B, one thread");
        Time("put (new rows)", rows, i =>
        {
            value[0] = (byte)i;
            value[^1] = 1;
            table.Put(i, value);
        });
        Console.WriteLine(table.Describe(rows));
        self.Refresh();
        Console.WriteLine($"resident {(double)(self.WorkingSet64 - residentBefore) / rows:F1} B a row");
        var random = new SeededRandom(1);
        long missing = 0;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Time("get (random)", Operations, _ => missing += table.Get(random.Next(rows)) == 0 ? 1 : 0);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Console.WriteLine($"allocated {(double)allocated / Operations:F3} B a get, {missing} missing");
        if (table is MemtableRows memtable)
        {
            Time("get as the writer (random)", Operations, _ => memtable.GetAsWriter(random.Next(rows)));
        }

        Time("put (random, over)", Operations, _ => table.Put(random.Next(rows), value));
        MeasurePauses(rows, table, random, value);
        table.Dispose();
        return 0;
    }

    private static void MeasurePauses(long rows, IRows table, SeededRandom random, byte[] value)
    {
        TimeSpan total = GC.GetTotalPauseDuration();
        int[] collections = [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)];
        int seen = collections[0];
        TimeSpan longest = default;
        Time("half gets, half puts, with garbage", Operations, i =>
        {
            _garbage = new byte[GarbageBytes];
            if ((i & 1) == 0)
            {
                table.Put(random.Next(rows), value);
            }
            else
            {
                table.Get(random.Next(rows));
            }

            if (GC.CollectionCount(0) is int now && now != seen)
            {
                seen = now;
                foreach (TimeSpan pause in GC.GetGCMemoryInfo(GCKind.Any).PauseDurations)
                {
                    longest = pause > longest ? pause : longest;
                }
            }
        });
        total = GC.GetTotalPauseDuration() - total;
        Console.WriteLine(
            $"collections {GC.CollectionCount(0) - collections[0]} (gen 1 {GC.CollectionCount(1) - collections[1]}, "
            + $"gen 2 {GC.CollectionCount(2) - collections[2]}), paused {total.TotalMilliseconds:F1} ms, "
            + $"longest {longest.TotalMilliseconds:F2} ms, garbage kept {_garbage?.Length}");
    }

    private static void Time(string what, long count, Action<long> operation)
    {
        long started = Stopwatch.GetTimestamp();
        double longest = 0;
        long last = started;
        for (long i = 0; i < count; i++)
        {
            operation(i);
            if ((i & 15) == 15)
            {
                long now = Stopwatch.GetTimestamp();
                longest = Math.Max(longest, Stopwatch.GetElapsedTime(last, now).TotalMilliseconds);
                last = now;
            }
        }

        TimeSpan time = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(
            $"{what}: {time.TotalNanoseconds / count:F0} ns each, longest sixteen {longest:F2} ms, "
            + $"{time.TotalSeconds:F1} s in all");
    }
}
