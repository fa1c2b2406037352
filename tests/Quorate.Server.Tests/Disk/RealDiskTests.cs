using System.Diagnostics;
using Quorate.Core.Model;
using Quorate.Server.Disk;
using Quorate.Storage.Disk;

namespace Quorate.Server.Tests.Disk;

/// <summary>What the real disk does where the system fails it, and who is told on which thread.</summary>
public sealed class RealDiskTests : IDiskClient
{
    private readonly List<(DiskCompletion Completion, int Thread)> _ends = [];

    void IDiskClient.Complete(in DiskCompletion completion) =>
        _ends.Add((completion, Environment.CurrentManagedThreadId));

    [Fact]
    public void Ends_are_told_on_the_thread_that_drains()
    {
        using var folder = new TemporaryFolder();
        using var word = new ManualResetEventSlim();
        int from = 0;
        using var disk = new RealDisk(folder.Path, completionWaits: () =>
        {
            from = Environment.CurrentManagedThreadId;
            word.Set();
        });
        disk.Submit(new(7, DiskOperationKind.List, ""), this);
        Assert.True(word.Wait(Soon.Patience, TestContext.Current.CancellationToken));
        Assert.Empty(_ends);
        Assert.Equal(1, disk.UnderWay);
        Assert.Equal(1, disk.Drain());
        Assert.Equal((7UL, Environment.CurrentManagedThreadId), (_ends[0].Completion.Ticket, _ends[0].Thread));
        Assert.NotEqual(Environment.CurrentManagedThreadId, from);
        Assert.Equal(0, disk.UnderWay);
    }

    /// <summary>
    /// One that is not aligned is what such a file system refuses; others may take it, and then nothing is shown.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_direct_write_that_is_refused_falls_back_only_when_none_was_ever_taken(bool isTakenFirst)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, "a"), new byte[2 * DirectWriter.BlockBytes]);
        using var writer = new DirectWriter(folder.Path, new());
        byte[] block = new byte[DirectWriter.BlockBytes];
        if (isTakenFirst)
        {
            Assert.SkipUnless(writer.TryWrite("a", block, 0, out DiskStatus first), "no direct writes here");
            Assert.Equal(DiskStatus.Done, first);
        }

        bool isTaken = writer.TryWrite("a", [7], 1, out DiskStatus status);
        Assert.SkipWhen(isTaken && status == DiskStatus.Done, "this file system takes any direct write");
        Assert.Equal(isTakenFirst, isTaken);
        Assert.Equal(isTakenFirst, writer.TryWrite("a", block, 0, out _));
        Assert.All(File.ReadAllBytes(Path.Combine(folder.Path, "a")), each => Assert.Equal(0, each));
    }

    [Fact]
    public void Open_files_become_fewer_once_they_may_be_closed()
    {
        using var folder = new TemporaryFolder();
        using var files = new OpenFiles(folder.Path, 2, NativeFile.ReadWrite);
        OpenFiles.Entry[] used =
        [
            .. Enumerable.Range(0, 6).Select(i =>
            {
                Assert.Equal(DiskStatus.Done, files.Take($"{i}", create: true, out OpenFiles.Entry? entry));
                return entry!;
            }),
        ];
        Assert.Equal(6, files.Count);
        Array.ForEach(used, files.GiveBack);
        files.Take("another", create: true, out OpenFiles.Entry? last);
        Assert.Equal(2, files.Count);
        files.GiveBack(last!);
    }

    /// <summary>A device file knows no sync: the system says so, and .NET's own flush would not.</summary>
    [Fact]
    public void A_failed_sync_is_reported_and_every_later_one_fails()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(Path.Combine(folder.Path, "odd"), "/dev/null");
        using var disk = new RealDisk(folder.Path);
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Write, "good", 0, new byte[100])));
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Sync, "good")));
        Assert.Equal(DiskStatus.Failed, Do(disk, new(1, DiskOperationKind.Sync, "odd")));
        Assert.Equal(DiskStatus.Failed, Do(disk, new(1, DiskOperationKind.Sync, "good")));
        Assert.Equal(DiskStatus.Failed, Do(disk, new(1, DiskOperationKind.SyncFolder, "")));
        Assert.Equal(DiskStatus.Failed, Do(disk, new(1, DiskOperationKind.WriteDurable, "good", 0, new byte[10])));
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Read, "good", 0, Length: 10)));
    }

    /// <summary>A segment that is made ready syncs its zeros as it goes.</summary>
    [Fact]
    public void After_a_failed_allocation_every_sync_fails()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(Path.Combine(folder.Path, "odd"), "/dev/null");
        using var disk = new RealDisk(folder.Path);
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Write, "good", 0, new byte[100])));
        Assert.Equal(DiskStatus.Failed, Do(disk, new(1, DiskOperationKind.Allocate, "odd", Length: 4096)));
        Assert.Equal(DiskStatus.Failed, Do(disk, new(1, DiskOperationKind.Sync, "good")));
    }

    [Theory]
    [InlineData("../f")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a\0b")]
    public void A_name_that_leads_elsewhere_is_a_defect(string name)
    {
        using var folder = new TemporaryFolder();
        using var disk = new RealDisk(folder.Path);
        Assert.Throws<InvariantBrokenException>(
            () => disk.Submit(new(1, DiskOperationKind.Write, name, 0, new byte[1]), this));
        Assert.Throws<InvariantBrokenException>(
            () => disk.Submit(new(1, DiskOperationKind.Rename, "f", NewName: name), this));
    }

    [Fact]
    public void More_operations_than_the_bound_are_a_defect()
    {
        using var folder = new TemporaryFolder();
        using var disk = new RealDisk(folder.Path, new RealDiskSettings { OperationsMax = 2 });
        disk.Submit(new(1, DiskOperationKind.List, ""), this);
        disk.Submit(new(2, DiskOperationKind.List, ""), this);
        Assert.Throws<InvariantBrokenException>(() => disk.Submit(new(3, DiskOperationKind.List, ""), this));
    }

    [Fact]
    public void Files_grow_no_further_than_to_the_reserve()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, "f"), new byte[100]);
        using var disk = new RealDisk(folder.Path, new RealDiskSettings { ReserveBytes = long.MaxValue / 2 });
        Assert.Equal(DiskStatus.Full, Do(disk, new(1, DiskOperationKind.Write, "f", 50, new byte[51])));
        Assert.Equal(DiskStatus.Full, Do(disk, new(1, DiskOperationKind.WriteDurable, "f", 50, new byte[51])));
        Assert.Equal(DiskStatus.Full, Do(disk, new(1, DiskOperationKind.Allocate, "f", Length: 101)));
        Assert.Equal(100, new FileInfo(Path.Combine(folder.Path, "f")).Length);
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Write, "f", 50, new byte[50])));
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.WriteDurable, "f", 0, new byte[100])));
        disk.IsReserveOpen = true;
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Write, "f", 50, new byte[51])));
        disk.IsReserveOpen = false;
        Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Delete, "f")));
    }

    [Fact]
    public void A_full_file_system_is_told_as_full_and_goes_on_once_space_is_back()
    {
        using var folder = new TemporaryFolder();
        string place = Path.Combine(folder.Path, "small");
        Directory.CreateDirectory(place);
        Assert.SkipUnless(Environment.UserName == "root", "Mounting a small file system needs root.");
        Assert.SkipUnless(Run("mount", "-t tmpfs -o size=1m tmpfs " + place) == 0, "A tmpfs cannot be mounted here.");
        try
        {
            using var disk = new RealDisk(place, new RealDiskSettings { ReserveBytes = 0 });
            Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Allocate, "log", Length: 500_000)));
            Assert.Equal(DiskStatus.Full, Do(disk, new(1, DiskOperationKind.Allocate, "more", Length: 900_000)));
            Do(disk, new(1, DiskOperationKind.Truncate, "more"));
            Assert.Equal(DiskStatus.Full, Do(disk, new(1, DiskOperationKind.Write, "more", 0, new byte[900_000])));
            var durable = new DiskOperation(1, DiskOperationKind.WriteDurable, "log", 4096, new byte[8192]);
            Assert.Equal(DiskStatus.Done, Do(disk, durable));
            Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Delete, "more")));
            Assert.Equal(DiskStatus.Done, Do(disk, new(1, DiskOperationKind.Write, "other", 0, new byte[300_000])));
        }
        finally
        {
            Assert.Equal(0, Run("umount", place));
        }
    }

    private static int Run(string command, string arguments)
    {
        using Process process = Process.Start(command, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }

    private DiskStatus Do(RealDisk disk, in DiskOperation operation)
    {
        _ends.Clear();
        disk.Submit(operation, this);
        while (_ends.Count == 0)
        {
            DiskUnderTest.WaitAndDrain(disk);
        }

        return _ends[0].Completion.Status;
    }
}
