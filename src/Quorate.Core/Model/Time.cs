using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Core.Model;

/// <summary>
/// A reading of one node's monotonic clock, in microseconds from a start of its own. Readings of two nodes are
/// never compared: only differences on one node mean anything, within the bound on clock drift. The clock goes
/// on while the machine is suspended (CLOCK_BOOTTIME on Linux).
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Instant(long Microseconds) : IComparable<Instant>
{
    public static readonly Instant Zero;

    /// <summary>Later than every reading: "no deadline".</summary>
    public static readonly Instant Never = new(long.MaxValue);

    public static Instant operator +(Instant a, Duration d) =>
        a.Microseconds > long.MaxValue - d.Microseconds ? Never : new(a.Microseconds + d.Microseconds);

    public static Duration operator -(Instant a, Instant b) => new(a.Microseconds - b.Microseconds);

    public static bool operator <(Instant a, Instant b) => a.Microseconds < b.Microseconds;

    public static bool operator >(Instant a, Instant b) => a.Microseconds > b.Microseconds;

    public static bool operator <=(Instant a, Instant b) => a.Microseconds <= b.Microseconds;

    public static bool operator >=(Instant a, Instant b) => a.Microseconds >= b.Microseconds;

    public static Instant Min(Instant a, Instant b) => a < b ? a : b;

    public static Instant Max(Instant a, Instant b) => a > b ? a : b;

    public int CompareTo(Instant other) => Microseconds.CompareTo(other.Microseconds);

    public override string ToString() => this == Never
        ? "never"
        : string.Create(CultureInfo.InvariantCulture, $"{Microseconds / 1000}.{Microseconds % 1000:000}ms");
}

/// <summary>A length of time in microseconds.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Duration(long Microseconds) : IComparable<Duration>
{
    public static readonly Duration Zero;

    public static Duration FromMilliseconds(long milliseconds) => new(checked(milliseconds * 1000));

    public static Duration FromSeconds(long seconds) => new(checked(seconds * 1_000_000));

    public static Duration operator +(Duration a, Duration b) => new(a.Microseconds + b.Microseconds);

    public static Duration operator -(Duration a, Duration b) => new(a.Microseconds - b.Microseconds);

    public static Duration operator *(Duration a, long factor) => new(checked(a.Microseconds * factor));

    public static bool operator <(Duration a, Duration b) => a.Microseconds < b.Microseconds;

    public static bool operator >(Duration a, Duration b) => a.Microseconds > b.Microseconds;

    public static bool operator <=(Duration a, Duration b) => a.Microseconds <= b.Microseconds;

    public static bool operator >=(Duration a, Duration b) => a.Microseconds >= b.Microseconds;

    public int CompareTo(Duration other) => Microseconds.CompareTo(other.Microseconds);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Microseconds / 1000}.{Microseconds % 1000:000}ms");
}
