using System.Globalization;
using Quorate.Core.Model;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// Looks at a store as its owner does: what is cold is fetched, and the look begun anew. Rows are told as text, those
/// that do not count left out.
/// </summary>
internal sealed class StoreLook(StoreOwner owner, Action runDisk)
{
    private const int AttemptsMax = 10_000;

    private ulong _tag = 1000;

    /// <summary>Looks that had to wait for the disk.</summary>
    public int Fetches { get; private set; }

    public string? Get(byte[] rowKey)
    {
        string? text = null;
        Warm(() =>
        {
            Lookup lookup = owner.Store.Get(rowKey, out Row row);
            text = lookup == Lookup.Found && !LiveRows.IsExpired(row.Expiry, owner.Store.Time)
                ? TextOf(rowKey, row)
                : null;
            return lookup;
        });
        return text;
    }

    public List<string> Scan(byte[] from, byte[] to, bool descending = false, int rowsMax = int.MaxValue)
    {
        var seen = new Seen(owner.Store.Time);
        Warm(() =>
        {
            seen = new(owner.Store.Time) { RowsMax = rowsMax };
            return owner.Store.Scan(new(from, to, descending), seen);
        });
        return seen.Rows;
    }

    /// <summary>All rows that count, in order.</summary>
    public List<string> All()
    {
        var seen = new Seen(owner.Store.Time);
        Warm(() =>
        {
            seen = new(owner.Store.Time) { IsLive = true };
            return owner.Store.Scan(new([], [0xFF, 0xFF]), seen);
        });
        return seen.Rows;
    }

    public ulong StateHash()
    {
        ulong? hash = null;
        Warm(() =>
        {
            hash = owner.Store.StateHash();
            return hash is null ? Lookup.Cold : Lookup.Found;
        });
        return hash!.Value;
    }

    /// <summary>Looks until nothing is cold any more, keeping all that was fetched until the end.</summary>
    public void Warm(Func<Lookup> look)
    {
        var held = new List<ulong>();
        for (int i = 0; ; i++)
        {
            Assert.True(i < AttemptsMax, "what was fetched is cold again");
            if (look() != Lookup.Cold)
            {
                break;
            }

            ulong tag = ++_tag;
            owner.Call(store => store.Fetch(tag));
            runDisk();
            Assert.Null(owner.Failure);
            Assert.Contains(tag, owner.Fetches);
            held.Add(tag);
            Fetches++;
        }

        foreach (ulong tag in held)
        {
            owner.Call(store => store.Release(tag));
        }
    }

    public static string TextOf(ReadOnlySpan<byte> rowKey, in Row row)
    {
        Assert.False(row.IsTombstone, "a tombstone is no row");
        Assert.Equal(Row.HashOf(rowKey, row.Value), row.Hash);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Convert.ToHexString(rowKey)} {row.Type} {row.Version} {row.Expiry} {Convert.ToHexString(row.Value)}");
    }

    private sealed class Seen(HybridTime time) : IRowVisitor
    {
        private LiveRows _live = new(time);

        public List<string> Rows { get; } = [];

        public int RowsMax { get; init; } = int.MaxValue;

        /// <summary>Elements without a header are left out too; the scan shows all rows of a key.</summary>
        public bool IsLive { get; init; }

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            if (IsLive ? _live.Show(rowKey, row) : !LiveRows.IsExpired(row.Expiry, time))
            {
                Rows.Add(TextOf(rowKey, row));
            }

            return Rows.Count < RowsMax;
        }
    }
}
