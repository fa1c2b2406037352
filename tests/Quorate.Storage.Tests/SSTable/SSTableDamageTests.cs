using System.Buffers.Binary;
using System.Text;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>Whatever happens to a sorted file, it ends in a sentence and never in a wrong row.</summary>
public sealed class SSTableDamageTests
{
    public static TheoryData<SampleStyle> Styles => [.. Enum.GetValues<SampleStyle>()];

    [Theory]
    [MemberData(nameof(Styles))]
    public void Every_flipped_byte_is_found(SampleStyle style)
    {
        SampleFile file = Sample(style);
        byte[] good = file.Bytes;
        Assert.Equal("", file.Check());
        for (int at = 0; at < good.Length; at++)
        {
            file.Bytes = (byte[])good.Clone();
            file.Bytes[at] ^= (byte)(1 << (at % 8));
            MustBeToldOf(file.Check());
        }
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void A_file_that_was_cut_or_grew_is_refused(SampleStyle style)
    {
        SampleFile file = Sample(style);
        byte[] good = file.Bytes;
        for (int length = 0; length < good.Length; length += 7)
        {
            file.Bytes = good[..length];
            MustBeToldOf(file.Check());
        }
    }

    [Fact]
    public void A_missing_or_unreadable_file_is_told()
    {
        SampleFile file = Sample(SampleStyle.Plain);
        foreach (DiskStatus status in new[] { DiskStatus.NotFound, DiskStatus.Failed })
        {
            var opening = new SSTableOpening(
                SampleFile.Name, file.Bytes.Length, SampleFile.Identity, file.Settings);
            opening.Take(new(0, status));
            Assert.Null(opening.Wanted);
            Assert.Null(opening.Reader);
            MustBeToldOf(opening.Failure!);
        }
    }

    [Fact]
    public void The_checksum_of_a_block_is_verified()
    {
        // A flip of the checksum itself hurts nothing but the checksum.
        SampleFile file = Sample(SampleStyle.Plain);
        using SSTableReader reader = file.Open();
        DiskOperation read = reader.ReadBlock(1);
        byte[] stored = file.Run(read).Data.ToArray();
        stored[^1] ^= 1;
        Assert.Null(reader.Decode(1, stored, out string sentence));
        Assert.Contains("block 1: its checksum does not match", sentence, StringComparison.Ordinal);
        Assert.Contains($"at byte {read.Offset}", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void A_row_that_does_not_match_its_hash_is_refused(SampleStyle style)
    {
        // The hash came along with the row, and was wrong before the file and its checksums were made.
        SampleRow[] rows = [.. SampleRows.Draw(4, 20).Values];
        SampleFile file = new SampleFile(style).Write(rows, spoilHashOf: 11);
        Assert.Contains("does not match its hash", file.Check(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void A_block_in_the_place_of_another_is_refused(SampleStyle style)
    {
        // Rows of equal length and equal keys in both files, so that nothing but the place tells the blocks apart.
        SampleRow[] rows = [.. EqualRows((byte)'a')];
        SampleRow[] others = [.. EqualRows((byte)'b')];
        SampleFile file = new SampleFile(style).Write(rows);
        SampleFile other = new SampleFile(style).Write(others, new(SampleFile.Identity.Partition, 13));
        using SSTableReader reader = file.Open();
        DiskOperation read = reader.ReadBlock(0);
        byte[] stored = file.Run(read).Data.ToArray();
        byte[] foreign = other.Run(read).Data.ToArray();
        Assert.NotNull(reader.Decode(0, stored, out _));
        Assert.Null(reader.Decode(0, foreign, out string sentence));
        MustBeToldOf(sentence);
    }

    [Theory]
    [InlineData(SampleStyle.Encrypted)]
    [InlineData(SampleStyle.CompressedAndEncrypted)]
    public void A_forger_without_the_key_moves_no_block(SampleStyle style)
    {
        // The forger makes the checksum right for the new place; what is authenticated refuses the block all the same.
        SampleFile file = new SampleFile(style).Write(EqualRows((byte)'a'));
        SampleFile other = new SampleFile(style).Write(EqualRows((byte)'b'), new(SampleFile.Identity.Partition, 13));
        using SSTableReader reader = file.Open();
        byte[] foreign = other.Run(reader.ReadBlock(0)).Data.ToArray();
        byte[] place = new byte[21];
        BinaryPrimitives.WriteUInt32LittleEndian(place, SampleFile.Identity.Partition.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(place.AsSpan(4), SampleFile.Identity.File);
        place[^1] = foreign[0];
        uint checksum = Crc32C.Of(foreign.AsSpan(0, foreign.Length - 4), Crc32C.Of(place));
        BinaryPrimitives.WriteUInt32LittleEndian(foreign.AsSpan(foreign.Length - 4), checksum);
        Assert.Null(reader.Decode(0, foreign, out string sentence));
        Assert.Contains("can not be decrypted", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void A_file_in_the_place_of_another_is_refused(SampleStyle style)
    {
        SampleFile file = Sample(style);
        Assert.Null(file.TryOpen(out string sentence, identity: new(SampleFile.Identity.Partition, 13)));
        Assert.Contains(
            "file 12 of partition 7, and file 13 of partition 7 should", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SampleStyle.Encrypted)]
    [InlineData(SampleStyle.CompressedAndEncrypted)]
    public void Without_the_right_key_nothing_is_read(SampleStyle style)
    {
        SampleFile file = Sample(style);
        Assert.Contains("is encrypted with data key 3", file.Check(new KeyRing()), StringComparison.Ordinal);
        var wrong = new DataKey(SampleFile.Key.Id, new byte[DataKey.KeyBytes]);
        Assert.Contains(
            "can not be decrypted with its key", file.Check(SampleFile.Ring(wrong)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SampleStyle.Encrypted)]
    [InlineData(SampleStyle.CompressedAndEncrypted)]
    public void An_encrypted_file_shows_no_key_and_no_value(SampleStyle style)
    {
        SampleRow[] rows = [.. EqualRows((byte)'v')];
        byte[] bytes = new SampleFile(style).Write(rows).Bytes;
        foreach (string secret in new[] { "customer", "vvvv" })
        {
            Assert.True(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)) < 0, secret);
        }

        foreach (SampleRow row in rows)
        {
            Assert.True(bytes.AsSpan().IndexOf(row.Key.AsSpan(0, RowKey.PrefixBytes)) < 0);
        }

        Assert.True(new SampleFile(SampleStyle.Plain).Write(rows).Bytes.AsSpan().IndexOf("customer"u8) > 0);
    }

    [Fact]
    public void Two_encrypted_files_of_the_same_rows_have_nothing_in_common()
    {
        SampleRow[] rows = [.. EqualRows((byte)'v')];
        byte[] first = new SampleFile(SampleStyle.Encrypted).Write(rows, saltByte: 1).Bytes;
        byte[] second = new SampleFile(SampleStyle.Encrypted).Write(rows, saltByte: 2).Bytes;
        for (int at = 0; at + 8 < first.Length - 200; at++)
        {
            Assert.False(first.AsSpan(at, 8).SequenceEqual(second.AsSpan(at, 8)));
        }
    }

    private static SampleFile Sample(SampleStyle style) =>
        new SampleFile(style).Write(SampleRows.Draw(21, 40).Values);

    private static IEnumerable<SampleRow> EqualRows(byte value) =>
        Enumerable.Range(0, 40)
            .Select(i => RowKey.Of(Encoding.ASCII.GetBytes($"customer:{i:d4}")))
            .Order(ByteOrder.Instance)
            .Select(key => new SampleRow(key, RowType.Text, RowVersion.At(new(5), 1), 0, [value, value, value, value]));

    private static void MustBeToldOf(string sentence)
    {
        Assert.Contains(SampleFile.Name, sentence, StringComparison.Ordinal);
        Assert.True(
            sentence.Contains("Restore", StringComparison.Ordinal)
            || sentence.Contains("Check the disk", StringComparison.Ordinal),
            sentence);
    }
}
