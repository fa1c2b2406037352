using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Reads blocks that were looked for and not in memory, and holds them in the cache until they are released.
/// <para>Invariants: a block that is held stays in the cache, and its file stays; fetches start in the order in which
/// they were asked for, and one starts when what it reads fits the bound on held blocks or no other is under way.
/// </para>
/// </summary>
internal sealed class StoreFetches(StoreContext context) : IDiskClient
{
    private readonly SortedDictionary<ulong, List<HeldBlock>> _held = [];
    private readonly SortedDictionary<ulong, (Fetch Fetch, StoreTable Table, BlockRun Run)> _reading = [];
    private readonly Queue<Fetch> _waiting = new();
    private List<(StoreTable Table, BlockRun Run)> _wanted = [];
    private ulong _ticket;

    /// <summary>What the blocks take that are being read, in bytes.</summary>
    private long _readingBytes;

    /// <summary>What the blocks that are held take, in bytes; one that is held twice counts twice.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Blocks read from the disk so far.</summary>
    public long BlocksRead { get; private set; }

    /// <summary>Remembers that blocks are wanted by whoever asks for the next fetch.</summary>
    public void Want(StoreTable table, BlockRun run)
    {
        if (_wanted.Count < context.Settings.FetchesMax && !_wanted.Contains((table, run)))
        {
            _wanted.Add((context.Tables.Hold(table), run));
        }
    }

    public void Start(ulong tag)
    {
        Invariant.Check(_waiting.Count < context.Settings.FetchesMax, "the owner bounds its fetches");
        _waiting.Enqueue(new(tag, _wanted));
        _wanted = [];
        StartWaiting();
    }

    /// <summary>Nobody asks for a fetch of what is wanted.</summary>
    public void Forget()
    {
        if (_wanted.Count > 0 && Guards.WhoGivesUpWantsNothing)
        {
            foreach ((StoreTable table, _) in _wanted)
            {
                context.Tables.Release(table);
            }

            _wanted.Clear();
        }
    }

    public void Release(ulong tag)
    {
        if (_held.Remove(tag, out List<HeldBlock>? blocks))
        {
            foreach (HeldBlock held in blocks)
            {
                context.Cache.Unpin(held.Table.Reader, held.Block);
                HeldBytes -= held.Table.Reader.BlockMemoryBytes(held.Block);
                context.Tables.Release(held.Table);
            }

            StartWaiting();
        }
    }

    /// <summary>The store ends: nothing is held any more, and nobody is told.</summary>
    public void Stop()
    {
        _waiting.Clear();
        _reading.Clear();
        NoteReading(-_readingBytes);
        foreach (ulong tag in _held.Keys.ToArray())
        {
            Release(tag);
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (context.IsDead || !_reading.Remove(completion.Ticket, out var read))
        {
            return;
        }

        (Fetch fetch, StoreTable table, BlockRun run) = read;
        if (run.Count > 0)
        {
            NoteReading(-BytesOf(table.Reader, run));
            Take(fetch.Tag, table, run, completion);
            context.Tables.Release(table);
        }

        fetch.Outstanding--;
        if (!context.IsDead && fetch.Outstanding == 0)
        {
            context.Client.Fetched(fetch.Tag);
        }

        if (!context.IsDead)
        {
            StartWaiting();
        }
    }

    private void StartWaiting()
    {
        while (_waiting.TryPeek(out Fetch? next))
        {
            long bytes = next.Wanted.Sum(want => BytesOf(want.Table.Reader, want.Run));
            bool fits = HeldBytes + _readingBytes + bytes <= context.Settings.HeldBytesMax
                && context.Cache.MayPin(context.Cache.ExpectedBytes + bytes);
            if (!fits && _reading.Count > 0)
            {
                return;
            }

            _waiting.Dequeue();
            NoteReading(bytes);
            foreach ((StoreTable table, BlockRun run) in next.Wanted)
            {
                Submit(next, table, run, table.Reader.ReadBlocks(run));
            }

            if (next.Wanted.Count == 0)
            {
                // Nothing is wanted; the answer is an input all the same, never given inside the call that asked.
                Submit(next, null!, default, context.Nothing);
            }
        }
    }

    private void NoteReading(long bytes)
    {
        _readingBytes += bytes;
        context.Cache.Expect(bytes);
        context.Budget.Take(MemoryUse.Work, bytes);
    }

    private void Submit(Fetch fetch, StoreTable table, BlockRun run, in DiskOperation operation)
    {
        fetch.Outstanding++;
        _reading.Add(++_ticket, (fetch, table, run));
        context.Disk.Submit(operation with { Ticket = _ticket }, this);
    }

    private void Take(ulong tag, StoreTable table, BlockRun run, in DiskCompletion completion)
    {
        ReadOnlySpan<byte> rest = completion.Data.Span;
        for (int block = run.First; block < run.First + run.Count; block++)
        {
            int length = Math.Min(rest.Length, table.Reader.StoredBytes(block));
            Block? decoded = completion.Status == DiskStatus.Done
                ? table.Reader.Decode(block, rest[..length], out string sentence)
                : table.Reader.Decode(block, completion, out sentence);
            if (decoded is null)
            {
                context.Fail(sentence);
                return;
            }

            rest = rest[length..];
            BlocksRead++;
            context.Cache.AddPinned(table.Reader, block, decoded);
            HeldBytes += table.Reader.BlockMemoryBytes(block);
            if (!_held.TryGetValue(tag, out List<HeldBlock>? held))
            {
                held = _held[tag] = [];
            }

            held.Add(new(context.Tables.Hold(table), block));
        }
    }

    private static long BytesOf(SSTableReader reader, BlockRun run)
    {
        long bytes = 0;
        for (int block = run.First; block < run.First + run.Count; block++)
        {
            bytes += reader.BlockMemoryBytes(block);
        }

        return bytes;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct HeldBlock(StoreTable Table, int Block);

    private sealed class Fetch(ulong tag, List<(StoreTable Table, BlockRun Run)> wanted)
    {
        public ulong Tag => tag;

        public List<(StoreTable Table, BlockRun Run)> Wanted => wanted;

        public int Outstanding { get; set; }
    }
}
