using System.Text.Json;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on JSON documents, which are set and got whole. A document is kept as the text it came
/// as.</summary>
internal static class JsonCommands
{
    /// <summary>Objects and arrays inside each other.</summary>
    public const int DepthMax = EvaluationLimits.DocumentDepthMax;

    public static readonly CommandSpec[] All =
    [
        new("JSON.SET", -4, CommandKind.Write, KeyWords.One, Set),
        new("JSON.GET", -2, CommandKind.Read, KeyWords.One, Get),
    ];

    private static bool IsRoot(ReadOnlySpan<byte> path) => path.SequenceEqual("."u8) || path.SequenceEqual("$"u8);

    /// <summary>`JSON.SET key path value [NX|XX]`; the path is `.` or `$`. Like SET, it forgets the expiry.</summary>
    private static void Set(CommandContext context)
    {
        CommandLine line = context.Line;
        bool onlyNew = line.Count == 5 && Words.Is(line[4], "NX");
        bool onlyOld = line.Count == 5 && Words.Is(line[4], "XX");
        if (line.Count > 4 && !onlyNew && !onlyOld)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        string? error = !IsRoot(line[2]) ? "ERR only the path of the whole document, `.`, is supported"
            : line[3].Length > RowLimits.ValueBytesMax ? Errors.TooLong
            : IsDocument(line[3]) ? null
            : $"ERR the value is not one JSON document in UTF-8, nested at most {DepthMax} deep";
        if (error is not null)
        {
            context.Reply.Error(error);
            return;
        }

        byte[] rowKey = RowKey.Of(line[1]);
        if (!context.TryGet(rowKey, out Row row))
        {
            return;
        }

        if (row.Type is not (RowType.Tombstone or RowType.Json))
        {
            context.Reply.Error(Errors.WrongType);
            return;
        }

        if (row.IsTombstone ? onlyOld : onlyNew)
        {
            context.Reply.Null();
            return;
        }

        context.Put(rowKey, RowType.Json, context.DefaultExpiry, line[3]);
        context.Reply.Ok();
    }

    /// <summary>`JSON.GET key [path]`.</summary>
    private static void Get(CommandContext context)
    {
        CommandLine line = context.Line;
        if (line.Count > 3 || (line.Count == 3 && !IsRoot(line[2])))
        {
            context.Reply.Error("ERR only the path of the whole document, `.`, is supported");
            return;
        }

        if (!context.TryGet(RowKey.Of(line[1]), out Row row))
        {
            return;
        }

        if (row.IsTombstone)
        {
            context.Reply.Null();
        }
        else if (row.Type == RowType.Json)
        {
            context.Reply.Bulk(row.Value);
        }
        else
        {
            context.Reply.Error(Errors.WrongType);
        }
    }

    /// <summary>Whether it is one JSON document in UTF-8, not nested too deep.</summary>
    public static bool IsDocument(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = DepthMax });
        try
        {
            while (reader.Read())
            {
                // Escapes that make no text, and bytes that are no UTF-8, show only when a string is asked for.
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    _ = reader.GetString();
                }
            }

            return true;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
