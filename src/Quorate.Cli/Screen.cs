using Spectre.Console;

namespace Quorate.Cli;

/// <summary>
/// Where tables are shown. Into a file or a pipe goes text alone, whatever the environment says of colours, as wide as
/// the tables need.
/// </summary>
internal static class Screen
{
    /// <summary>Columns where nobody says how wide the window is.</summary>
    private const int ColumnsUnlessKnown = 160;

    public static IAnsiConsole Console { get; } = Make();

    /// <summary>Before the same is shown again: a window is emptied; in a file one follows the other.</summary>
    public static void BeginAnew()
    {
        if (!System.Console.IsOutputRedirected)
        {
            Console.Clear();
        }
    }

    /// <summary>A table without rows, whose cells stay on one line.</summary>
    public static Table Table(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(column).NoWrap());
        }

        return table;
    }

    /// <summary>Adds what is no markup, whatever brackets it has.</summary>
    public static void AddRow(Table table, params string[] cells) =>
        table.AddRow([.. cells.Select(cell => new Text(cell))]);

    private static IAnsiConsole Make()
    {
        bool isPlain = System.Console.IsOutputRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isPlain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isPlain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isPlain ? InteractionSupport.No : InteractionSupport.Detect,
            Out = new AnsiConsoleOutput(System.Console.Out),
        });
        if (isPlain)
        {
            console.Profile.Width = ColumnsUnlessKnown;
        }

        return console;
    }
}
