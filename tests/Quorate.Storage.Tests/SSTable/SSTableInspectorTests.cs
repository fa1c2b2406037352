using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>What people are told of a sorted file.</summary>
public sealed class SSTableInspectorTests
{
    private static readonly SampleRow[] Rows =
    [
        .. new SampleRow[]
        {
            Row("balance", RowType.Integer, 0, [42, 0, 0, 0, 0, 0, 0, 0]),
            Row("greeting", RowType.Text, 1234, "good \"day\""u8.ToArray()),
            Row("gone", RowType.Tombstone, 0, []),
        }.OrderBy(row => row.Key, ByteOrder.Instance),
    ];

    [Fact]
    public void A_file_is_described_with_its_rows()
    {
        SampleFile file = new SampleFile(SampleStyle.CompressedAndEncrypted).Write(Rows);
        string text = SSTableInspector.Describe("a.sst", file.Bytes, SampleFile.Ring(SampleFile.Key));
        string[] told =
        [
            "file a.sst: ", "identity: partition 7, file 12\n", "encryption: AES-256-GCM, data key 3, salt 0909",
            "rows: 3, of them tombstones 1, ", "versions: 6.2 to 6.2; first expiry: 1234\n", "created at index: 77\n",
            "block 0: ", " 3 rows\n", "key \"balance\": Integer 6.2 \"*\\x00", "key \"gone\": Tombstone 6.2 \"\"",
            "key \"greeting\": Text 6.2, expires 1234 \"good \\x22day\\x22\"",
        ];
        Assert.All(told, part => Assert.Contains(part, text, StringComparison.Ordinal));
        string one = SSTableInspector.Describe("a.sst", file.Bytes, SampleFile.Ring(SampleFile.Key), rowsMax: 1);
        Assert.Equal(text.Split('\n').Length - 2, one.Split('\n').Length);
    }

    [Fact]
    public void Of_an_encrypted_file_without_its_key_what_stands_in_clear_is_told()
    {
        SampleFile file = new SampleFile(SampleStyle.Encrypted).Write(Rows);
        string text = SSTableInspector.Describe("a.sst", file.Bytes, new KeyRing());
        Assert.Contains("identity: partition 7, file 12\n", text, StringComparison.Ordinal);
        Assert.EndsWith(
            "is encrypted with data key 3, which is not among the data keys of this node. "
            + "Start it with the cluster's --master-key-file; where that is so, the file is of another cluster. "
            + FolderAdvice.Sentence + "\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("greeting", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_damaged_is_described_all_the_same()
    {
        SampleFile file = new SampleFile(SampleStyle.Compressed).Write(SampleRows.Draw(3, 60).Values);
        for (int at = 0; at < file.Bytes.Length; at++)
        {
            byte[] bytes = (byte[])file.Bytes.Clone();
            bytes[at] ^= 0x10;
            string text = SSTableInspector.Describe("a.sst", bytes);
            Assert.Contains("The file a.sst is ", text, StringComparison.Ordinal);
        }

        for (int length = 0; length < 200; length++)
        {
            string text = SSTableInspector.Describe("a.sst", file.Bytes.AsMemory(0, length));
            Assert.Contains("The file a.sst is damaged", text, StringComparison.Ordinal);
        }
    }

    private static SampleRow Row(string key, RowType type, long expiry, byte[] value) =>
        new(RowKey.Of(System.Text.Encoding.ASCII.GetBytes(key)), type, RowVersion.At(new(6), 2), expiry, value);
}
