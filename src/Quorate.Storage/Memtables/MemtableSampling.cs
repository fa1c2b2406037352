using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <content>Rows drawn at random, for those who choose what to let go.</content>
public sealed unsafe partial class Memtable
{
    private const ulong SkippedMax = 16;

    /// <summary>
    /// A user's row that is no tombstone, drawn by this number: one of the first few from a place in the table on. It
    /// is not marked as read. False when none was found behind <see cref="MemtableSettings.StepRowsMax"/> others, or
    /// there is none. Where slots are sparse, rows behind long gaps are drawn more often than others.
    /// </summary>
    public bool TrySample(ulong draw, out ReadOnlySpan<byte> rowKey, out Row row)
    {
        int slot = (int)(SeededRandom.SplitMix64(ref draw) % (ulong)_slots.Count);
        ulong hash = SeededRandom.SplitMix64(ref draw) & _settings.HashMask;
        uint start = (uint)SeededRandom.SplitMix64(ref draw);
        int skipped = (int)(SeededRandom.SplitMix64(ref draw) % SkippedMax);
        int looked = 0;
        for (int turn = 0; LiveBytes > 0 && turn <= _slots.Count && looked < _settings.StepRowsMax; turn++)
        {
            SlotHead* head = Head((slot + turn) % _slots.Count);
            while (head->Entries > 0 && looked < _settings.StepRowsMax)
            {
                SlotTable.Segment* segment = SlotTable.SegmentOf(head, hash, out hash);
                looked += segment->Live;
                if (LiveRowFrom(segment, start) is nint found and not 0
                    && (skipped-- == 0 || turn == _slots.Count))
                {
                    rowKey = RowBytes.KeyOf(found);
                    row = RowBytes.Read(found);
                    return true;
                }

                if (hash == 0)
                {
                    break;
                }
            }

            hash = 0;
        }

        rowKey = default;
        row = default;
        return false;
    }

    private static bool IsLive(nint row) =>
        !RowBytes.IsGhost(row)
        && RowBytes.TypeOf(row) != RowType.Tombstone
        && RowKey.SpaceOf(RowBytes.KeyOf(row)) == RowSpace.User;

    private static nint LiveRowFrom(SlotTable.Segment* segment, uint start)
    {
        for (int i = 0; i < segment->Capacity; i++)
        {
            nint row = SlotTable.RowOf(segment->Entries[(start + (uint)i) % (uint)segment->Capacity]);
            if (row != 0 && IsLive(row))
            {
                return row;
            }
        }

        return 0;
    }
}
