using Quorate.Core.Model;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// A merge at leisure and an urgent one take turns: neither works on tables of the other, whatever ends first. Seed
/// 8821603 of the simulator lost rows where one began over tables that the other was about to replace.
/// </summary>
public sealed class MergesSideBySideTests : StoreFixture
{
    private const int Keys = 60;

    private PartitionStoreSettings? _settings;
    private SeededRandom _random = new(1);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void No_row_is_lost_whichever_merge_ends_first(ulong seed)
    {
        _random = new(seed);
        StoreOwner owner = Open();
        var store = (PartitionStore)owner.Store;
        var last = new ulong[Keys];
        int merged = 0;
        ulong index = 0;
        while (index < 400)
        {
            index++;
            ulong[] keys = [.. Enumerable.Range(0, index == 1 ? Keys : 1 + (int)_random.Next(6)).Select(i =>
                index == 1 ? (ulong)i : (ulong)_random.Next(Keys / 2))];
            owner.Apply(index, [.. keys.Distinct().Select(key => ($"k{key}", RowType.Text, Value(index)))]);
            foreach (ulong key in keys)
            {
                last[key] = index;
            }

            int before = store.TableBytes.Count;
            owner.Call(each => each.Checkpoint(() => StoreOwner.Meta(index)));
            while (owner.Saved.Count < (int)index)
            {
                owner.Call(each => each.Work(1 + (int)_random.Next(4096)));
                for (long i = _random.Next(4); i > 0; i--)
                {
                    Disk.RunOne();
                }

                merged += store.TableBytes.Count < before ? 1 : 0;
                before = store.TableBytes.Count;
            }
        }

        Assert.Null(owner.Failure);
        Assert.True(merged > 5, $"only {merged} merges");
        RunAll(owner);

        // What memory still held would hide what the tables lack.
        StoreLook look = Look(Open());
        for (ulong key = 0; key < Keys; key++)
        {
            string? row = look.Get(StoreOwner.KeyOf($"k{key}"));
            Assert.True(row is not null, $"k{key}, written at {last[key]}, is gone");
            Assert.Contains($" Text {last[key]}.", row, StringComparison.Ordinal);
        }
    }

    /// <summary>Of the first four hundred, some of those that lost rows while merges met.</summary>
    public static TheoryData<ulong> Seeds() => [1, 6, 36, 44, 61, 72, 102, 124, 128, 137, 146, 149];

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client)
    {
        _settings ??= new PartitionStoreSettings
        {
            Prefix = prefix,
            Partition = new(7),
            TierTablesMin = Pick(2, 3),
            TierGrowthPercent = Pick(50, 150),
            TablesMax = Pick(2, 4),
            TablesOverMax = Pick(1, 2, 4, 8),
            Tables = new() { BlockBytes = Pick(64, 500, 8192), WritePieceBytes = Pick(100, 4096, 256 * 1024) },
            PassReadBytes = Pick(8192, 256 * 1024),
        };
        return new PartitionStore(disk, _settings, client, new(20_000), new MemoryBudget(1 << 20));
    }

    private int Pick(params int[] choices) => choices[_random.Next(choices.Length)];

    private static string Value(ulong index) => new('x', 1 + (int)(index % 50));
}
