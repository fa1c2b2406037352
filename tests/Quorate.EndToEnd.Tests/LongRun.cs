using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>Tests that can run longer than they do each time: a variable of the environment says how much.</summary>
internal static class LongRun
{
    public static readonly string[] Variables =
    [
        "QUORATE_KILLS", "QUORATE_FLAPS", "QUORATE_CONNECTIONS", "QUORATE_SEED", "QUORATE_REDIS_LINES",
        "QUORATE_REDIS_SEED", "QUORATE_FUZZED",
    ];

    public static int Count(string variable, int unlessSaid) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : unlessSaid;
}
