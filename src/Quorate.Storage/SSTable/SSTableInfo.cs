using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>What a sorted file says of itself.</summary>
public sealed record SSTableInfo
{
    public required SSTableIdentity Identity { get; init; }

    /// <summary>The whole file, in bytes.</summary>
    public required long FileBytes { get; init; }

    /// <summary>The data key that it is encrypted with; zero when it is not.</summary>
    public required uint KeyId { get; init; }

    public required int BlockCount { get; init; }

    /// <summary>Rows, tombstones included.</summary>
    public required long Rows { get; init; }

    public required long Tombstones { get; init; }

    /// <summary>Row keys and values as they were handed over, in bytes.</summary>
    public required long RowBytes { get; init; }

    /// <summary>The first row key.</summary>
    public required ReadOnlyMemory<byte> Smallest { get; init; }

    /// <summary>The last row key.</summary>
    public required ReadOnlyMemory<byte> Largest { get; init; }

    public required RowVersion VersionMin { get; init; }

    public required RowVersion VersionMax { get; init; }

    /// <summary>
    /// The earliest moment at which one of its rows expires, in milliseconds since 1970; zero when none does.
    /// </summary>
    public required long ExpiryMin { get; init; }

    /// <summary>The applied index of the moment at which it was begun.</summary>
    public required LogIndex CreatedAt { get; init; }
}
