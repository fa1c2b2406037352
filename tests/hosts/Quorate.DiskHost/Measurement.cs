using System.Diagnostics;
using System.Globalization;
using Quorate.Server.Disk;
using Quorate.Storage.Disk;

namespace Quorate.DiskHost;

/// <summary>
/// Times durable writes of one block and of sixteen, one after the other and in turns: past the page cache, and through
/// it with a sync, into an allocated file, and through it into a growing one. Behind docs/decisions, "The real disk".
/// </summary>
internal sealed class Measurement : IDiskClient
{
    private const int Rounds = 20;
    private const int WritesInRound = 100;
    private const int FileBytes = 64 * 1024 * 1024;

    /// <summary>What the process used of its processors, by way, in µs.</summary>
    private readonly Dictionary<List<double>, double> _processor = [];

    private DiskStatus? _end;

    public static void Run(string folder)
    {
        Directory.CreateDirectory(folder);
        var measurement = new Measurement();
        using var direct = new RealDisk(folder, new RealDiskSettings { ReserveBytes = 0 });
        using var cached = new RealDisk(folder, new RealDiskSettings { ReserveBytes = 0, DirectWrites = false });
        measurement.Do(direct, new(0, DiskOperationKind.Allocate, "direct", Length: FileBytes));
        measurement.Do(cached, new(0, DiskOperationKind.Allocate, "cached", Length: FileBytes));
        foreach (int bytes in (int[])[4096, 65536])
        {
            List<double> past = [];
            List<double> through = [];
            List<double> growing = [];
            for (int round = 0; round < Rounds; round++)
            {
                long from = (long)round * WritesInRound * bytes % (FileBytes / 2);
                measurement.Time(past, direct, "direct", from, bytes);
                measurement.Time(through, cached, "cached", from, bytes);
                long end = (long)round * WritesInRound * bytes;
                measurement.Time(growing, cached, $"growing-{bytes}", end, bytes);
            }

            measurement.Say(bytes, "past the page cache", past);
            measurement.Say(bytes, "through it, synced", through);
            measurement.Say(bytes, "growing file", growing);
            measurement._processor.Clear();
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion) => _end = completion.Status;

    private void Say(int bytes, string way, List<double> times)
    {
        times.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{bytes,6} B {way,-20} p10 {times[times.Count / 10],6:F0} µs  p50 {times[times.Count / 2],6:F0} µs  "
                + $"p99 {times[times.Count * 99 / 100],6:F0} µs  processor {_processor[times] / times.Count,4:F0} µs"));
    }

    private void Time(List<double> times, RealDisk disk, string file, long from, int bytes)
    {
        byte[] data = new byte[bytes];
        Random.Shared.NextBytes(data);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < WritesInRound; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Do(disk, new(0, DiskOperationKind.WriteDurable, file, from + ((long)i * bytes), data));
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        double used = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds;
        _processor[times] = _processor.GetValueOrDefault(times) + used;
    }

    private void Do(RealDisk disk, in DiskOperation operation)
    {
        _end = null;
        disk.Submit(operation, this);
        while (_end is null)
        {
            disk.Wait(TimeSpan.FromSeconds(10));
            disk.Drain();
        }

        if (_end != DiskStatus.Done)
        {
            throw new IOException($"{operation.Kind} of {operation.File} ended in {_end}.");
        }
    }
}
