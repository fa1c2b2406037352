using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// The blocks that one pass through a table has read ahead: a run of them, beside the cache, which a pass through
/// everything would only empty. It takes no more than its part of a sixteenth of all memory, or one block.
/// </summary>
/// <param name="context">The store.</param>
/// <param name="table">What is gone through.</param>
/// <param name="windows">How many such passes there are side by side.</param>
internal sealed class TableWindow(StoreContext context, StoreTable table, int windows) : IBlockLookup
{
    private const int MemoryDivisor = 16;

    private readonly List<Block> _blocks = [];
    private int _first;

    /// <summary>What the blocks of one of so many windows may take, unless there is only one, in bytes.</summary>
    public static long BytesMax(StoreContext context, int windows) =>
        Math.Min(context.Settings.PassReadBytes, context.Budget.TotalBytes / MemoryDivisor / windows);

    public Block? Find(SSTableReader file, int block)
    {
        int at = block - _first;
        return at >= 0 && at < _blocks.Count ? _blocks[at] : null;
    }

    /// <summary>The next run of blocks, from this one on, in place of the one before.</summary>
    public IEnumerable<StoreStep> Read(int first)
    {
        SSTableReader reader = table.Reader;
        int count = 1;

        // As it will be in memory, not as it is stored: what is well compressed would else take many times as much.
        long bytes = reader.BlockMemoryBytes(first);
        long bytesMax = BytesMax(context, windows);
        while (first + count < reader.BlockCount && bytes + reader.BlockMemoryBytes(first + count) <= bytesMax)
        {
            bytes += reader.BlockMemoryBytes(first + count++);
        }

        // As it is read, and as it is decoded.
        context.MakeHeapRoom(2 * bytes);
        yield return reader.ReadBlocks(new(first, count));

        if (context.IsDead)
        {
            yield break;
        }

        _blocks.Clear();
        _first = first;
        Problem = Decode(reader, context.Jobs.Completion, count);
        MemoryBytes = _blocks.Sum(block => (long)block.MemoryBytes);
    }

    /// <summary>The pass has gone through the table.</summary>
    public void Clear()
    {
        _blocks.Clear();
        MemoryBytes = 0;
    }

    /// <summary>What its blocks take, in bytes.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>What was wrong with the blocks that were read last.</summary>
    public string? Problem { get; private set; }

    private string? Decode(SSTableReader reader, in DiskCompletion completion, int count)
    {
        if (completion.Status != DiskStatus.Done)
        {
            reader.Decode(_first, completion, out string sentence);
            return sentence;
        }

        ReadOnlySpan<byte> rest = completion.Data.Span;
        for (int i = 0; i < count; i++)
        {
            int length = Math.Min(rest.Length, reader.StoredBytes(_first + i));
            Block? block = reader.Decode(_first + i, rest[..length], out string sentence);
            if (block is null)
            {
                return sentence;
            }

            _blocks.Add(block);
            rest = rest[length..];
        }

        return null;
    }
}
