using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Disk;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// Entries that nobody can release, of a group that has lost its quorum, are written again at the end of the log that
/// all share, instead of keeping its segments for ever.
/// </summary>
public sealed class StuckEntriesTests
{
    private static readonly LogStream Stuck = new(new(1), 1);
    private static readonly LogStream Busy = new(new(2), 1);

    private readonly SimulatedDisk _disk = new(_ => { }, 1);

    [Fact]
    public void A_stream_that_can_release_nothing_does_not_keep_the_log_of_all()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 3, 10);
        int segmentsMax = 0;
        for (ulong i = 1; i <= 400; i++)
        {
            Write(owner[Busy], i, new(1), 1, 1000, i > 3 ? new(i - 3) : LogIndex.Zero);
            RunAll();
            segmentsMax = Math.Max(segmentsMax, owner.Log.Segments.Count);
        }

        Assert.InRange(segmentsMax, 4, LogOwner.Small.SegmentsKeptMax + 3);
        Assert.Contains(Stuck, owner.Wanted);
        Assert.True(Again(_disk).Count() >= 3, "no entry was written again");
        AssertHolds(owner, Stuck, new(3), new(1));

        // And so at each start, and wherever it goes on from there.
        for (int starts = 0; starts < 3; starts++)
        {
            LogOwner again = Open();
            AssertHolds(again, Stuck, new(3), new(1));
            ulong first = again[Busy].Opened!.Last.Value;
            for (ulong i = 1; i <= 40; i++)
            {
                Write(again[Busy], i, new(1), 1, 1000, new(first + i - 3), first + i);
                RunAll();
            }

            Assert.InRange(again.Log.Segments.Count, 1, LogOwner.Small.SegmentsKeptMax + 3);
            AssertHolds(again, Stuck, new(3), new(1));
        }
    }

    [Fact]
    public void Who_releases_when_it_is_asked_costs_no_copy()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 1, 10);
        ulong released = 0;
        int segmentsMax = 0;
        for (ulong i = 1; i <= 200; i++)
        {
            Write(owner[Busy], i, new(1), 1, 1000, new(i - 1));
            RunAll();
            if (owner.Wanted.Contains(Stuck))
            {
                owner.Wanted.Clear();
                released++;
                Write(owner[Stuck], released + 1, new(1), 1, 10, new(released));
                RunAll();
            }

            segmentsMax = Math.Max(segmentsMax, owner.Log.Segments.Count);
            Assert.Empty(Again(_disk));
        }

        Assert.InRange(segmentsMax, LogOwner.Small.SegmentsKeptMax, LogOwner.Small.SegmentsKeptMax + 2);
        Assert.True(released > 5, $"asked {released} times");
    }

    /// <summary>Else the log would copy itself for ever.</summary>
    [Fact]
    public void Nothing_is_written_again_while_most_of_the_log_is_needed()
    {
        LogOwner owner = Open();
        ulong i = 1;
        for (; owner.Log.Segments.Count < LogOwner.Small.SegmentsKeptMax + 3; i++)
        {
            Write(owner[Stuck], i, new(1), 1, 3900);
            RunAll();
            Assert.Empty(Again(_disk));
        }

        long needed = (long)i * 3900;
        int segmentsMax = 0;
        for (ulong busy = 1; busy <= 300; busy++)
        {
            Write(owner[Busy], busy, new(1), 1, 3000, new(busy - 1));
            RunAll();
            segmentsMax = Math.Max(segmentsMax, owner.Log.Segments.Count);
        }

        Assert.InRange((long)segmentsMax * LogOwner.Small.SegmentBytes, needed, (2 * needed) + (4 * 16384));
        AssertHolds(owner, Stuck, new(i - 1), new(1));
    }

    [Fact]
    public void What_was_replaced_while_it_was_read_stays_gone()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 2, 10);
        PendingDiskOperation read = RunUntilRead(owner);
        owner[Stuck].Log.Write(new Persist
        {
            Sequence = 2,
            TruncateFrom = new(2),
            Entries = [New(2, new(2), 20)],
            HardState = new(new(2), default, default),
            MustSync = true,
        });
        RunAll(read);
        _disk.Execute(read);
        RunAll();
        Assert.Null(owner.Failure);
        Assert.Equal([new(1)], Again(_disk).Distinct());
        LogOwner again = Open();
        Assert.Equal(new LogIndex(2), again[Stuck].Opened!.Last);
        again[Stuck].Log.Read(1, new(2), new(2), 100);
        RunAll();
        Assert.Equal((new Term(2), 20), (again[Stuck].Reads[1][0].Term, again[Stuck].Reads[1][0].Payload.Length));
        AssertStrict();
    }

    [Fact]
    public void A_stream_that_is_dropped_while_it_was_read_stays_gone()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 2, 10);
        PendingDiskOperation read = RunUntilRead(owner);
        owner.Log.Drop(Stuck);
        RunAll(read);
        _disk.Execute(read);
        RunAll();
        Assert.Null(owner.Failure);
        Assert.Empty(Again(_disk));
        var again = new LogOwner(_disk);
        again.Log.Open();
        RunAll();
        Assert.Equal([Busy], again.Opened!);
    }

    /// <summary>Its segment is another by the time that the disk comes to it.</summary>
    [Fact]
    public void A_read_that_was_under_way_while_its_entries_were_written_again_finds_them()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 2, 10);
        RunAll();
        string first = owner.Log.Segments[0];
        owner[Stuck].Log.Read(7, new(1), new(2), 1000);
        PendingDiskOperation read = _disk.Pending.Single();
        for (ulong i = 1; owner.Log.Segments.Contains(first, StringComparer.Ordinal); i++)
        {
            Assert.True(i < 100, "the segment goes");
            Write(owner[Busy], i, new(1), 1, 3000, new(i - 1));
            RunAll(read);
        }

        Assert.DoesNotContain(7UL, owner[Stuck].Reads);
        _disk.Execute(read);
        RunAll();
        Assert.Null(owner.Failure);
        Assert.Equal(2, owner[Stuck].Reads[7].Length);
    }

    [Fact]
    public void A_damaged_entry_is_not_written_again()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 2, 100);
        PendingDiskOperation read = RunUntilRead(owner);
        _disk.FlipBitAt(owner.Log.Segments[0], read.Operation.Offset + 80, 1);
        _disk.Execute(read);
        RunAll();
        Assert.Contains("could not be read", owner.Failure!, StringComparison.Ordinal);
        Assert.Empty(Again(_disk));
    }

    [Fact]
    public void A_full_disk_gets_space_from_entries_that_are_written_again()
    {
        LogOwner owner = Open();
        Write(owner[Stuck], 1, new(1), 2, 10);
        ulong i = 1;
        for (; owner.Log.Segments.Count <= LogOwner.Small.SegmentsKeptMax; i++)
        {
            Write(owner[Busy], i, new(1), 1, 3000, new(i - 1));
            RunAll();
        }

        _disk.SetFull(true);
        for (int looks = 0; looks < 20; looks++)
        {
            owner.Log.LookForSpace();
            RunAll();
        }

        // A segment that was freed is used again on a full disk, too.
        for (ulong end = i + 30; i < end; i++)
        {
            Write(owner[Busy], i, new(1), 1, 1000, new(i - 1));
            RunAll();
            owner.Log.LookForSpace();
            RunAll();
        }

        Assert.Null(owner.Failure);
        Assert.Equal(i - 1, owner[Busy].Durable[^1]);
        AssertHolds(owner, Stuck, new(2), new(1));
    }

    [Fact]
    public void The_log_refers_to_the_key_of_an_entry_wherever_it_is_written_again()
    {
        var ring = new KeyRing();
        LogOwner owner = Open(ring);
        byte[] payload = new byte[200];
        payload[0] = 0xE2;
        payload[1] = 9;
        uint key = EntrySealer.KeyIdOf(payload);
        Assert.NotEqual(DataKey.NoId, key);
        Persist persist = new()
        {
            Sequence = 1,
            Entries = [new(new(1), new(1), EntryKind.Data, payload)],
            MustSync = true,
        };
        owner[Stuck].Log.Write(persist);
        RunAll();
        string first = owner.Log.Segments[0];
        for (ulong i = 1; owner.Log.Segments.Contains(first, StringComparer.Ordinal); i++)
        {
            Assert.True(i < 100, "the segment goes");
            Write(owner[Busy], i, new(1), 1, 3000, new(i - 1));
            RunAll();
            Assert.InRange(ring.ReferencesOf(key), 1, 2);
        }

        ring = new();
        owner = Open(ring);
        Assert.InRange(ring.ReferencesOf(key), 1, 2);
        Write(owner[Stuck], 1, new(1), 1, 10, new(1), first: 2);
        for (ulong i = 1; i < 60; i++)
        {
            ulong index = owner[Busy].Opened!.Last.Value + i;
            Write(owner[Busy], i, new(1), 1, 3000, new(index - 1), index);
            RunAll();
        }

        Assert.Equal(0, ring.ReferencesOf(key));
    }

    public static TheoryData<ulong> Seeds => [1, 2, 3];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_log_with_a_stream_that_releases_nothing_survives_a_crash_after_any_operation(ulong seed)
    {
        const int Writes = 110;
        int steps = 0;
        int again = 0;
        for (var run = new LogRun(seed, Writes, hasStuck: true); !run.IsOver; run.Step())
        {
            steps = run.Steps;
            again = Math.Max(again, steps % 40 == 0 ? Again(run.Disk).Count() : 0);
        }

        Assert.True(again > 3, $"{again} entries were written again");
        for (int at = 20 + (int)seed; at <= steps; at += 2)
        {
            for (ulong fate = 0; fate < 2; fate++)
            {
                var run = new LogRun(seed, Writes, hasStuck: true);
                while (run.Steps < at && !run.IsOver)
                {
                    run.Step();
                }

                run.Crash(powerLost: fate > 0, (fate * 1000) + (ulong)at);
                LogOwner half = run.Reopen((at % 40) + (int)fate);
                string? announced = half.Opened is null ? null : run.Text(half);
                run.Crash(powerLost: fate == 0, fate);
                string first = run.ReopenAndCheck();
                Assert.Equal(announced ?? first, first);
                run.Crash(powerLost: true, fate + 1);
                Assert.Equal(first, run.ReopenAndCheck());
            }
        }
    }

    private static Entry New(ulong index, Term term, int bytes) =>
        new(new(index), term, EntryKind.Data, new byte[bytes]);

    /// <summary>Writes entries, behind those of the write before it unless an index is given.</summary>
    private static void Write(
        StreamOwner stream,
        ulong sequence,
        Term term,
        int count,
        int bytes,
        LogIndex release = default,
        ulong? first = null) => stream.Log.Write(new Persist
        {
            Sequence = sequence,
            Entries = [.. Enumerable.Range(0, count).Select(i => New((first ?? sequence) + (ulong)i, term, bytes))],
            ReleaseTo = release,
            MustSync = true,
        });

    /// <summary>The entries that some segment says again.</summary>
    private static IEnumerable<LogIndex> Again(SimulatedDisk disk)
    {
        ReadOnlyMemory<byte> mark = disk.Content(LogInspector.MarkOf(LogOwner.Prefix)) ?? default;
        foreach (string name in disk.Names.Where(name => LogInspector.IsSegment(LogOwner.Prefix, name)))
        {
            foreach (string line in LogInspector.Describe(disk.Content(name)!.Value, mark))
            {
                if (line.Contains(" again, ", StringComparison.Ordinal))
                {
                    string index = line[(line.IndexOf("entry ", StringComparison.Ordinal) + 6)..line.IndexOf('@')];
                    yield return new(ulong.Parse(index, System.Globalization.CultureInfo.InvariantCulture));
                }
            }
        }
    }

    /// <summary>Others write until the stuck entries are to be read, to be written again.</summary>
    private PendingDiskOperation RunUntilRead(LogOwner owner)
    {
        RunAll();
        for (ulong i = 1; ; i++)
        {
            Assert.True(i < 200, "they are read");
            Write(owner[Busy], i, new(1), 1, 3000, new(i - 1));
            while (_disk.Pending.Count > 0)
            {
                if (_disk.Pending[0].Operation.Kind == DiskOperationKind.Read)
                {
                    return _disk.Pending[0];
                }

                _disk.Execute(_disk.Pending[0]);
            }
        }
    }

    private void AssertHolds(LogOwner owner, LogStream stream, LogIndex last, Term term)
    {
        for (LogIndex at = new(1); at <= last;)
        {
            owner[stream].Log.Read(at.Value, at, last, 10_000);
            RunAll();
            Assert.Null(owner.Failure);
            Entry[] read = owner[stream].Reads[at.Value];
            owner[stream].Reads.Remove(at.Value);
            Assert.All(read, entry => Assert.Equal(term, entry.Term));
            Assert.Equal(at, read[0].Index);
            at = read[^1].Index.Next;
        }

        AssertStrict();
    }

    private void AssertStrict() => Assert.Empty(
        LogStrictCheck.Problems(LogOwner.Prefix, _disk.Names, file => _disk.Content(file)!.Value));

    private void RunAll(PendingDiskOperation? but = null)
    {
        while (_disk.Pending.FirstOrDefault(pending => pending != but) is { } next)
        {
            _disk.Execute(next);
        }
    }

    private LogOwner Open(KeyRing? keys = null)
    {
        var owner = new LogOwner(_disk, keys: keys);
        owner.Log.Open();
        Assert.Null(owner[Stuck].Opened);
        Assert.Null(owner[Busy].Opened);
        RunAll();
        Assert.Null(owner.Failure);
        return owner;
    }
}
