using System.Buffers.Binary;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
using Quorate.Storage.Rows;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>More sessions than may be, or another number than the partition counts, break the claim.</summary>
public sealed class SessionWatchTests
{
    private static readonly PartitionSettings Settings = new() { SessionsMax = 2 };

    [Fact]
    public void As_many_sessions_as_may_be_break_nothing()
    {
        Assert.Equal(0, SessionWatch.Count(new Rows(0, 0), Settings, "n1g1"));
        Assert.Equal(2, SessionWatch.Count(new Rows(2, 2), Settings, "n1g1"));
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public void More_of_them_or_another_total_break_session_bound(int places, long total) =>
        ForgedGroup.Breaks(
            RunClaims.SessionBound, () => SessionWatch.Count(new Rows(places, total), Settings, "n1g1"));

    [Fact]
    public void Cold_rows_are_not_judged() =>
        Assert.Null(SessionWatch.Count(new Rows(3, 3) { IsCold = true }, Settings, "n1g1"));

    private sealed class Rows(int places, long total) : IRowSource
    {
        public bool IsCold { get; init; }

        public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
        {
            byte[] value = new byte[26];
            BinaryPrimitives.WriteInt64LittleEndian(value, total);
            row = new Row(RowType.Session, RowVersion.At(new(1), 0), 0, 0, value);
            return total == 0 ? Lookup.Absent : Lookup.Found;
        }

        public Lookup Scan(in RowRange range, IRowVisitor visitor)
        {
            for (int i = 0; i < places; i++)
            {
                visitor.Visit([(byte)i], new Row(RowType.Session, RowVersion.At(new(1), 0), 0, 0, default));
            }

            return IsCold ? Lookup.Cold : Lookup.Found;
        }
    }
}
