namespace Quorate.Storage.Stores;

/// <summary>Bounds of ranges of row keys.</summary>
internal static class RowBounds
{
    /// <summary>Above all row keys: slot and space take no more than two bytes, and these are the highest.</summary>
    public static ReadOnlySpan<byte> AfterAll => [0xFF, 0xFF, 0xFF];
}
