namespace Quorate.Cli.Shell;

/// <summary>What a line may go on with: commands, and subcommands behind those that have them.</summary>
/// <param name="names">Of commands, and `command|subcommand`, in any case.</param>
internal sealed class ShellCompletion(IEnumerable<string> names)
{
    private readonly string[] _names =
    [
        .. names.Select(name => name.ToUpperInvariant().Replace('|', ' ')).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Whole lines that begin as this one does; in small letters if it is.</summary>
    public IReadOnlyList<string> Of(string line)
    {
        string start = line.TrimStart();
        int blanks = start.Count(letter => letter == ' ');
        bool isSmall = start.Any(char.IsAsciiLetterLower);
        return
        [
            .. _names.Where(name => name.StartsWith(start, StringComparison.OrdinalIgnoreCase)
                    && name.Count(letter => letter == ' ') == blanks)
                .Select(name => start + Same(name[start.Length..], isSmall) + " "),
        ];
    }

    private static string Same(string rest, bool isSmall) => isSmall ? rest.ToLowerInvariant() : rest;
}
