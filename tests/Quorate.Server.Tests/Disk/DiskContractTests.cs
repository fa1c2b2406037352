using Quorate.Storage.Disk;

namespace Quorate.Server.Tests.Disk;

/// <summary>What <see cref="IDisk"/> says, on every disk that there is.</summary>
public sealed class DiskContractTests
{
    public static TheoryData<string> Kinds => ["memory", "simulated", "real", "real-cached"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_written_is_read_and_fewer_bytes_come_at_the_end(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Write, "f", 0, Bytes(1, 5000)).Status);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Write, "f", 4000, Bytes(2, 3000)).Status);
        Assert.Equal([.. Bytes(1, 4000), .. Bytes(2, 3000)], disk.Content("f"));
        Assert.Equal(Bytes(2, 10), disk.Do(DiskOperationKind.Read, "f", 6990, length: 100).Data.ToArray());
        DiskCompletion beyond = disk.Do(DiskOperationKind.Read, "f", 9000, length: 100);
        Assert.Equal((DiskStatus.Done, 0), (beyond.Status, beyond.Data.Length));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_gap_reads_as_zeros(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        disk.Do(DiskOperationKind.Write, "f", 100, Bytes(1, 10));
        Assert.Equal([.. new byte[100], .. Bytes(1, 10)], disk.Content("f"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Files_are_listed_in_order(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        Assert.Empty(disk.Do(DiskOperationKind.List, "").Names!);
        foreach (string name in (string[])["b", "a-2", "B", "a-10", "c"])
        {
            disk.Do(DiskOperationKind.Write, name, 0, Bytes(1, 1));
        }

        Assert.Equal(["B", "a-10", "a-2", "b", "c"], disk.Do(DiskOperationKind.List, "").Names!);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_absent_is_not_found_but_may_be_deleted(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        Assert.Equal(DiskStatus.NotFound, disk.Do(DiskOperationKind.Read, "f", length: 10).Status);
        Assert.Equal(DiskStatus.NotFound, disk.Do(DiskOperationKind.Truncate, "f").Status);
        Assert.Equal(DiskStatus.NotFound, disk.Do(DiskOperationKind.Sync, "f").Status);
        Assert.Equal(DiskStatus.NotFound, disk.Do(DiskOperationKind.Rename, "f", newName: "g").Status);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Delete, "f").Status);
        Assert.Empty(disk.Do(DiskOperationKind.List, "").Names!);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Truncate_cuts_and_never_lengthens(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        disk.Do(DiskOperationKind.Write, "f", 0, Bytes(1, 1000));
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Truncate, "f", 2000).Status);
        Assert.Equal(1000, disk.Content("f").Length);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Truncate, "f", 10).Status);
        disk.Do(DiskOperationKind.Write, "f", 20, Bytes(2, 1));
        Assert.Equal([.. Bytes(1, 10), .. new byte[10], 2], disk.Content("f"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Rename_takes_the_place_of_another_file(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        disk.Do(DiskOperationKind.Write, "a", 0, Bytes(1, 10));
        disk.Do(DiskOperationKind.Write, "b", 0, Bytes(2, 20));
        Assert.Equal(10, disk.Content("a").Length);
        Assert.Equal(20, disk.Content("b").Length);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Rename, "a", newName: "b").Status);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Sync, "b").Status);
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.SyncFolder, "").Status);
        Assert.Equal(Bytes(1, 10), disk.Content("b"));
        Assert.Equal(DiskStatus.NotFound, disk.Do(DiskOperationKind.Read, "a", length: 1).Status);
        disk.Do(DiskOperationKind.Write, "a", 0, Bytes(3, 1));
        Assert.Equal(Bytes(1, 10), disk.Content("b"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_deleted_name_means_a_new_file(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        disk.Do(DiskOperationKind.Allocate, "f", length: 8192);
        disk.Do(DiskOperationKind.WriteDurable, "f", 0, Bytes(1, 4096));
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Delete, "f").Status);
        Assert.Equal(DiskStatus.NotFound, disk.Do(DiskOperationKind.Read, "f", length: 1).Status);
        disk.Do(DiskOperationKind.Allocate, "f", length: 4096);
        disk.Do(DiskOperationKind.WriteDurable, "f", 0, Bytes(2, 4096));
        Assert.Equal(Bytes(2, 4096), disk.Content("f"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Allocate_appends_zeros_and_never_cuts(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        disk.Do(DiskOperationKind.Write, "f", 0, Bytes(1, 100));
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Allocate, "f", length: 5_000_000).Status);
        Assert.Equal([.. Bytes(1, 100), .. new byte[4_999_900]], disk.Content("f"));
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.Allocate, "f", length: 10).Status);
        Assert.Equal(5_000_000, disk.Content("f").Length);
    }

    /// <summary>Whole blocks or not, within the file and beyond it, with writes that wait for a sync or not.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Durable_writes_of_all_kinds_mix_with_others(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        byte[] expected = new byte[3 << 20];
        disk.Do(DiskOperationKind.Allocate, "f", length: expected.Length);
        var random = new Random(1);
        for (int i = 0; i < 60; i++)
        {
            bool isWhole = random.Next(2) == 0;
            int length = isWhole ? random.Next(1, 300) * 4096 : random.Next(1, 100_000);
            int offset = isWhole ? random.Next(256) * 4096 : random.Next(1_000_000);
            length = Math.Min(length, expected.Length - offset);
            byte[] data = new byte[length];
            random.NextBytes(data);
            data.CopyTo(expected, offset);
            DiskOperationKind what = random.Next(3) == 0 ? DiskOperationKind.Write : DiskOperationKind.WriteDurable;
            Assert.Equal(DiskStatus.Done, disk.Do(what, "f", offset, data).Status);
            Assert.Equal(data, disk.Do(DiskOperationKind.Read, "f", offset, length: length).Data.ToArray());
        }

        Assert.Equal(expected, disk.Content("f"));
        Assert.Equal(DiskStatus.Done, disk.Do(DiskOperationKind.WriteDurable, "g", 4096, Bytes(1, 4096)).Status);
        Assert.Equal([.. new byte[4096], .. Bytes(1, 4096)], disk.Content("g"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Many_operations_may_be_under_way(string kind)
    {
        using var disk = new DiskUnderTest(kind);
        ulong[] writes =
        [
            .. Enumerable.Range(0, 200)
                .Select(i => disk.Submit(DiskOperationKind.Write, $"f{i % 10}", i / 10 * 100, Bytes((byte)i, 100))),
        ];
        Assert.All(writes, ticket => Assert.Equal(DiskStatus.Done, disk.WaitFor(ticket).Status));
        for (int file = 0; file < 10; file++)
        {
            byte[] expected = [.. Enumerable.Range(0, 20).SelectMany(i => Bytes((byte)((i * 10) + file), 100))];
            Assert.Equal(expected, disk.Content($"f{file}"));
        }
    }

    private static byte[] Bytes(byte value, int length)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }
}
