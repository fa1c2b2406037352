namespace Quorate.Storage.Rows;

/// <summary>The limits on what one row may hold. What exceeds them is refused before it is logged.</summary>
public static class RowLimits
{
    /// <summary>A key, in bytes.</summary>
    public const int KeyBytesMax = 64 * 1024;

    /// <summary>The name of an element (a field, a member), in bytes.</summary>
    public const int ElementBytesMax = 64 * 1024;

    /// <summary>A value, in bytes.</summary>
    public const int ValueBytesMax = 64 * 1024 * 1024;

    /// <summary>An encoded row key, in bytes: every byte of a key may be a zero and so be doubled.</summary>
    public const int RowKeyBytesMax = RowKey.PrefixBytes + (2 * KeyBytesMax) + 2 + ElementBytesMax + 32;
}
