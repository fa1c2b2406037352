using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Storage.Rows;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Counts the request sessions that a partition remembers, by the row that each has in the partition's first slot, and
/// holds them to their bound and to the total that the partition keeps itself.
/// </summary>
internal sealed class SessionWatch : IRowVisitor
{
    /// <summary>Of the rows that there are one of for each session, and of the row with the total.</summary>
    private const ulong PlacesTag = 2;
    private const ulong TotalsTag = 3;

    private int _sessions;

    /// <summary>
    /// The sessions of a partition, which are no more than may be; null when rows are cold, and nothing was judged.
    /// </summary>
    public static int? Count(IRowSource rows, PartitionSettings settings, string replica)
    {
        var watch = new SessionWatch();
        byte[] totals = KeyAt(settings.FirstSlot, TotalsTag);
        if (rows.Get(totals, out Row row) is Lookup.Cold
            || rows.Scan(new RowRange(KeyAt(settings.FirstSlot, PlacesTag), totals), watch) == Lookup.Cold)
        {
            return null;
        }

        // The row may have moved, so it is looked up again.
        long total = rows.Get(totals, out row) == Lookup.Found ? BinaryPrimitives.ReadInt64LittleEndian(row.Value) : 0;
        if (watch._sessions > settings.SessionsMax || watch._sessions != total)
        {
            RunClaims.Break(
                RunClaims.SessionBound,
                $"{replica} remembers {watch._sessions} sessions and counts {total}; {settings.SessionsMax} may be");
        }

        return watch._sessions;
    }

    public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
    {
        _sessions += row.IsTombstone ? 0 : 1;
        return true;
    }

    private static byte[] KeyAt(Slot slot, ulong tag)
    {
        byte[] key = new byte[RowKey.BytesMax(0, 0)];
        return key[..RowKey.Write(key, slot, tag, [], [], RowSpace.Sessions)];
    }
}
