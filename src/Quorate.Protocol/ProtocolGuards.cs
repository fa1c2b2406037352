using System.Runtime.CompilerServices;

namespace Quorate.Protocol;

/// <summary>
/// The guards of this project, which knows no other: as in <c>src/Quorate.Core/Guards.cs</c>, each is always true, and
/// a build with MUTANTS defined can switch one off by the variable QUORATE_MUTANT.
/// </summary>
public static class ProtocolGuards
{
    /// <summary>S6: a length or count that a client names is judged before anything is made of it.</summary>
    public static bool LengthsAreJudgedFirst => On();

    /// <summary>S14: who speaks HTTP here is turned away at its first words.</summary>
    public static bool HttpIsTurnedAway => On();

#if MUTANTS
    private static readonly string? Off = Environment.GetEnvironmentVariable("QUORATE_MUTANT");

    private static bool On([CallerMemberName] string guard = "") =>
        !string.Equals(Off, guard, StringComparison.Ordinal);
#else
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool On() => true;
#endif
}
