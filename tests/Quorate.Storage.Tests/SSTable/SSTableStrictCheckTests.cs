using System.Buffers.Binary;
using Quorate.Storage.Disk;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>
/// Files that are wrong though every checksum is right, as a defect of the writer would make them: the strict check
/// finds them, or opening and decoding does.
/// </summary>
public sealed class SSTableStrictCheckTests
{
    private const ulong FilterBlock = (1UL << 32) + 1;
    private const ulong PropertiesBlock = FilterBlock + 1;

    /// <summary>Rows so short that every length takes one byte, each row key whole.</summary>
    private readonly SampleFile _file = new SampleFile(SampleStyle.Plain, restartInterval: 1).Write(
        SampleRows.Draw(17, 100).Values.Where(row => row.Key.Length < 40 && row.Value.Length < 50));

    [Fact]
    public void A_filter_that_lacks_a_row_key_is_found()
    {
        (int offset, int length) = Part(80);
        _file.Bytes.AsSpan(offset + 1, length - 5).Clear();
        Reseal(offset, length, FilterBlock);
        Assert.Contains("the filter or the bounds leave out one of its rows", _file.Check(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "rows")]
    [InlineData(8, "tombstones")]
    [InlineData(16, "bytes of rows")]
    [InlineData(24, "least version")]
    [InlineData(32, "greatest version")]
    [InlineData(40, "least expiry")]
    public void Untrue_properties_are_found(int at, string property)
    {
        (int offset, int length) = Part(96);
        Span<byte> number = _file.Bytes.AsSpan(offset + 1 + at);
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(number);
        BinaryPrimitives.WriteUInt64LittleEndian(number, at == 24 ? value - 1 : value + 1);
        Reseal(offset, length, PropertiesBlock);
        string sentence = _file.Check();
        Assert.EndsWith(FolderAdvice.Sentence, sentence, StringComparison.Ordinal);
        Assert.Contains($"they differ in {property}.", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_last_row_key_is_found()
    {
        (int offset, int length) = Part(96);
        _file.Bytes[offset + length - 5]++;
        Reseal(offset, length, PropertiesBlock);
        Assert.Contains("they differ in last row key.", _file.Check(), StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_out_of_order_are_found()
    {
        // The second row of the second block takes a row key above all others, with the hash that belongs to it.
        using SSTableReader reader = _file.Open();
        DiskOperation read = reader.ReadBlock(1);
        int offset = (int)read.Offset;
        ForgeKey(offset + 1 + RowBytes(offset + 1));
        Reseal(offset, read.Length, 1);
        Assert.Contains("two rows are out of order", _file.Check(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_that_begins_elsewhere_than_the_index_says_is_found()
    {
        using SSTableReader reader = _file.Open();
        DiskOperation read = reader.ReadBlock(reader.BlockCount - 1);
        int offset = (int)read.Offset;
        ForgeKey(offset + 1);
        Reseal(offset, read.Length, (ulong)(reader.BlockCount - 1));
        Assert.Contains("damaged", _file.Check(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_file_has_no_problems() => Assert.Equal("", _file.Check());

    /// <summary>Where one of the parts that the footer names lies.</summary>
    private (int Offset, int Length) Part(int atFooter)
    {
        ReadOnlySpan<byte> entry = _file.Bytes.AsSpan(_file.Bytes.Length - 144 + atFooter);
        return ((int)BinaryPrimitives.ReadInt64LittleEndian(entry), BinaryPrimitives.ReadInt32LittleEndian(entry[8..]));
    }

    /// <summary>Makes the checksum of a changed block right again.</summary>
    private void Reseal(int offset, int length, ulong block)
    {
        byte[] place = new byte[21];
        BinaryPrimitives.WriteUInt32LittleEndian(place, SampleFile.Identity.Partition.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(place.AsSpan(4), SampleFile.Identity.File);
        BinaryPrimitives.WriteUInt64LittleEndian(place.AsSpan(12), block);
        Span<byte> stored = _file.Bytes.AsSpan(offset, length);
        place[^1] = stored[0];
        BinaryPrimitives.WriteUInt32LittleEndian(stored[^4..], Crc32C.Of(stored[..^4], Crc32C.Of(place)));
    }

    /// <summary>How long the row at an offset is.</summary>
    private int RowBytes(int at)
    {
        int expiryBytes = (_file.Bytes[at + 3] & 0x80) == 0 ? 0 : 8;
        Assert.True(_file.Bytes[at + 1] < 128 && _file.Bytes[at + 2] < 128);
        return 20 + expiryBytes + _file.Bytes[at + 1] + _file.Bytes[at + 2];
    }

    /// <summary>Raises the row key of the row at an offset above all others.</summary>
    private void ForgeKey(int at)
    {
        int end = at + RowBytes(at);
        int valueAt = end - _file.Bytes[at + 2];
        Span<byte> key = _file.Bytes.AsSpan(valueAt - _file.Bytes[at + 1], _file.Bytes[at + 1]);
        key[0] = 0xFF;
        BinaryPrimitives.WriteUInt64LittleEndian(
            _file.Bytes.AsSpan(at + 12), Row.HashOf(key, _file.Bytes.AsSpan(valueAt, end - valueAt)));
    }
}
