using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Core.Model;

/// <summary>
/// One of 16384 parts of the key space, as Redis Cluster computes them (CRC16 of the key, or of its hash tag).
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Slot(ushort Value) : IComparable<Slot>
{
    /// <summary>How many slots there are.</summary>
    public const int Count = 16384;

    public int CompareTo(Slot other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value}");
}

/// <summary>A run of slots, both ends included: what a partition holds.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SlotRange(Slot First, Slot Last)
{
    public static readonly SlotRange All = new(new(0), new(Slot.Count - 1));

    public int Count => Last.Value - First.Value + 1;

    public bool Contains(Slot slot) => slot.Value >= First.Value && slot.Value <= Last.Value;

    public override string ToString() => $"{First}-{Last}";
}
