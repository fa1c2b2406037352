using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>No rows: what lies below an evaluation that is not under way.</summary>
internal sealed class NoRows : IRowSource
{
    public static readonly NoRows Instance = new();

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        row = default;
        return Lookup.Absent;
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor) => Lookup.Found;
}
