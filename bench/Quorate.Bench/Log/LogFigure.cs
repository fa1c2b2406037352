using System.Diagnostics;
using Quorate.Server.Disk;
using Quorate.Storage.Disk;

namespace Quorate.Bench.Log;

/// <summary>
/// What the log's code costs beside its disk: entries of 128 bytes from several writers through log and disk threads,
/// then the same writes by a bare loop over a file of the same kind, and by the disk threads without the log; in turns,
/// so that what else the machine does meets all three.
/// </summary>
internal static class LogFigure
{
    private const int EntryBytes = 128;
    private const int FileBytes = 64 * 1024 * 1024;
    private const int Turns = 50;

    /// <summary>Entries of each writer in a turn. A number, not a time, or slow turns would count less.</summary>
    private const int TurnEntries = 60;

    public static int Run(string folder)
    {
        string name = $"quorate-bench-{Environment.ProcessId}";
        string root = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        try
        {
            Console.WriteLine(
                $"entries of {EntryBytes} B, {Turns} turns; entries a second, and the log's time over theirs");
            foreach (int writers in (int[])[1, 16, 64])
            {
                Compare(Directory.CreateDirectory(Path.Combine(root, $"{writers}")).FullName, writers);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        return 0;
    }

    private static void Compare(string folder, int writers)
    {
        using var log = new LogWriters(Sub(folder, "owner"), writers, EntryBytes, byDisk: false);
        using var driven = new LogWriters(Sub(folder, "disk"), writers, EntryBytes, byDisk: true);
        using var bare = new BareFile(Path.Combine(folder, "bare"), FileBytes);
        using var threads = new DiskThreads(Sub(folder, "alone"), FileBytes);

        // Segments beyond the first are made ready, and the code is compiled.
        foreach (LogWriters each in (LogWriters[])[log, driven])
        {
            each.Prepare(5 * TurnEntries);
            each.Run();
        }

        long entries = (long)writers * Turns * TurnEntries;
        long writes = 0;
        TimeSpan[] times = new TimeSpan[3];
        var bareMicroseconds = new List<double>();
        var ratios = new List<double>();
        var threadRatios = new List<double>();
        var drivenRatios = new List<double>();
        var moreProcessor = new List<double>();
        var bareProcessors = new List<double>();
        for (int turn = 0; turn < Turns; turn++)
        {
            log.Prepare(TurnEntries);
            long started = Stopwatch.GetTimestamp();
            int[] writeBytes = log.Run();
            TimeSpan logTime = Stopwatch.GetElapsedTime(started);
            started = Stopwatch.GetTimestamp();
            Array.ForEach(writeBytes, bare.Append);
            TimeSpan bareTime = Stopwatch.GetElapsedTime(started);
            started = Stopwatch.GetTimestamp();
            Array.ForEach(writeBytes, threads.Append);
            TimeSpan threadTime = Stopwatch.GetElapsedTime(started);
            driven.Prepare(TurnEntries);
            TimeSpan processorBefore = Environment.CpuUsage.TotalTime;
            started = Stopwatch.GetTimestamp();
            int[] drivenBytes = driven.Run();
            TimeSpan drivenTime = Stopwatch.GetElapsedTime(started);
            TimeSpan processorBetween = Environment.CpuUsage.TotalTime;
            started = Stopwatch.GetTimestamp();
            Array.ForEach(drivenBytes, bare.Append);
            drivenRatios.Add(drivenTime / Stopwatch.GetElapsedTime(started));
            TimeSpan bareProcessor = Environment.CpuUsage.TotalTime - processorBetween;
            moreProcessor.Add(
                (processorBetween - processorBefore - bareProcessor).TotalMicroseconds / drivenBytes.Length);
            bareProcessors.Add(bareProcessor.TotalMicroseconds / drivenBytes.Length);
            times[0] += logTime;
            times[1] += bareTime;
            times[2] += threadTime;
            writes += writeBytes.Length;
            bareMicroseconds.Add(bareTime.TotalMicroseconds / writeBytes.Length);
            ratios.Add(logTime / bareTime);
            threadRatios.Add(logTime / threadTime);
        }

        Console.WriteLine(
            $"{writers} writers, {(double)entries / writes:F1} entries a write: "
            + $"log {entries / times[0].TotalSeconds:F0}, bare loop {entries / times[1].TotalSeconds:F0}, "
            + $"disk threads alone {entries / times[2].TotalSeconds:F0}; log over bare {times[0] / times[1]:F2} "
            + $"(median of turns {Median(ratios):F2}), "
            + $"log over threads {times[0] / times[2]:F2} (median {Median(threadRatios):F2}); "
            + $"driven by the disk's thread, over bare (median) {Median(drivenRatios):F2}, "
            + $"and {Median(moreProcessor):F1} µs of processor more than a bare write's {Median(bareProcessors):F1}; "
            + $"a bare write {times[1].TotalMicroseconds / writes:F0} µs (median {Median(bareMicroseconds):F0})");
    }

    private static string Sub(string folder, string name) =>
        Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>The product's disk, asked for one durable write after the other.</summary>
    private sealed class DiskThreads : IDiskClient, IDisposable
    {
        private const string Name = "threads";

        private readonly RealDisk _disk;
        private readonly byte[] _data;
        private readonly long _bytes;
        private long _at;
        private bool _isDone;

        public DiskThreads(string folder, int bytes)
        {
            _disk = new RealDisk(folder);
            _bytes = bytes;
            _data = new byte[1024 * 1024];
            Do(new(0, DiskOperationKind.Allocate, Name, Length: bytes));
        }

        public void Append(int bytes)
        {
            _at = _at + bytes > _bytes ? 0 : _at;
            Do(new(0, DiskOperationKind.WriteDurable, Name, _at, _data.AsMemory(0, bytes)));
            _at += bytes;
        }

        public void Dispose() => _disk.Dispose();

        void IDiskClient.Complete(in DiskCompletion completion)
        {
            if (completion.Status != DiskStatus.Done)
            {
                throw new IOException($"The disk says {completion.Status}.");
            }

            _isDone = true;
        }

        private void Do(in DiskOperation operation)
        {
            _isDone = false;
            _disk.Submit(operation, this);
            while (!_isDone)
            {
                if (_disk.Drain() == 0)
                {
                    _disk.Wait(TimeSpan.FromMilliseconds(100));
                }
            }
        }
    }
}
