using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Storage.Rows;

/// <summary>
/// When a row was last written: the entry's index (48 bits) and the ordinal of the write within the entry (16 bits), so
/// that no two writes of one partition share a version (pitfall R29). Rising with each write of a row.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct RowVersion(ulong Packed) : IComparable<RowVersion>
{
    /// <summary>Writes in one entry.</summary>
    public const int OrdinalsMax = 1 << 16;

    /// <summary>The largest index that a version can name.</summary>
    public const ulong IndexMax = ulong.MaxValue >> 16;

    public static readonly RowVersion Zero;

    public LogIndex Index => new(Packed >> 16);

    public int Ordinal => (int)(Packed & 0xFFFF);

    public static RowVersion At(LogIndex index, int ordinal) =>
        new((index.Value << 16) | (Guards.VersionsDifferWithinAnEntry ? (uint)ordinal : 0));

    public static bool operator <(RowVersion a, RowVersion b) => a.Packed < b.Packed;

    public static bool operator >(RowVersion a, RowVersion b) => a.Packed > b.Packed;

    public static bool operator <=(RowVersion a, RowVersion b) => a.Packed <= b.Packed;

    public static bool operator >=(RowVersion a, RowVersion b) => a.Packed >= b.Packed;

    public int CompareTo(RowVersion other) => Packed.CompareTo(other.Packed);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}.{Ordinal}");
}

/// <summary>What a row holds. The numbers are part of the formats of log and files.</summary>
public enum RowType : byte
{
    /// <summary>The row is gone; it hides what older files hold under its key.</summary>
    Tombstone = 0,

    /// <summary>A string: its bytes.</summary>
    Text = 1,

    /// <summary>A string that is an integer in canonical form: eight bytes, little-endian.</summary>
    Integer = 2,

    /// <summary>A JSON document: its text.</summary>
    Json = 3,

    /// <summary>The header of a hash.</summary>
    Hash = 4,

    /// <summary>The header of a set.</summary>
    Set = 5,

    /// <summary>The header of a list.</summary>
    List = 6,

    /// <summary>The header of a sorted set.</summary>
    SortedSet = 7,

    /// <summary>A row of a collection's element.</summary>
    Element = 8,

    /// <summary>A request session, or a reply that it remembers.</summary>
    Session = 9,

    /// <summary>
    /// Not a row but a change: all user rows written before it are gone. Its row key is <see cref="RowKey.Clear"/>.
    /// </summary>
    Clear = 10,

    /// <summary>
    /// A string, or a collection's element, that was written as a JSON number, true, false or null: its text. What
    /// reads it as a string cannot tell.
    /// </summary>
    JsonScalar = 11,
}

/// <summary>
/// A row as it is found. The value is the store's own memory: it holds until the store takes its next change.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly ref struct Row(
    RowType type, RowVersion version, long expiry, ulong hash, ReadOnlySpan<byte> value)
{
    public RowType Type { get; } = type;

    public RowVersion Version { get; } = version;

    /// <summary>When it expires, in milliseconds since 1970; zero when never.</summary>
    public long Expiry { get; } = expiry;

    /// <summary><see cref="HashOf"/> of its key and value.</summary>
    public ulong Hash { get; } = hash;

    public ReadOnlySpan<byte> Value { get; } = value;

    public bool IsTombstone => Type == RowType.Tombstone;

    /// <summary>
    /// The hash over a row's key and value by which rot is found, whoever hands the row over (files have checksums of
    /// their own, this one goes along with the row from memory to disk to wire).
    /// </summary>
    public static ulong HashOf(ReadOnlySpan<byte> rowKey, ReadOnlySpan<byte> value) =>
        KeyHash.Of(value, KeyHash.Of(rowKey));
}
