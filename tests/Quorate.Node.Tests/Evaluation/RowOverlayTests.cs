using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Tests.Evaluation;

/// <summary>The overlay against the rows that its source would have after applying the changes.</summary>
public sealed class RowOverlayTests
{
    private const int Entries = 60;

    [Fact]
    public void What_is_seen_is_what_applying_the_changes_would_give()
    {
        for (ulong seed = 0; seed < 300; seed++)
        {
            var run = new OverlayRun(seed);
            for (int i = 0; i < Entries; i++)
            {
                run.Step();
                run.Compare();
            }
        }
    }

    [Fact]
    public void A_cold_source_is_cold_through_the_overlay_unless_the_change_says_all()
    {
        var overlay = new RowOverlay(new ColdRows());
        byte[] changed = RowKey.Of("changed"u8);
        overlay.Change(new RowChange(changed, RowType.Text, 0, "v"u8), new RowVersion(1));

        Assert.Equal(Lookup.Found, overlay.Get(changed, out _));
        Assert.Equal(Lookup.Cold, overlay.Get(RowKey.Of("other"u8), out _));
        Assert.Equal(Lookup.Cold, overlay.Scan(new RowRange([0], [0xFF]), new Counting()));

        overlay.Change(new RowChange(RowKey.Clear, RowType.Clear, 0, []), new RowVersion(2));

        Assert.Equal(Lookup.Absent, overlay.Get(changed, out _));
        Assert.Equal(Lookup.Absent, overlay.Get(RowKey.Of("other"u8), out _));
    }

    [Fact]
    public void Forgotten_changes_take_no_memory_even_when_nobody_scans()
    {
        var overlay = new RowOverlay(new SortedRows());
        for (uint i = 1; i <= 10_000; i++)
        {
            overlay.Change(
                new RowChange(RowKey.Of(BitConverter.GetBytes(i)), RowType.Text, 0, "v"u8),
                RowVersion.At(new LogIndex(i), 0));
            overlay.Applied(new LogIndex(i - 1));
            Assert.Equal(1, overlay.Count);
            Assert.Equal(1, overlay.RowCount);
            Assert.True(overlay.OrderedCount <= 32);
        }
    }

    private sealed class Counting : IRowVisitor
    {
        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row) => true;
    }

    private sealed class ColdRows : IRowSource
    {
        public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
        {
            row = default;
            return Lookup.Cold;
        }

        public Lookup Scan(in RowRange range, IRowVisitor visitor) => Lookup.Cold;
    }

    /// <summary>An overlay over rows, and beside it every proposed change, to build the expected rows from.</summary>
    private sealed class OverlayRun
    {
        private readonly SeededRandom _random;
        private readonly SortedRows _applied = new();
        private readonly RowOverlay _overlay;
        private readonly List<(RowVersion Version, byte[] Key, RowType Type, byte[] Value)> _pending = [];
        private ulong _nextIndex = 1;
        private ulong _appliedIndex;

        public OverlayRun(ulong seed)
        {
            _random = new SeededRandom(seed);
            _overlay = new RowOverlay(_applied);
        }

        public void Step()
        {
            switch (_random.Next(8))
            {
                case 0 when _pending.Count > 0:
                    Apply();
                    break;
                case 1 when _pending.Count > 0:
                    RowVersion last = _pending[(int)_random.Next(_pending.Count)].Version;
                    _overlay.CutAfter(last);
                    _pending.RemoveAll(change => change.Version > last);
                    _nextIndex = last.Index.Value + 1;
                    break;
                default:
                    Propose();
                    break;
            }
        }

        public void Compare()
        {
            var expected = new SortedRows();
            Copy(_applied, expected);
            foreach ((RowVersion version, byte[] key, RowType type, byte[] value) in _pending)
            {
                expected.Change(new RowChange(key, type, 7, value), version);
            }

            byte[] from = _random.Chance(300_000) ? [] : RandomKey();
            byte[] to = _random.Chance(300_000) ? [0xFF, 0xFF] : RandomKey();
            bool descending = _random.Chance(500_000);
            int max = _random.Chance(500_000) ? 1000 : (int)_random.Between(1, 4);
            Assert.Equal(
                SortedRows.DumpOf(expected, from, to, descending, max),
                SortedRows.DumpOf(_overlay, from, to, descending, max));

            byte[] looked = RandomKey();
            Lookup lookup = expected.Get(looked, out Row row);
            Assert.Equal(lookup, _overlay.Get(looked, out Row seen));
            Assert.Equal(row.Version, seen.Version);
            Assert.True(row.Value.SequenceEqual(seen.Value));
            Assert.Equal(_pending.Count, _overlay.Count);
        }

        private static void Copy(SortedRows from, SortedRows to) =>
            from.Scan(new RowRange([], [0xFF, 0xFF]), new Copying(to));

        private void Apply()
        {
            ulong index = (ulong)_random.Between((long)_appliedIndex, (long)_pending[^1].Version.Index.Value);
            foreach ((RowVersion version, byte[] key, RowType type, byte[] value) in _pending)
            {
                if (version.Index.Value <= index)
                {
                    _applied.Change(new RowChange(key, type, 7, value), version);
                }
            }

            _overlay.Applied(new LogIndex(index));
            _pending.RemoveAll(change => change.Version.Index.Value <= index);
            _appliedIndex = index;
        }

        private void Propose()
        {
            var index = new LogIndex(_nextIndex++);
            long count = _random.Between(1, 4);
            for (int ordinal = 0; ordinal < count; ordinal++)
            {
                RowType type = _random.Next(20) switch
                {
                    0 => RowType.Clear,
                    < 7 => RowType.Tombstone,
                    _ => RowType.Text,
                };
                byte[] key = type == RowType.Clear ? RowKey.Clear.ToArray() : RandomKey();
                byte[] value = type == RowType.Text ? BitConverter.GetBytes(_random.NextUInt64()) : [];
                RowVersion version = RowVersion.At(index, ordinal);
                _overlay.Change(new RowChange(key, type, 7, value), version);
                _pending.Add((version, key, type, value));
            }
        }

        private byte[] RandomKey()
        {
            byte[] key = [(byte)('a' + _random.Next(6))];
            byte[] element = _random.Chance(500_000) ? [] : [(byte)_random.Next(4)];
            return RowKey.Of(key, element, _random.Chance(200_000) ? RowSpace.Sessions : RowSpace.User);
        }

        private sealed class Copying(SortedRows to) : IRowVisitor
        {
            public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
            {
                to.Change(new RowChange(rowKey, row.Type, row.Expiry, row.Value), row.Version);
                return true;
            }
        }
    }
}
