using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>Entries that are read back from the log.</summary>
public sealed class LogReadsTests
{
    private const int EntryBytes = 2000;

    /// <summary>As when a node starts: each of many partitions reads its part of the log at once.</summary>
    [Theory]
    [InlineData(5000, 2)]
    [InlineData(100, 1)]
    [InlineData(1_000_000, 24)]
    public void Reads_of_many_streams_take_only_so_much_at_once(int bytesMax, int readsAtOnce)
    {
        var disk = new MemoryDisk();
        var owner = new LogOwner(disk, LogOwner.Small with { ReadsUnderWayBytesMax = bytesMax });
        owner.Log.Open();
        StreamOwner[] streams = [.. Enumerable.Range(0, 24).Select(i => owner[new LogStream(new((uint)i + 1), 1)])];
        disk.RunAll();
        foreach (StreamOwner stream in streams)
        {
            stream.Log.Write(new()
            {
                Sequence = 1,
                Entries = [new(new(1), new(1), EntryKind.Data, new byte[EntryBytes])],
                MustSync = true,
            });
        }

        disk.RunAll();
        foreach (StreamOwner stream in streams)
        {
            stream.Log.Read(7, new(1), new(1), EntryBytes);
        }

        int most = disk.Waiting;
        while (disk.RunOne())
        {
            most = Math.Max(most, disk.Waiting);
        }

        Assert.Equal(readsAtOnce, most);
        Assert.All(streams, stream => Assert.Equal(EntryBytes, stream.Reads[7].Single().Payload.Length));
    }
}
