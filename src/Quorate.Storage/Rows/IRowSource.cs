using System.Runtime.InteropServices;

namespace Quorate.Storage.Rows;

/// <summary>The answer to a look at rows.</summary>
public enum Lookup : byte
{
    /// <summary>There is no such row. A tombstone is no row.</summary>
    Absent,
    Found,

    /// <summary>
    /// It can not be told without reading the disk. The source has noted what is needed; whoever asked lets the store
    /// fetch it (<see cref="Stores.IPartitionStore.Fetch"/>) and looks again from the beginning.
    /// </summary>
    Cold,
}

/// <summary>Takes the rows of a scan, in order.</summary>
public interface IRowVisitor
{
    /// <summary>False ends the scan. Row key and row hold until this returns.</summary>
    bool Visit(ReadOnlySpan<byte> rowKey, in Row row);
}

/// <summary>The row keys in [From, To), ascending or descending.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly ref struct RowRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool descending = false)
{
    public ReadOnlySpan<byte> From { get; } = from;

    public ReadOnlySpan<byte> To { get; } = to;

    public bool Descending { get; } = descending;
}

/// <summary>
/// Rows to look at: a store's applied rows, or changes laid over another source. It knows nothing of expiry: that is
/// judged by whoever looks, by the time of the log.
/// </summary>
public interface IRowSource
{
    /// <summary>Looks one row up. <paramref name="row"/> holds until the source changes.</summary>
    Lookup Get(ReadOnlySpan<byte> rowKey, out Row row);

    /// <summary>
    /// Shows the rows of a range in order until the visitor has enough. <see cref="Lookup.Cold"/> when a part of the
    /// range has to be fetched first; the visitor has then seen a prefix, and must forget it. Else
    /// <see cref="Lookup.Found"/>.
    /// </summary>
    Lookup Scan(in RowRange range, IRowVisitor visitor);
}
