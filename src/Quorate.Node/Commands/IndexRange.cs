using System.Runtime.InteropServices;

namespace Quorate.Node.Commands;

/// <summary>A range of indexes, both ends included, inside a collection. Empty when the first is behind the last.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct IndexRange(long First, long Last)
{
    public long Count => Math.Max(0, Last - First + 1);

    /// <summary>As Redis reads `start` and `end`: negative ones count from behind, what is outside is cut
    /// off.</summary>
    public static IndexRange Of(long start, long end, long count)
    {
        start = Math.Max(0, start < 0 ? start + count : start);
        end = Math.Min(count - 1, end < 0 ? end + count : end);
        return start > end ? new(0, -1) : new(start, end);
    }
}
