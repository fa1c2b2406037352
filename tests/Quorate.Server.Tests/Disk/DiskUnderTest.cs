using Quorate.Server.Disk;
using Quorate.Simulator.Disk;
using Quorate.Storage.Disk;

namespace Quorate.Server.Tests.Disk;

/// <summary>
/// A disk of any kind, with its operations waited for, so that one test can be run on all: "memory", "simulated",
/// "real" and "real-cached", which never goes past the page cache.
/// </summary>
internal sealed class DiskUnderTest : IDiskClient, IDisposable
{
    private readonly TemporaryFolder? _folder;
    private readonly Action _work;
    private readonly Dictionary<ulong, DiskCompletion> _ends = [];
    private ulong _ticket;

    public DiskUnderTest(string kind)
    {
        switch (kind)
        {
            case "memory":
                var memory = new MemoryDisk();
                (Disk, _work) = (memory, memory.RunAll);
                break;
            case "simulated":
                var simulated = new SimulatedDisk(_ => { }, 1);
                (Disk, _work) = (simulated, () => RunAll(simulated));
                break;
            default:
                _folder = new TemporaryFolder();
                var settings = new RealDiskSettings { DirectWrites = kind == "real", OpenFilesMax = 3 };
                var real = new RealDisk(_folder.Path, settings);
                (Disk, _work) = (real, () => WaitAndDrain(real));
                break;
        }
    }

    public IDisk Disk { get; }

    /// <summary>The folder of a real disk.</summary>
    public string Folder => _folder!.Path;

    /// <summary>Lets the disk work until something has ended.</summary>
    public static void WaitAndDrain(RealDisk disk)
    {
        Assert.True(disk.UnderWay > 0, "something is under way");
        Assert.True(disk.Wait(Soon.Patience), "the disk answers");
        disk.Drain();
    }

    /// <summary>Lets a simulated disk do all that was asked of it.</summary>
    public static void RunAll(SimulatedDisk disk)
    {
        while (disk.Pending.Count > 0)
        {
            disk.Execute(disk.Pending[0]);
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion) => _ends.Add(completion.Ticket, completion);

    public DiskCompletion Do(
        DiskOperationKind kind,
        string file,
        long offset = 0,
        byte[]? data = null,
        int length = 0,
        string? newName = null)
    {
        Submit(kind, file, offset, data, length, newName);
        return WaitFor(_ticket);
    }

    public ulong Submit(
        DiskOperationKind kind,
        string file,
        long offset = 0,
        byte[]? data = null,
        int length = 0,
        string? newName = null)
    {
        Disk.Submit(new(++_ticket, kind, file, offset, data, length, newName), this);
        Assert.DoesNotContain(_ticket, _ends);
        return _ticket;
    }

    public DiskCompletion WaitFor(ulong ticket)
    {
        DiskCompletion completion;
        while (!_ends.Remove(ticket, out completion))
        {
            _work();
        }

        return completion;
    }

    public byte[] Content(string file) => Do(DiskOperationKind.Read, file, length: 1 << 24).Data.ToArray();

    public void Dispose()
    {
        (Disk as IDisposable)?.Dispose();
        _folder?.Dispose();
    }
}
