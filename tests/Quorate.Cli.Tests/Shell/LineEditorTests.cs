using Quorate.Cli.Shell;

namespace Quorate.Cli.Tests.Shell;

/// <summary>Keys make a line; former lines come back, and commands complete themselves.</summary>
public sealed class LineEditorTests : IDisposable
{
    private const string Up = "↑";
    private const string Down = "↓";
    private const string Left = "←";
    private const string Right = "→";

    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-shell-").FullName;
    private readonly StringWriter _shown = new();
    private readonly ShellCompletion _completion =
        new(["get", "getdel", "client", "client|list", "client|kill", "ping"]);


    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string HistoryFile => Path.Combine(_folder, "of", "shell-history");

    [Theory]
    [InlineData("abc⏎", "abc")]
    [InlineData("abd←c⏎", "abcd")]
    [InlineData("bc\u0001a\u0005d⏎", "abcd")]
    [InlineData("abx\bc⏎", "abc")]
    [InlineData("abx←\u0004c⏎", "abc")]
    [InlineData("no\u0015yes⏎", "yes")]
    [InlineData("one two\u0017three⏎", "one three")]
    [InlineData("yesno←←\u000b⏎", "yes")]
    [InlineData("never\u0003this⏎", "this")]
    [InlineData("pi\t⏎", "PING ")]
    [InlineData("PI\t⏎", "PING ")]
    [InlineData("get\t⏎", "get")]
    [InlineData("client l\t⏎", "client list ")]
    [InlineData("zz\t⏎", "zz")]
    public void Keys_move_delete_and_complete(string keys, string line)
    {
        string expected = keys.StartsWith('p') ? line.ToLowerInvariant() : line;
        Assert.Equal(expected, Editor(keys).Read("> "));
    }

    [Fact]
    public void Nothing_more_is_told_from_an_empty_line()
    {
        LineEditor editor = Editor("⏎\u0004");
        Assert.Equal("", editor.Read("> "));
        Assert.Null(editor.Read("> "));
    }

    [Fact]
    public void Former_lines_come_back_and_the_new_one_is_kept_meanwhile()
    {
        LineEditor editor = Editor($"one⏎two⏎thr{Up}{Up}{Up}{Down}{Down}ee⏎{Up}{Up}⏎");
        Assert.Equal(["one", "two", "three", "two"], [.. Enumerable.Range(0, 4).Select(_ => editor.Read("> ")!)]);
    }

    [Fact]
    public void Lines_are_kept_for_the_next_shell_and_passwords_are_not()
    {
        LineEditor editor = Editor("one⏎one⏎AUTH secret⏎ hello 3 auth a b⏎ blank⏎two⏎");
        for (int i = 0; i < 6; i++)
        {
            editor.Read("> ");
        }

        Assert.Equal(["one", "two"], new LineHistory(HistoryFile).Lines);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(HistoryFile));
        }
    }

    [Fact]
    public void A_history_that_cannot_be_kept_stops_nobody()
    {
        File.WriteAllText(Path.Combine(_folder, "of"), "a file where a folder should be");
        var history = new LineHistory(HistoryFile);
        history.Add("one");
        Assert.Equal(["one"], history.Lines);
    }

    [Fact]
    public void Endings_are_listed_at_the_second_tab()
    {
        Assert.Equal("client ", Editor("client \t\t⏎").Read("> "));
        Assert.Contains("kill  list", _shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_that_is_wider_than_the_window_shows_its_part_around_the_cursor()
    {
        string line = string.Concat(Enumerable.Range(0, 50).Select(each => $"{each:00}"));
        Assert.Equal(line, Editor(line + "⏎").Read("> "));
        string[] rows = _shown.ToString().Split('\r');
        Assert.All(rows, row => Assert.True(row.Replace("\x1b[K", "", StringComparison.Ordinal).Length <= 20, row));
        Assert.EndsWith("49\x1b[K", rows[^2], StringComparison.Ordinal);
    }

    private LineEditor Editor(string keys)
    {
        var typed = new Queue<char>(keys);
        return new(_shown, new LineHistory(HistoryFile), _completion.Of)
        {
            NextKey = () => KeyOf(typed.Dequeue()),
            MoreKeys = () => false,
            Columns = () => 20,
        };
    }

    private static ConsoleKeyInfo KeyOf(char letter) => letter switch
    {
        '⏎' => Plain('\r', ConsoleKey.Enter),
        '\t' => Plain('\t', ConsoleKey.Tab),
        '\b' => Plain('\x7f', ConsoleKey.Backspace),
        _ when letter == Up[0] => Plain('\0', ConsoleKey.UpArrow),
        _ when letter == Down[0] => Plain('\0', ConsoleKey.DownArrow),
        _ when letter == Left[0] => Plain('\0', ConsoleKey.LeftArrow),
        _ when letter == Right[0] => Plain('\0', ConsoleKey.RightArrow),
        < ' ' => new(letter, ConsoleKey.A + letter - 1, shift: false, alt: false, control: true),
        _ => Plain(letter, default),
    };

    private static ConsoleKeyInfo Plain(char letter, ConsoleKey key) => new(letter, key, false, false, false);
}
