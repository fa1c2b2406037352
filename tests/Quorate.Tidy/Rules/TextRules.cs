using System.Text.RegularExpressions;

namespace Quorate.Tidy.Rules;

/// <summary>Rules about lines, for every text file whatever its language.</summary>
internal static partial class TextRules
{
    public const int LineLengthMax = 120;

    /// <summary>Kinds of files whose long lines cannot be wrapped: prose, tables, data of one record a line.</summary>
    private static readonly string[] LongLinesAllowed = [".md", ".json", ".slnx", ".txt"];

    public static IEnumerable<Finding> LineLength(Source file)
    {
        if (LongLinesAllowed.Any(ending => file.Path.EndsWith(ending, StringComparison.Ordinal)))
        {
            return [];
        }

        return Where(file, line => line.Length > LineLengthMax, line => $"{line.Length} columns");
    }

    public static IEnumerable<Finding> Tabs(Source file) =>
        Where(file, line => line.Contains('\t', StringComparison.Ordinal), _ => "a tab");

    /// <summary>A golden script may show a reply that ends in a space.</summary>
    public static IEnumerable<Finding> TrailingSpace(Source file) =>
        file.Path.StartsWith("tests/scripts/", StringComparison.Ordinal)
            ? []
            : Where(file, line => line.EndsWith(' '), _ => "a space at the end of the line");

    /// <summary>Lines end in a newline alone; only Windows' own scripts have a carriage return before it.</summary>
    public static IEnumerable<Finding> CarriageReturns(Source file) =>
        file.Path.EndsWith(".cmd", StringComparison.Ordinal)
            ? []
            : Where(file, line => line.Contains('\r', StringComparison.Ordinal), _ => "a carriage return");

    public static IEnumerable<Finding> FinalNewline(Source file)
    {
        if (file.Text.Length == 0)
        {
            yield return new(file.Path, 1, "an empty file");
        }
        else if (!file.Text.EndsWith('\n'))
        {
            yield return new(file.Path, file.Lines.Count, "no newline at the end");
        }
        else if (file.Lines[^1].Trim('\r').Length == 0)
        {
            yield return new(file.Path, file.Lines.Count, "an empty line at the end");
        }
    }

    public static IEnumerable<Finding> Marks(Source file) =>
        Where(file, line => Mark().IsMatch(line), line => $"the mark {Mark().Match(line).Value}");

    /// <summary>
    /// What to do with a damaged folder is said in one place, FolderAdvice: a way that does not exist does harm.
    /// </summary>
    public static IEnumerable<Finding> Advice(Source file) =>
        file.Path.StartsWith("src/", StringComparison.Ordinal)
            && !file.Path.EndsWith("/FolderAdvice.cs", StringComparison.Ordinal)
            ? Where(file, line => OwnAdvice().IsMatch(line), line => $"'{OwnAdvice().Match(line).Value}'")
            : [];

    private static IEnumerable<Finding> Where(Source file, Func<string, bool> bad, Func<string, string> what)
    {
        for (int i = 0; i < file.Lines.Count; i++)
        {
            if (bad(file.Lines[i]))
            {
                yield return new(file.Path, i + 1, what(file.Lines[i]));
            }
        }
    }

    /// <summary>Each mark is written with a class of one letter, so that this file does not hold it.</summary>
    [GeneratedRegex(@"\b(TOD[O]|FIXM[E]|HAC[K]|XX[X]|TB[D]|NotImplementedExceptio[n])\b")]
    private static partial Regex Mark();

    [GeneratedRegex(
        "built anew|key ring back|file of data keys|from another one\\.|let the replica|let (it|the node) join the|"
        + "and let the node|from a backup|estore it from a( |\"$)|estore the file from a copy",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex OwnAdvice();
}
