using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Quorate.Core.Model;

/// <summary>
/// A statement that is true in every correct run. It is checked in Release too: a node that finds one broken
/// cannot prove what it serves, so its process ends. The simulator reports it as the seed's broken claim.
/// </summary>
public static class Invariant
{
    /// <summary>
    /// Ends the process (by <see cref="InvariantBrokenException"/>, which nothing may catch) when the statement is
    /// false.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool holds, string statement)
    {
        if (!holds)
        {
            Fail(statement);
        }
    }

    /// <summary>As the other overload; the statement's text is composed only when it is false.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(
        [DoesNotReturnIf(false)] bool holds,
        [InterpolatedStringHandlerArgument(nameof(holds))] ref StatementHandler statement)
    {
        if (!holds)
        {
            Fail(statement.ToString());
        }
    }

    [DoesNotReturn]
    public static void Fail(string statement) => throw new InvariantBrokenException(statement);

    /// <summary>Composes the text of a broken statement, and nothing when the statement holds.</summary>
    [InterpolatedStringHandler]
    public ref struct StatementHandler
    {
        private DefaultInterpolatedStringHandler _inner;

        public StatementHandler(int literalLength, int formattedCount, bool holds, out bool shouldAppend)
        {
            shouldAppend = !holds;
            _inner = holds ? default : new DefaultInterpolatedStringHandler(literalLength, formattedCount);
        }

        public void AppendLiteral(string value) => _inner.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _inner.AppendFormatted(value);

        public override string ToString() => _inner.ToStringAndClear();
    }
}

/// <summary>
/// A broken <see cref="Invariant"/>. Only the outermost frame of a process or of a simulated run may see it.
/// </summary>
public sealed class InvariantBrokenException : Exception
{
    public InvariantBrokenException()
    {
    }

    public InvariantBrokenException(string message)
        : base(message)
    {
    }

    public InvariantBrokenException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
