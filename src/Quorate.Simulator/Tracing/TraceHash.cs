using System.Numerics;
using System.Runtime.CompilerServices;

namespace Quorate.Simulator.Tracing;

/// <summary>
/// A running 64-bit hash over everything that happens, in order. Two runs that have the same hash went the same
/// way. It tells runs apart; it keeps no secret.
/// </summary>
internal struct TraceHash
{
    private ulong _state;

    public readonly ulong Value => _state;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong number) =>
        _state = (BitOperations.RotateLeft(_state, 29) ^ number) * 0x9FB21C651E98DF25UL;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong a, ulong b) =>
        (BitOperations.RotateLeft(a, 31) ^ b) * 0xD6E8FEB86659FD93UL;
}
