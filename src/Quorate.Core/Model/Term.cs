using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Core.Model;

/// <summary>
/// Raft's logical clock (Raft, section 5.1): at most one leader is elected in a term. Zero is before the first.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Term(ulong Value) : IComparable<Term>
{
    public static readonly Term Zero;

    public Term Next => new(Value + 1);

    public static bool operator <(Term a, Term b) => a.Value < b.Value;

    public static bool operator >(Term a, Term b) => a.Value > b.Value;

    public static bool operator <=(Term a, Term b) => a.Value <= b.Value;

    public static bool operator >=(Term a, Term b) => a.Value >= b.Value;

    public static Term Max(Term a, Term b) => a > b ? a : b;

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value}");
}

/// <summary>A position in a group's log. The first entry has index 1; zero is before it.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LogIndex(ulong Value) : IComparable<LogIndex>
{
    public static readonly LogIndex Zero;

    public LogIndex Next => new(Value + 1);

    /// <summary>The index before this one; zero's is zero.</summary>
    public LogIndex Previous => Value == 0 ? this : new(Value - 1);

    public static bool operator <(LogIndex a, LogIndex b) => a.Value < b.Value;

    public static bool operator >(LogIndex a, LogIndex b) => a.Value > b.Value;

    public static bool operator <=(LogIndex a, LogIndex b) => a.Value <= b.Value;

    public static bool operator >=(LogIndex a, LogIndex b) => a.Value >= b.Value;

    public static LogIndex operator +(LogIndex a, ulong count) => new(a.Value + count);

    /// <summary>How many entries lie in (b, a]; zero when b is not before a.</summary>
    public static ulong operator -(LogIndex a, LogIndex b) => a.Value > b.Value ? a.Value - b.Value : 0;

    /// <summary>This index less <paramref name="count"/>, at least zero.</summary>
    public LogIndex Minus(ulong count) => Value > count ? new(Value - count) : Zero;

    public static LogIndex Min(LogIndex a, LogIndex b) => a < b ? a : b;

    public static LogIndex Max(LogIndex a, LogIndex b) => a > b ? a : b;

    public int CompareTo(LogIndex other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value}");
}
