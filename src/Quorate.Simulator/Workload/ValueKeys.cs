using System.Globalization;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Workload;

/// <summary>The keys of the values workload: per hash tag one for each use, and two for a pair.</summary>
internal static class ValueKeys
{
    public const int TagsMax = 4;

    /// <summary>The numbers of all registers and counters.</summary>
    public static IEnumerable<long> RegisterNumbers => Enumerable.Range(0, 2 * TagsMax).Select(number => (long)number);

    /// <summary>Numbers of register keys, as the checkers know them: registers are even, counters odd.</summary>
    public static long RegisterNumber(int tag, KeyUse use) => (2 * tag) + (use == KeyUse.Counter ? 1 : 0);

    /// <summary>The number of a register or counter; null when the key is neither.</summary>
    public static long? RegisterNumberOf(string key)
    {
        for (int tag = 0; tag < TagsMax; tag++)
        {
            if (key == Of(tag, KeyUse.Register) || key == Of(tag, KeyUse.Counter))
            {
                return RegisterNumber(tag, key == Of(tag, KeyUse.Counter) ? KeyUse.Counter : KeyUse.Register);
            }
        }

        return null;
    }

    /// <summary>
    /// A key's bytes as Latin-1. Some hold zeros and bytes above 127, which row keys must keep in order and apart.
    /// </summary>
    public static string Of(int tag, KeyUse use) => Tagged(tag) + use switch
    {
        KeyUse.Register => "r",
        KeyUse.Counter => "c",
        KeyUse.Text => "s",
        KeyUse.Hash => "h",
        KeyUse.Set => "h\0",
        KeyUse.List => "h\0\0",
        KeyUse.SortedSet => "h\0\u00ff",
        KeyUse.Json => "h\u00ff",
        KeyUse.Any => "",
        _ => "p",
    };

    /// <summary>The second key of a pair.</summary>
    public static string Second(int tag) => Tagged(tag) + "q\u00fe";

    /// <summary>All keys of a tag.</summary>
    public static IEnumerable<string> All(int tag) =>
        Enum.GetValues<KeyUse>().Select(use => Of(tag, use)).Append(Second(tag));

    /// <summary>Fields and members; they share beginnings, and one is empty.</summary>
    public static string Element(int number) => number switch
    {
        0 => "",
        1 => "\0",
        2 => "\u00ff",
        _ => string.Create(CultureInfo.InvariantCulture, $"m{new string('\0', number % 3)}{number}"),
    };

    private static string Tagged(int tag) => string.Create(CultureInfo.InvariantCulture, $"{{t{tag}}}");
}
