using System.Globalization;
using Quorate.Cli.Resp;
using Spectre.Console;

namespace Quorate.Cli.Shell;

/// <summary>
/// Shows replies: one thing as a line, members in a numbered list, and as a table what is one: fields with their
/// values, and rows that all have as many members.
/// </summary>
/// <param name="output">Takes lines.</param>
/// <param name="tables">Takes tables.</param>
internal sealed class ReplyText(TextWriter output, IAnsiConsole tables)
{
    private static readonly string[] FieldColumns = ["field", "value"];

    public void Write(RespValue reply)
    {
        if (reply.Kind is RespKind.Text && reply.Bytes.Contains((byte)'\n') && IsText(reply.Bytes))
        {
            // INFO, CLIENT LIST and the like: made to be read line by line.
            foreach (string line in reply.Text.TrimEnd('\r', '\n').Split('\n'))
            {
                output.WriteLine(line.TrimEnd('\r'));
            }
        }
        else if (reply.Kind == RespKind.Map && IsFlat(reply.Items))
        {
            WriteTable(FieldColumns, reply.Items.Chunk(2));
        }
        else if (RowsOf(reply) is { } rows)
        {
            WriteTable(ColumnsOf(rows), rows.Select(CellsOf));
        }
        else
        {
            WriteList(reply, "");
        }
    }

    /// <summary>On one line, as it is, with what is no text escaped.</summary>
    public static string LineOf(RespValue value) => value.Kind switch
    {
        RespKind.Null => "(nil)",
        RespKind.Error => "(error) " + ShellWords.Show(value.Bytes),
        RespKind.Array or RespKind.Push when value.Items.Length == 0 => "(empty)",
        RespKind.Map when value.Items.Length == 0 => "(empty)",
        RespKind.Array or RespKind.Push => string.Join(' ', value.Items.Select(LineOf)),
        RespKind.Map => string.Join(", ", value.Items.Chunk(2).Select(pair => $"{LineOf(pair[0])}: {LineOf(pair[1])}")),
        _ => ShellWords.Show(value.Bytes),
    };

    /// <summary>Only what people write, in lines: nothing that changes the window.</summary>
    private static bool IsText(byte[] bytes) =>
        bytes.All(each => each is >= 32 and not 127 or (byte)'\n' or (byte)'\r' or (byte)'\t')
        && ShellWords.Show(bytes).IndexOf("\\x", StringComparison.Ordinal) < 0;

    private static bool IsLeaf(RespValue value) => value.Kind is not (RespKind.Array or RespKind.Map or RespKind.Push);

    /// <summary>Short enough for a cell: a leaf, or members that are leaves.</summary>
    private static bool IsFlat(RespValue[] items) =>
        items.Length > 0 && items.All(item => IsLeaf(item) || item.Items.All(IsLeaf));

    /// <summary>The members, when all are arrays of as many leaves, or maps of the same fields.</summary>
    private static RespValue[]? RowsOf(RespValue reply)
    {
        RespValue[] rows = reply.Items;
        bool areRows = reply.Kind == RespKind.Array && rows.Length > 0
            && rows[0].Kind is RespKind.Array or RespKind.Map && rows[0].Items.Length > 1
            && rows.All(row => row.Kind == rows[0].Kind
                && row.Items.Length == rows[0].Items.Length && IsFlat(row.Items));
        bool haveSameFields = areRows && (rows[0].Kind == RespKind.Array
            || rows.All(row => FieldsOf(row).SequenceEqual(FieldsOf(rows[0]), StringComparer.Ordinal)));
        return haveSameFields ? rows : null;
    }

    private static IEnumerable<string> FieldsOf(RespValue map) => map.Items.Chunk(2).Select(pair => LineOf(pair[0]));

    private static string[] ColumnsOf(RespValue[] rows) => rows[0].Kind == RespKind.Map
        ? [.. FieldsOf(rows[0])]
        : [.. Enumerable.Range(1, rows[0].Items.Length).Select(each => each.ToString(CultureInfo.InvariantCulture))];

    private static RespValue[] CellsOf(RespValue row) =>
        row.Kind == RespKind.Map ? [.. row.Items.Chunk(2).Select(pair => pair[1])] : row.Items;

    private void WriteTable(IEnumerable<string> columns, IEnumerable<RespValue[]> rows)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column)));
        }

        foreach (RespValue[] row in rows)
        {
            table.AddRow([.. row.Select(cell => new Text(LineOf(cell)))]);
        }

        tables.Write(table);
    }

    private void WriteList(RespValue value, string indent)
    {
        if (IsLeaf(value) || value.Items.Length == 0)
        {
            output.WriteLine(LineOf(value));
            return;
        }

        int number = 0;
        int step = value.Kind == RespKind.Map ? 2 : 1;
        for (int i = 0; i < value.Items.Length; i += step)
        {
            number++;
            string head = value.Kind == RespKind.Map
                ? LineOf(value.Items[i]) + ": "
                : string.Create(CultureInfo.InvariantCulture, $"{number}) ");
            output.Write((i == 0 ? "" : indent) + head);
            WriteList(value.Items[i + step - 1], indent + new string(' ', head.Length));
        }
    }
}
