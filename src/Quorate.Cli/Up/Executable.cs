namespace Quorate.Cli.Up;

/// <summary>How to run this program again.</summary>
internal static class Executable
{
    private static readonly string Library = System.IO.Path.Combine(AppContext.BaseDirectory, "quorate.dll");

    private static readonly bool IsHosted =
        System.IO.Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";

    public static string Path => Environment.ProcessPath!;

    /// <summary>What comes before the command.</summary>
    public static IReadOnlyList<string> FirstArguments => IsHosted ? [Library] : [];

    /// <summary>A command line to type, with quotation marks where a word needs them.</summary>
    public static string Line(IEnumerable<string> arguments) =>
        string.Join(' ', ((string[])[Path, .. FirstArguments, .. arguments]).Select(Quoted));

    private static string Quoted(string word) =>
        word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:,=@".Contains(letter, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
