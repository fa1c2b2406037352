using System.Globalization;
using System.Runtime.CompilerServices;
using Quorate.Simulator.Engine;

namespace Quorate.Simulator.Tracing;

/// <summary>
/// What happens in a run, in order: always as a hash, and as lines for people when someone reads them.
/// </summary>
internal sealed class Trace(TextWriter? lines)
{
    private TraceHash _hash;

    /// <summary>True when lines are wanted; ask before composing one.</summary>
    public bool Verbose => lines is not null;

    public ulong Hash => _hash.Value;

    /// <summary>Events counted so far.</summary>
    public long Events { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Event(long time, in SimEvent happening, ulong digest)
    {
        Events++;
        _hash.Add((ulong)time);
        _hash.Add(((ulong)happening.Kind << 48) ^ ((ulong)(uint)happening.Target << 16) ^ (uint)happening.Group);
        _hash.Add(digest);
    }

    /// <summary>What happens in the event that was counted last, beside what names it.</summary>
    public void Digest(ulong digest) => _hash.Add(digest);

    /// <summary>A line for people: true time in milliseconds, where, and what.</summary>
    public void Line(long time, string where, string what) => lines?.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{time / 1000,7}.{time % 1000:000} {where,-6} {what}"));
}
