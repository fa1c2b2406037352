using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// An open table, and how many hold it: the durable manifest, the set that is served, transfers, fetches, a
/// compaction. When nobody does, its file goes (pitfall S4).
/// </summary>
internal sealed class StoreTable(ManifestTable entry, SSTableReader reader)
{
    public ManifestTable Entry => entry;

    public SSTableReader Reader => reader;

    public string File => reader.File;

    public int Holders { get; set; }
}

/// <summary>The tables of a checkpoint, newest first, with what the manifest says of them.</summary>
internal sealed class TableSet(Manifest manifest, StoreTable[] tables)
{
    public Manifest Manifest => manifest;

    public IReadOnlyList<StoreTable> Tables => tables;

    public TableRuns Runs { get; } = new(tables);

    public bool MayHold(ReadOnlySpan<byte> rowKey) => MayHold(rowKey, 0, tables.Length);

    /// <summary>Whether one of the tables from the first place to before the end may hold it.</summary>
    public bool MayHold(ReadOnlySpan<byte> rowKey, int first, int end)
    {
        for (int i = first; i < end; i++)
        {
            if (tables[i].Reader.MayHold(rowKey))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Counts the holders of tables, and closes and deletes those that nobody holds.</summary>
internal sealed class StoreTables(StoreContext context)
{
    private readonly List<StoreTable> _open = [];

    public StoreTable Hold(StoreTable table)
    {
        if (table.Holders++ == 0)
        {
            _open.Add(table);
            context.Budget.Take(MemoryUse.IndexesAndFilters, table.Reader.MemoryBytes);
        }

        return table;
    }

    public void Hold(TableSet? set)
    {
        foreach (StoreTable table in set?.Tables ?? [])
        {
            Hold(table);
        }
    }

    public void Release(StoreTable table)
    {
        Invariant.Check(table.Holders > 0, $"table {table.File} is released by one who holds it");
        if (--table.Holders == 0)
        {
            _open.Remove(table);
            Close(table);
            context.Delete(table.File);
        }
    }

    /// <summary>The files go unless another holder keeps them.</summary>
    public void Release(TableSet? set)
    {
        foreach (StoreTable table in set?.Tables ?? [])
        {
            if (!Guards.FilesInUseAreKept && table.Holders > 1)
            {
                context.Delete(table.File);
            }

            Release(table);
        }
    }

    /// <summary>The store ends; the files stay.</summary>
    public void CloseAll()
    {
        _open.ForEach(Close);
        _open.Clear();
    }

    private void Close(StoreTable table)
    {
        context.Budget.Give(MemoryUse.IndexesAndFilters, table.Reader.MemoryBytes);
        context.Cache.Forget(table.Reader);
        table.Reader.Dispose();
    }
}
