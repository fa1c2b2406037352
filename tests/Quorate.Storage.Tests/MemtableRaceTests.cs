using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Tests;

/// <summary>
/// One writer against concurrent readers, on real threads. A value proves itself (each of its numbers follows from the
/// first), and the two rows of a pair are always written by one batch.
/// </summary>
public sealed class MemtableRaceTests
{
    private const int Pairs = 16;
    private const int ReaderCount = 3;
    private static readonly Duration RunTime = Duration.FromMilliseconds(1500);

    [Fact]
    public void Readers_see_whole_rows_and_whole_batches()
    {
        using var race = new Race(Pairs, ReaderCount);
        race.Run(RunTime);
        Assert.Empty(race.Problems);
        Assert.True(race.PairsRead > Race.PairsMin, $"only {race.PairsRead} pairs were read");
        Assert.True(race.PairsChanged > 0, "readers and writer never met");
        Assert.Equal(0, race.Budget.UsedBytes);
    }

    [Fact]
    public void A_reader_in_a_batch_is_told_that_the_slot_is_busy()
    {
        var readers = new MemtableReaders();
        using var table = new Memtable(SlotRange.All, new() { ReadAttemptsMax = 3 }, new(1 << 30), readers);
        using RowBuffer buffer = RowBuffer.TryMake(readers)!;
        byte[] first = RowKey.Of("{a}1"u8);
        byte[] second = RowKey.Of("{a}2"u8);
        byte[] elsewhere = RowKey.Of("b"u8);
        table.BeginBatch();
        table.Put(first, RowType.Text, new(1 << 16), 0, "x"u8, dirty: true);
        Assert.Equal(MemtableRead.Busy, table.TryRead(first, buffer));
        Assert.Equal(MemtableRead.Busy, table.TryRead(second, buffer));
        Assert.Equal(MemtableRead.Absent, table.TryRead(elsewhere, buffer));
        Assert.True(table.BeginRead(RowKey.SlotOf(first), buffer).IsBusy);
        table.EndBatch();
        Assert.Equal(MemtableRead.Found, table.TryRead(first, buffer));
        Assert.Equal("x"u8, buffer.Value);
    }

    [Fact]
    public void A_moment_ends_with_the_next_change_of_its_slot()
    {
        var readers = new MemtableReaders();
        using var table = new Memtable(SlotRange.All, new(), new(1 << 30), readers);
        using RowBuffer buffer = RowBuffer.TryMake(readers)!;
        byte[] key = RowKey.Of("a"u8);
        SlotMoment moment = table.BeginRead(RowKey.SlotOf(key), buffer);
        table.Put(RowKey.Of("b"u8), RowType.Text, new(1 << 16), 0, "x"u8, dirty: true);
        Assert.True(table.IsUnchanged(moment, buffer));
        table.Put(key, RowType.Text, new(2 << 16), 0, "x"u8, dirty: true);
        Assert.False(table.IsUnchanged(moment, buffer));
    }

    [Fact]
    public void Memory_that_a_reader_may_look_at_stays_until_it_has_left()
    {
        var readers = new MemtableReaders();
        MemtableSettings settings = new() { RetiredCountMax = 1 };
        using var table = new Memtable(SlotRange.All, settings, new(1 << 30), readers);
        byte[] key = RowKey.Of("a"u8);
        ulong version = 1 << 16;
        table.Put(key, RowType.Text, new(version++), 0, "first"u8, dirty: true);
        Assert.True(table.TryGet(key, out Row first));
        int cell = readers.Claim();
        readers.Enter(cell);
        for (int i = 0; i < 100; i++)
        {
            table.Put(key, RowType.Text, new(version++), 0, "other"u8, dirty: true);
        }

        bool whole = first.Value.SequenceEqual("first"u8);
        long waiting = table.RetiredBytes;
        readers.Leave(cell);
        Assert.True(whole, "the row was overwritten under its reader");
        Assert.True(waiting > 0);
        table.Put(key, RowType.Text, new(version), 0, "other"u8, dirty: true);
        Assert.Equal(0, table.RetiredBytes);
    }

    [Fact]
    public void A_reader_that_began_later_holds_nothing_up()
    {
        var readers = new MemtableReaders();
        using var table = new Memtable(SlotRange.All, new() { RetiredCountMax = 1 }, new(1 << 30), readers);
        byte[] key = RowKey.Of("a"u8);
        int early = readers.Claim();
        int late = readers.Claim();
        readers.Enter(early);
        table.Put(key, RowType.Text, new(1 << 16), 0, "x"u8, dirty: true);
        table.Put(key, RowType.Text, new(2 << 16), 0, "y"u8, dirty: true);
        long waiting = table.RetiredBytes;
        Assert.True(waiting > 0);
        readers.Enter(late);
        readers.Leave(early);
        table.Put(key, RowType.Text, new(3 << 16), 0, "z"u8, dirty: true);
        long waitingForLate = table.RetiredBytes;
        readers.Leave(late);
        Assert.Equal(waiting, waitingForLate);
    }

    [Fact]
    public void There_are_as_many_readers_as_the_settings_say()
    {
        var readers = new MemtableReaders(readersMax: 2);
        using RowBuffer first = RowBuffer.TryMake(readers)!;
        RowBuffer second = RowBuffer.TryMake(readers)!;
        Assert.Null(RowBuffer.TryMake(readers));
        second.Dispose();
        second.Dispose();
        using RowBuffer? third = RowBuffer.TryMake(readers);
        Assert.NotNull(third);
    }

    /// <summary>The writer, the readers, and what the readers found wrong.</summary>
    private sealed class Race : IDisposable
    {
        public const int PairsMin = 1000;

        private readonly MemtableReaders _readers = new();
        private readonly Memtable _table;
        private readonly byte[][] _left;
        private readonly byte[][] _right;
        private readonly int _readerCount;
        private readonly List<string> _problems = [];
        private long _pairsRead;
        private long _pairsChanged;
        private bool _ended;

        public Race(int pairs, int readerCount)
        {
            _readerCount = readerCount;
            MemtableSettings settings = new() { RetiredCountMax = 1, UnorderedRowsMax = 64 };
            _table = new Memtable(SlotRange.All, settings, Budget, _readers);
            _left = [.. Enumerable.Range(0, pairs).Select(i => Key($"{{{i % 2}}}left{i}"))];
            _right = [.. Enumerable.Range(0, pairs).Select(i => Key($"{{{i % 2}}}right{i}"))];
        }

        public MemoryBudget Budget { get; } = new(1L << 40);

        public IReadOnlyList<string> Problems => _problems;

        public long PairsRead => Interlocked.Read(ref _pairsRead);

        public long PairsChanged => Interlocked.Read(ref _pairsChanged);

        /// <summary>Where threads take turns on one core they meet seldom, and it takes longer.</summary>
        private bool HasSeenEnough => Problems.Count > 0 || (PairsRead > PairsMin && PairsChanged > 0);

        public void Run(Duration time)
        {
            Thread[] threads = [.. Enumerable.Range(0, _readerCount).Select(i => new Thread(() => Guarded((ulong)i)))];
            foreach (Thread thread in threads)
            {
                thread.Start();
            }

            long started = Stopwatch.GetTimestamp();
            var random = new SeededRandom(99);
            ulong index = 1;
            while (Stopwatch.GetElapsedTime(started).TotalMilliseconds < time.Microseconds / 1000.0
                || (!HasSeenEnough && Stopwatch.GetElapsedTime(started) < Soon.Patience))
            {
                Change(random, index++);
            }

            Volatile.Write(ref _ended, true);
            foreach (Thread thread in threads)
            {
                thread.Join();
            }

            Dispose();
        }

        public void Dispose() => _table.Dispose();

        private static byte[] Key(string key) => RowKey.Of(Encoding.UTF8.GetBytes(key));

        /// <summary>A batch over both rows of a pair, and over others, so that tables are rebuilt.</summary>
        private void Change(SeededRandom random, ulong index)
        {
            int pair = (int)random.Next(_left.Length);
            int words = random.Next(20) == 0 ? 2000 : (int)random.Between(1, 40);
            _table.BeginBatch();
            Put(_left[pair], index, 0, words);
            PutOthers(random, index);
            Put(_right[pair], index, 1, words);
            _table.EndBatch();
        }

        private void PutOthers(SeededRandom random, ulong index)
        {
            for (int i = 0; i < 3; i++)
            {
                byte[] key = Key($"{{{random.Next(2)}}}{random.Next(2000)}");
                if (random.Next(2) == 0 || !_table.Remove(key))
                {
                    Put(key, index, 2 + i, (int)random.Between(1, 40));
                }
            }
        }

        private void Put(byte[] key, ulong index, int ordinal, int words)
        {
            byte[] value = new byte[words * 8];
            ulong state = index;
            for (int at = 0; at < value.Length; at += 8)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(at), state);
                SeededRandom.SplitMix64(ref state);
            }

            _table.Put(key, RowType.Text, RowVersion.At(new(index), ordinal), (long)index, value, dirty: true);
        }

        private void Guarded(ulong seed)
        {
            try
            {
                Read(seed);
            }
            catch (Exception e)
            {
                Report(e.Message);
            }
        }

        private void Read(ulong seed)
        {
            var random = new SeededRandom(seed);
            using RowBuffer left = RowBuffer.TryMake(_readers)!;
            using RowBuffer right = RowBuffer.TryMake(_readers)!;
            while (!Volatile.Read(ref _ended) && Problems.Count == 0)
            {
                int pair = (int)random.Next(_left.Length);
                if (random.Next(2) == 0)
                {
                    ReadTogether(pair, left, right);
                }
                else
                {
                    ReadOneAfterTheOther(pair, left, right);
                }
            }
        }

        /// <summary>Both rows at one moment: both from one batch.</summary>
        private void ReadTogether(int pair, RowBuffer left, RowBuffer right)
        {
            SlotMoment moment = _table.BeginRead(RowKey.SlotOf(_left[pair]), left);
            MemtableRead one = TryRead(_left[pair], left);
            MemtableRead two = TryRead(_right[pair], right);
            if (!_table.IsUnchanged(moment, left))
            {
                Interlocked.Increment(ref _pairsChanged);
            }
            else if (one == MemtableRead.Busy || two == MemtableRead.Busy)
            {
                Report("a slot that nobody changed was busy");
            }
            else if (one != two || (one == MemtableRead.Found && left.Version.Index != right.Version.Index))
            {
                Report($"at one moment {one} {left.Version} and {two} {right.Version}");
            }
            else
            {
                Interlocked.Increment(ref _pairsRead);
            }
        }

        /// <summary>What one batch wrote to the left is not followed by an older right.</summary>
        private void ReadOneAfterTheOther(int pair, RowBuffer left, RowBuffer right)
        {
            bool found = TryRead(_left[pair], left) == MemtableRead.Found;
            MemtableRead later = TryRead(_right[pair], right);
            if (found && later != MemtableRead.Busy
                && (later == MemtableRead.Absent || right.Version.Index < left.Version.Index))
            {
                Report($"after {left.Version} came {later} {right.Version}");
            }
        }

        private MemtableRead TryRead(byte[] key, RowBuffer buffer)
        {
            MemtableRead read = _table.TryRead(key, buffer);
            if (read == MemtableRead.Found && !ProvesItself(key, buffer))
            {
                Report($"a torn row {buffer.Version}");
            }

            return read;
        }

        private static bool ProvesItself(byte[] key, RowBuffer buffer)
        {
            ulong state = buffer.Version.Index.Value;
            bool whole = buffer.Expiry == (long)state && buffer.Hash == Row.HashOf(key, buffer.Value);
            for (int at = 0; at < buffer.Value.Length; at += 8)
            {
                whole &= BinaryPrimitives.ReadUInt64LittleEndian(buffer.Value[at..]) == state;
                SeededRandom.SplitMix64(ref state);
            }

            return whole;
        }

        private void Report(string problem)
        {
            lock (_problems)
            {
                _problems.Add(problem);
            }
        }
    }
}
