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

    /// <summary>
    /// What the writer of one file holds until its end: a hash for each row key, index and filter. In bytes. A file
    /// that has come to it is finished, and another one goes on; so this bounds what the making of a file takes, and
    /// index and filter stay far below what one block may hold.
    /// </summary>
    public int BuildBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>With less than this for <see cref="BuildBytesMax"/> files would be many and small. In bytes.</summary>
    public const int BuildBytesMin = 256 * 1024;

    /// <summary>A piece that the writer has ready is worth writing from this size on, in bytes.</summary>
    public int WritePieceBytes { get; init; } = 256 * 1024;

    /// <summary>How much is read at one time when a file is opened, in bytes.</summary>
    public int ReadPieceBytes { get; init; } = 1024 * 1024;

    /// <summary>Index, filter and properties of one file together, in bytes. They stay in memory.</summary>
    public int MetaBytesMax { get; init; } = 512 * 1024 * 1024;

    /// <summary>
    /// The one limit that a writer keeps, so that what it writes can be opened: of its own memory, of the meta of a
    /// file, and of what one block may hold; with room for the last row. In bytes.
    /// </summary>
    internal int BuildLimitBytes => Math.Min(BuildBytesMax, Math.Min(MetaBytesMax, BlockCodec.BodyBytesMax) / 2);
}
