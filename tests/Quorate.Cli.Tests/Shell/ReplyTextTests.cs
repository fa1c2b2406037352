using System.Text;
using Quorate.Cli.Resp;
using Quorate.Cli.Shell;
using Spectre.Console;

namespace Quorate.Cli.Tests.Shell;

/// <summary>Replies are shown as what they are: a line, a list or a table.</summary>
public sealed class ReplyTextTests
{
    private static readonly RespValue Nothing = RespValue.Null;

    [Fact]
    public void One_thing_is_a_line()
    {
        Assert.Equal("OK\n", Shown(new(RespKind.Simple, "OK"u8.ToArray(), [])));
        Assert.Equal("(nil)\n", Shown(Nothing));
        Assert.Equal("(error) ERR no\n", Shown(new(RespKind.Error, "ERR no"u8.ToArray(), [])));
        Assert.Equal("(empty)\n", Shown(Array()));
        Assert.Equal("a\\x1b[2Jb\n", Shown(Text("a\x1b[2Jb")));
    }

    [Fact]
    public void What_has_lines_of_its_own_keeps_them_unless_they_hold_more_than_text()
    {
        Assert.Equal("# Server\na:1\n", Shown(Text("# Server\r\na:1\r\n")));
        Assert.Equal("a\\n\\x1bb\n", Shown(Text("a\n\u001bb")));
    }

    [Fact]
    public void Members_are_a_list_and_members_of_members_stand_below_each_other()
    {
        Assert.Equal("1) a\n2) (nil)\n", Shown(Array(Text("a"), Nothing)));
        Assert.Equal("1) 0\n2) 1) a\n   2) b\n", Shown(Array(Text("0"), Array(Text("a"), Text("b")))));
    }

    [Fact]
    public void Fields_and_rows_of_as_many_members_are_tables()
    {
        string[] fields = Lines(Shown(new(RespKind.Map, [], [Text("one"), Text("1"), Text("two"), Text("[2]")])));
        Assert.Equal(["field value", "one 1", "two [2]"], fields);
        string[] rows = Lines(Shown(Array(Array(Text("a"), Text("1")), Array(Text("b"), Text("2")))));
        Assert.Equal(["1 2", "a 1", "b 2"], rows);
    }

    private static string[] Lines(string shown) =>
    [
        .. shown.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .Where(line => line.Length > 0 && line[0] != '─'),
    ];

    private static RespValue Text(string text) => new(RespKind.Text, Encoding.UTF8.GetBytes(text), []);

    private static RespValue Array(params RespValue[] items) => new(RespKind.Array, [], items);

    private static string Shown(RespValue reply)
    {
        var output = new StringWriter();
        IAnsiConsole tables = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output),
        });
        tables.Profile.Width = 100;
        new ReplyText(output, tables).Write(reply);
        return output.ToString();
    }
}
