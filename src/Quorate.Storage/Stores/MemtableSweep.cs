using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// Takes rows out of memory that nobody can see: those from before the last clear, and those whose expiry has come. A
/// few at a time.
/// <para>Invariant: no older row is uncovered. What a clear hides is hidden wherever it is; an expired row goes only
/// when no table can hold another version of it, and else becomes a tombstone; and neither happens to rows that have
/// expired while a checkpoint is about to bring older versions into a table.</para>
/// </summary>
internal sealed class MemtableSweep : IRowVisitor
{
    /// <summary>Rows that one go looks at.</summary>
    private const int RowsMax = 256;

    private readonly List<(byte[] RowKey, RowVersion Version)> _found = [];
    private byte[] _from = [];
    private bool _hasCleared;
    private bool _hasExpiring;
    private int _works;

    /// <summary>A row that expires was written.</summary>
    public void Expiring() => _hasExpiring = true;

    /// <summary>There was a clear: all rows are looked at once.</summary>
    public void Cleared()
    {
        _from = [];
        _hasCleared = true;
    }

    public void GoOn(PartitionStore store, TableSet? served, bool hasFreeze, int worksPerSweep)
    {
        if (_hasCleared)
        {
            RemoveCleared(store);
        }
        else if (_hasExpiring && !hasFreeze && ++_works >= worksPerSweep)
        {
            _works = 0;
            RemoveExpired(store, served);
        }
    }

    bool IRowVisitor.Visit(ReadOnlySpan<byte> rowKey, in Row row)
    {
        if (!row.IsTombstone)
        {
            _found.Add((rowKey.ToArray(), row.Version));
        }

        return _found.Count < RowsMax;
    }

    private void RemoveCleared(PartitionStore store)
    {
        MemtableCursor rows = store.Memory.Seek(new(_from, RowBounds.AfterAll));
        _hasCleared = false;
        for (int i = 0; rows.TryNext(out ReadOnlySpan<byte> rowKey, out Row row); i++)
        {
            if (i == RowsMax)
            {
                _from = rowKey.ToArray();
                _hasCleared = true;
                break;
            }

            if (row.Version < store.ClearedAt && RowKey.SpaceOf(rowKey) == RowSpace.User)
            {
                _found.Add((rowKey.ToArray(), row.Version));
            }
        }

        foreach ((byte[] rowKey, _) in _found)
        {
            store.Memory.Remove(rowKey);
        }

        _found.Clear();
    }

    private void RemoveExpired(PartitionStore store, TableSet? served)
    {
        store.Memory.SweepExpired(store.Time.Milliseconds, RowsMax, this);
        foreach ((byte[] rowKey, RowVersion version) in _found)
        {
            bool isOnDisk = served is not null && version.Index <= served.Manifest.Meta.Index;
            if (isOnDisk || served is null || !served.MayHold(rowKey))
            {
                store.Memory.Remove(rowKey);
            }
            else
            {
                store.Memory.Put(rowKey, RowType.Tombstone, version, 0, default, dirty: true);
            }
        }

        _found.Clear();
    }
}
