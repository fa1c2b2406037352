using Quorate.Storage.Blocks;

namespace Quorate.Storage.SSTable;

/// <summary>The settings and limits of sorted files and of the cache of their blocks, each with its unit.</summary>
public sealed record SSTableSettings
{
    /// <summary>
    /// A block that has reached this many bytes is finished; a row larger than that has a block of its own.
    /// </summary>
    public int BlockBytes { get; init; } = 8 * 1024;

    /// <summary>A row key is written whole every so many rows.</summary>
    public int RestartInterval { get; init; } = 16;

    public BlockCompression Compression { get; init; } = BlockCompression.Snappy;

    /// <summary>
    /// How many bits of the filter a row key gets. Ten let about one look in a hundred at an absent row through.
    /// </summary>
    public int FilterBitsPerKey { get; init; } = 10;

    /// <summary>A piece that the writer has ready is worth writing from this size on, in bytes.</summary>
    public int WritePieceBytes { get; init; } = 256 * 1024;

    /// <summary>How much is read at one time when a file is opened, in bytes.</summary>
    public int ReadPieceBytes { get; init; } = 1024 * 1024;

    /// <summary>Index, filter and properties of one file together, in bytes. They stay in memory.</summary>
    public int MetaBytesMax { get; init; } = 512 * 1024 * 1024;
}
