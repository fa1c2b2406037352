using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>The node's log looked at from outside: what a segment says, and what the strict check finds.</summary>
public sealed class LogInspectorTests
{
    private const string First = "n1/log-00000001";

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void Every_kind_of_record_is_told()
    {
        LogOwner owner = Fill();
        owner.Log.Drop(LogOwner.FirstStream);
        _disk.RunAll();
        string[] lines = [.. LogInspector.Describe(_disk.Content(First), _disk.Content("n1/log.mark"))];
        AssertBegins("0 batch of segment 1, 36 bytes of records, durable before 1:0, ", lines[0]);
        Assert.Equal("  56 head, the first segment", lines[1]);
        AssertBegins("4096 batch of segment 1, 0 bytes of records, durable before 1:4096, ", lines[2]);
        Assert.Equal(
            [
                "  8248 g1.1 entry 1@1 3 bytes",
                "  8287 g1.1 entry 2@1 3 bytes",
                "  8326 g1.1 term 1 vote 2 commit 0",
            ],
            lines[4..7]);
        Assert.Equal(
            ["  12344 g1.1 cut from 2", "  12376 g1.1 entry 2@2 3 bytes", "  12415 g1.1 released to 1@1"],
            lines[8..11]);
        Assert.Equal("  16440 g1.1 reset to 9@3", lines[12]);
        Assert.Equal("  20536 g1.1 dropped", lines[^1]);
        LogOwner again = Open();
        Assert.Equal(
            "  56 head, follows segment 1 at 20480 with chain ",
            LogInspector.Describe(_disk.Content(again.Log.Segments[^1]), _disk.Content("n1/log.mark"))
                .ElementAt(1)[..^8]);
    }

    [Fact]
    public void Files_of_the_log_are_told_from_others()
    {
        Assert.True(LogInspector.IsSegment("n1/", First));
        Assert.False(LogInspector.IsSegment("n1/", "n1/log-1"));
        Assert.False(LogInspector.IsSegment("n1/", "n2/log-00000001"));
    }

    [Fact]
    public void The_strict_check_finds_damage_where_it_is()
    {
        Fill();
        Assert.Empty(Problems());
        byte[] content = _disk.Content(First);
        foreach (int at in new[] { 10, 70, 4100, 8200, 8250, 12000 })
        {
            content[at] ^= 1;
            Assert.Contains($"damage at {at / 4096 * 4096}", Assert.Single(Problems()), StringComparison.Ordinal);
            content[at] ^= 1;
        }

        Assert.Empty(Problems());
    }

    [Fact]
    public void The_strict_check_misses_no_missing_segment()
    {
        // Nothing is released, and nothing is looked for that could be written again.
        LogOwner owner = Open(LogOwner.Small with { SegmentsKeptMax = 1000 });
        for (ulong i = 1; i <= 40; i++)
        {
            owner.One.Log.Write(Append(i, i, 1));
            _disk.RunAll();
        }

        Assert.Empty(Problems());
        Assert.True(owner.Log.Segments.Count > 3);
        byte[] second = _disk.Content(owner.Log.Segments[1]);
        _disk.Put(owner.Log.Segments[1], null);
        Assert.Contains("lacks entry 1 of those from 1 to", Assert.Single(Problems()), StringComparison.Ordinal);
        second[4096] ^= 1;
        _disk.Put(owner.Log.Segments[1], second);
        Assert.Contains(Problems(), problem => problem.Contains("is damaged at 4096", StringComparison.Ordinal));
    }

    private static void AssertBegins(string start, string line) =>
        Assert.StartsWith(start, line, StringComparison.Ordinal);

    private static Persist Append(ulong sequence, ulong index, ulong term) => new()
    {
        Sequence = sequence,
        Entries = [new(new(index), new(term), EntryKind.Data, new byte[] { 1, 2, 3 })],
        MustSync = true,
    };

    private LogOwner Fill()
    {
        LogOwner owner = Open();
        foreach (Persist persist in new[]
        {
            new Persist
            {
                Sequence = 1,
                Entries = [.. Append(1, 1, 1).Entries, .. Append(1, 2, 1).Entries],
                HardState = new(new(1), new(2, 1), default),
                MustSync = true,
            },
            new Persist
            {
                Sequence = 2,
                TruncateFrom = new(2),
                Entries = Append(2, 2, 2).Entries,
                ReleaseTo = new(1),
                MustSync = true,
            },
            new Persist
            {
                Sequence = 3, ResetTo = new(new(9), new(3), default, Membership.Of([new(1, 1)]), []), MustSync = true,
            },
        })
        {
            owner.One.Log.Write(persist);
            _disk.RunAll();
        }

        return owner;
    }

    private IReadOnlyList<string> Problems() =>
        LogStrictCheck.Problems(LogOwner.Prefix, _disk.Names, file => _disk.Content(file));

    private LogOwner Open(NodeLogSettings? settings = null)
    {
        var owner = new LogOwner(_disk, (settings ?? LogOwner.Small) with { SegmentBytes = 32768 });
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        _disk.RunAll();
        Assert.Null(owner.Failure);
        return owner;
    }
}
