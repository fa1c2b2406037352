using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// A collection whose expiry was moved in time by its header alone, as EXPIRE and PERSIST do, while tables with the
/// header's former expiry are written anew without the newest.
/// </summary>
public sealed class ProlongedCollectionTests : StoreFixture
{
    private static readonly byte[] Key = "hash"u8.ToArray();

    private readonly KeyRing _ring = new();
    private readonly CurrentKey _current = new(3);
    private int _tierTablesMin = 100;

    public ProlongedCollectionTests()
    {
        _ring.Add(new(3, new byte[DataKey.KeyBytes]));
        _ring.Add(new(4, new byte[DataKey.KeyBytes]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void It_keeps_its_elements_when_older_tables_are_merged(long newExpiry)
    {
        StoreOwner owner = WithHash(expiry: 15, fillerBytes: 20_000);
        owner.ApplyRows(2, (StoreOwner.KeyOf("another"), RowType.Text, 0, Noise(20_000)));
        Checkpoint(owner, 2);
        Prolong(owner, newExpiry);
        _tierTablesMin = 2;
        owner = Open();
        for (int i = 0; i < 20; i++)
        {
            RunAll(owner);
        }

        Assert.NotEqual(0, ((PartitionStore)owner.Store).Compactions);
        AssertWhole(owner);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void It_keeps_its_elements_when_a_table_is_written_anew_for_another_key(long newExpiry)
    {
        StoreOwner owner = WithHash(expiry: 15, fillerBytes: 10);
        Prolong(owner, newExpiry);
        _current.Rotate(_ring, 4);
        RunAll(owner);
        RunAll(owner);
        Assert.NotEqual(0, ((PartitionStore)owner.Store).Compactions);
        AssertWhole(Open());
    }

    [Fact]
    public void Once_nobody_prolongs_it_its_elements_go()
    {
        StoreOwner owner = WithHash(expiry: 15, fillerBytes: 10);
        Prolong(owner, newExpiry: 18);
        _tierTablesMin = 2;
        owner = Open();
        for (int i = 0; i < 20; i++)
        {
            RunAll(owner);
        }

        Assert.NotEqual(0, ((PartitionStore)owner.Store).Compactions);
        Assert.Null(Look(owner).Get(RowKey.Of(Key)));
        Assert.Null(Look(owner).Get(ElementKey));
    }

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        new PartitionStore(
            disk,
            new() { Prefix = prefix, Partition = new(7), TierTablesMin = _tierTablesMin },
            client,
            new(20_000),
            new MemoryBudget(1 << 22),
            new(_ring, _current, new SampleEntropy(1)));

    private static byte[] Header
    {
        get
        {
            byte[] header = new byte[16];
            BinaryPrimitives.WriteUInt64BigEndian(header, RowVersion.At(new(1), 0).Packed);
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(8), 1);
            return header;
        }
    }

    private static byte[] ElementKey => RowKey.Of(Key, [.. Header.AsSpan(0, 8), .. "field"u8]);

    /// <summary>A hash of one field that expires at this millisecond, in a checkpoint of its own.</summary>
    private StoreOwner WithHash(long expiry, int fillerBytes)
    {
        StoreOwner owner = Open();
        owner.ApplyRows(
            1,
            (RowKey.Of(Key), RowType.Hash, expiry, Header),
            (ElementKey, RowType.Element, 0, "value"u8.ToArray()),
            (StoreOwner.KeyOf("other"), RowType.Text, 0, Noise(fillerBytes)));
        Checkpoint(owner, 1);
        return owner;
    }

    /// <summary>Its header alone is written again at millisecond 10; the checkpoints go on until after 15.</summary>
    private void Prolong(StoreOwner owner, long newExpiry)
    {
        owner.ApplyRows(10, (RowKey.Of(Key), RowType.Hash, newExpiry, Header));
        Checkpoint(owner, 10);
        owner.Apply(20, ("later", RowType.Text, "1"));
        Checkpoint(owner, 20);
    }

    private void AssertWhole(StoreOwner owner)
    {
        Assert.NotNull(Look(owner).Get(RowKey.Of(Key)));
        Assert.NotNull(Look(owner).Get(ElementKey));
    }

    /// <summary>Bytes that no compression makes shorter.</summary>
    private static byte[] Noise(int length)
    {
        var random = new SeededRandom(1);
        byte[] bytes = new byte[length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)random.Next(256);
        }

        return bytes;
    }
}
