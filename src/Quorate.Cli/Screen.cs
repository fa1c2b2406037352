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

    public static IAnsiConsole Console { get; } =
        System.Console.IsOutputRedirected ? Plain(ColumnsUnlessKnown) : AnsiConsole.Console;

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

    /// <summary>Text alone, with as many columns.</summary>
    public static IAnsiConsole Plain(int columns)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(System.Console.Out),
        });
        console.Profile.Width = columns;
        return console;
    }
}
