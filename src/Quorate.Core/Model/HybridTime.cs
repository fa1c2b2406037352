using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Core.Model;

/// <summary>
/// A hybrid logical time (Kulkarni and others, "Logical Physical Clocks", 2014): milliseconds since 1970 in the upper
/// 48 bits, a counter in the lower 16. A group's entries carry rising ones, so that all replicas judge expiry by the
/// same time: the log's, never a clock of their own (pitfall R25).
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct HybridTime(ulong Packed) : IComparable<HybridTime>
{
    public static readonly HybridTime Zero;

    public long Milliseconds => (long)(Packed >> 16);

    public static HybridTime FromMilliseconds(long milliseconds) => new((ulong)milliseconds << 16);

    public static bool operator <(HybridTime a, HybridTime b) => a.Packed < b.Packed;

    public static bool operator >(HybridTime a, HybridTime b) => a.Packed > b.Packed;

    public static bool operator <=(HybridTime a, HybridTime b) => a.Packed <= b.Packed;

    public static bool operator >=(HybridTime a, HybridTime b) => a.Packed >= b.Packed;

    public static HybridTime Max(HybridTime a, HybridTime b) => a > b ? a : b;

    /// <summary>The next time after this one, and not before what the clock shows.</summary>
    public HybridTime After(long clockMilliseconds) => Max(FromMilliseconds(clockMilliseconds), new(Packed + 1));

    public int CompareTo(HybridTime other) => Packed.CompareTo(other.Packed);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Milliseconds}.{Packed & 0xFFFF}");
}
