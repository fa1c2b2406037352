using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>A run of data blocks of one file.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct BlockRun(int First, int Count);

/// <summary>
/// An open sorted file: its index, filter and properties in memory, verified (see <see cref="SSTableOpening"/>). It
/// does no disk operation: whoever lacks a block submits <see cref="ReadBlock"/>, hands what came to Decode
/// and the block to the cache.
/// <para>Invariant: nothing that it gives out was not verified.</para>
/// </summary>
public sealed class SSTableReader : IDisposable
{
    private readonly SSTableIndex _index;
    private readonly BloomFilter _filter;
    private readonly BlockCipher? _cipher;
    private readonly BlockCodec _codec;

    internal SSTableReader(string file, SSTableInfo info, SSTableIndex index, BloomFilter filter, BlockCipher? cipher)
    {
        File = file;
        Info = info;
        _index = index;
        _filter = filter;
        _cipher = cipher;
        _codec = new(info.Identity, cipher);
    }

    /// <summary>Its name on the disk.</summary>
    public string File { get; }

    public SSTableInfo Info { get; }

    /// <summary>The data key that it is encrypted with; <see cref="DataKey.NoId"/> when it is not.</summary>
    public uint KeyId => _cipher?.KeyId ?? DataKey.NoId;

    public int BlockCount => _index.Count;

    /// <summary>What index and filter take in memory, about, in bytes.</summary>
    public long MemoryBytes => _index.MemoryBytes + _filter.Bytes.Length;

    /// <summary>
    /// The number under which a <see cref="BlockCache"/> keeps its blocks; zero before it was registered there.
    /// </summary>
    public ulong CacheNumber { get; internal set; }

    internal SSTableIndex Index => _index;

    internal BloomFilter Filter => _filter;

    public void Dispose() => _cipher?.Dispose();

    /// <summary>False when the file surely holds no such row, tombstones included.</summary>
    public bool MayHold(ReadOnlySpan<byte> rowKey) =>
        IsInBounds(rowKey) && _filter.MayHold(KeyHash.Of(rowKey));

    public bool IsInBounds(ReadOnlySpan<byte> rowKey) =>
        rowKey.SequenceCompareTo(Info.Smallest.Span) >= 0 && rowKey.SequenceCompareTo(Info.Largest.Span) <= 0;

    /// <summary>The only block that can hold a row key; -1 when it stands before all of them.</summary>
    public int FindBlock(ReadOnlySpan<byte> rowKey) => _index.Find(rowKey);

    /// <summary>The blocks that can hold rows of a range, for whoever wants to read ahead.</summary>
    public BlockRun BlocksOf(in RowRange range)
    {
        if (range.To.SequenceCompareTo(Info.Smallest.Span) <= 0 || range.From.SequenceCompareTo(Info.Largest.Span) > 0)
        {
            return default;
        }

        int first = Math.Max(0, _index.Find(range.From));
        int last = _index.Find(range.To);
        return new(first, last - first + 1);
    }

    /// <summary>What a block takes when it is in memory, in bytes.</summary>
    public int BlockMemoryBytes(int block) => _index.BodyBytes(block) + Block.OverheadBytes;

    /// <summary>What all blocks would take if they were in memory, in bytes.</summary>
    public long BlocksMemoryBytes => _index.BodyBytesSum + (BlockCount * (long)Block.OverheadBytes);

    /// <summary>What the largest block takes when it is in memory, in bytes.</summary>
    public int LargestBlockMemoryBytes => _index.BodyBytesMax + Block.OverheadBytes;

    /// <summary>What a block takes on disk, in bytes.</summary>
    public int StoredBytes(int block) => _index.StoredBytes(block);

    /// <summary>The operation that reads a block.</summary>
    public DiskOperation ReadBlock(int block) => ReadBlocks(new(block, 1));

    /// <summary>
    /// The operation that reads a run of blocks at once; what comes is cut by <see cref="StoredBytes"/>.
    /// </summary>
    public DiskOperation ReadBlocks(BlockRun run)
    {
        long offset = _index.Offset(run.First);
        int last = run.First + run.Count - 1;
        long length = _index.Offset(last) + _index.StoredBytes(last) - offset;
        return new(0, DiskOperationKind.Read, File, offset, Length: checked((int)length));
    }

    /// <summary>A block of what was read; null with a sentence when it is damaged.</summary>
    public Block? Decode(int block, in DiskCompletion completion, out string sentence)
    {
        if (completion.Status != DiskStatus.Done)
        {
            sentence = SSTableSentences.Unreadable(File, completion.Status);
            return null;
        }

        return Decode(block, completion.Data.Span, out sentence);
    }

    /// <summary>As the other overload, of the block's stored bytes.</summary>
    public Block? Decode(int block, ReadOnlySpan<byte> stored, out string sentence)
    {
        sentence = "";
        long offset = _index.Offset(block);
        if (stored.Length != _index.StoredBytes(block))
        {
            sentence = SSTableSentences.Cut(File, offset + _index.StoredBytes(block), Info.FileBytes);
            return null;
        }

        byte[]? body = _codec.TryOpen(stored, (ulong)block, _index.BodyBytes(block), out string problem);
        Block? decoded = body is null ? null : Block.TryMake(body, out problem);
        if (decoded is not null && !decoded.First(_index.Key(block)))
        {
            problem = "its first row is not the one that the index names";
            decoded = null;
        }

        if (decoded is null)
        {
            sentence = SSTableSentences.Damaged(File, offset, $"block {block}", problem);
        }

        return decoded;
    }
}
