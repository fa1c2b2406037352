using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>A batch is whole when all of it is of one write.</summary>
public sealed class LogBatchTests
{
    private const uint Before = 0x1234;

    /// <summary>
    /// A torn write into a recycled segment: the header is new, a record behind it is still the one of an earlier life,
    /// whole by itself and of the same length.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200)]
    public void A_batch_that_ends_with_records_of_another_is_not_whole(int payloadBytes)
    {
        byte[] older = Batch(new(32), new(16), payloadBytes);
        byte[] newer = Batch(new(37), new(18), payloadBytes);
        Assert.True(LogBatch.TryReadHeader(newer, LogOwner.Secret, 29, 4096, out LogBatch batch));
        Assert.True(batch.IsWholeAfter(newer, LogOwner.Secret, Before, 29));

        byte[] torn = [.. newer.AsSpan(0, LogBatch.HeaderBytes), .. older.AsSpan(LogBatch.HeaderBytes)];
        Assert.True(LogRecord.TryRead(batch.Body(torn), 0, out LogRecord record));
        Assert.Equal(new LogIndex(32), record.Index);
        Assert.False(batch.IsWholeAfter(torn, LogOwner.Secret, Before, 29));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_batch_of_another_version_is_foreign(byte version)
    {
        byte[] batch = Batch(new(37), new(18), 0);
        Assert.False(LogBatch.IsForeign(batch));

        batch[3] = version;
        Assert.True(LogBatch.IsForeign(batch));
        Assert.False(LogBatch.TryReadHeader(batch, LogOwner.Secret, 29, 4096, out _));
    }

    private static byte[] Batch(LogIndex index, Term term, int payloadBytes)
    {
        var builder = new LogBatchBuilder(4096) { Secret = LogOwner.Secret };
        builder.Begin(29, 4096);
        byte[] payload = new byte[payloadBytes];
        payload.AsSpan().Fill((byte)term.Value);
        byte[] record = new byte[LogRecord.EntryBytes + payloadBytes];
        LogRecord.WriteEntry(record, new(new(1), 1), new Entry(index, term, EntryKind.Data, payload), payload);
        builder.Add(record);
        return builder.Finish(new(29, 4096), Before, out _).ToArray();
    }
}
