using System.Runtime.InteropServices;

namespace Quorate.Storage.Stores;

/// <summary>
/// Which runs of tables, or which tables, to merge: neighbours in age, so that the order of age stays one of position.
/// Size-tiered: a run is worth merging when it has enough tables and each is not much larger than those before it
/// together, so that a row is written again only as often as the sizes double (O'Neil and others, 1996; the rule is
/// that of RocksDB's universal compaction).
/// </summary>
/// <param name="First">The newest, counted from the newest of all.</param>
/// <param name="Count">Zero when there is nothing to do.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CompactionPlan(int First, int Count)
{
    /// <param name="sizes">Of all runs, newest first, in bytes.</param>
    /// <param name="settings">The sizes of tiers.</param>
    public static CompactionPlan Of(ReadOnlySpan<long> sizes, PartitionStoreSettings settings)
    {
        for (int first = 0; first + settings.TierTablesMin <= sizes.Length; first++)
        {
            long sum = sizes[first];
            int end = first + 1;
            while (end < sizes.Length && sizes[end] <= sum / 100 * settings.TierGrowthPercent)
            {
                sum += sizes[end++];
            }

            if (end - first >= settings.TierTablesMin)
            {
                return new(first, end - first);
            }
        }

        int excess = sizes.Length - settings.TablesMax;
        return excess <= 0 ? default : new(0, excess + 1);
    }

    /// <summary>So many neighbours, or all when there are fewer, that are the smallest together.</summary>
    public static CompactionPlan Smallest(ReadOnlySpan<long> sizes, int count)
    {
        count = Math.Min(count, sizes.Length);
        CompactionPlan smallest = default;
        long least = long.MaxValue;
        for (int first = 0; first + count <= sizes.Length && count > 1; first++)
        {
            long sum = 0;
            foreach (long size in sizes.Slice(first, count))
            {
                sum += size;
            }

            if (sum < least)
            {
                (smallest, least) = (new(first, count), sum);
            }
        }

        return smallest;
    }

    /// <summary>The newest of them, when there are more than so many.</summary>
    public CompactionPlan OfAtMost(int count) => this with { Count = Math.Min(Count, count) };

    /// <summary>
    /// A table that is to be written again by itself, since the key that it is encrypted with was retired.
    /// </summary>
    public static CompactionPlan OfRetiredKeys(TableSet set, StoreEncryption? encryption)
    {
        for (int i = 0; encryption is not null && i < set.Tables.Count; i++)
        {
            uint keyId = set.Tables[i].Reader.KeyId;
            if (encryption.Keys.IsRetired(keyId) && encryption.Keys.MayEncrypt(encryption.Current.Id))
            {
                return new(i, 1);
            }
        }

        return default;
    }
}
