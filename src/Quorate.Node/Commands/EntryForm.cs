using System.Text;
using System.Text.Json;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// A whole value of any type as one reply, and as words of a command: what the HTTP edge gets and puts. First the
/// kind's name, then the content.
/// <para>string: its bytes. scalar: the text of a JSON number, true, false or null; RESP sees it as a string. json: the
/// text of a document. list: for each element a mark and its bytes. hash: for each field, ascending, its name, a mark
/// and the value's bytes. set: its members, ascending. zset: for each member, ascending, its name and its score. The
/// mark says whether bytes are the text of a JSON scalar (`j`) or just bytes (`s`).</para>
/// <para>Invariant: one value has one form, so two values are the same exactly when their forms' bytes are.</para>
/// </summary>
internal static class EntryForm
{
    private const string List = "list";
    private const string Hash = "hash";
    private const string Set = "set";
    private const string SortedSetName = "zset";

    private static ReadOnlySpan<byte> JsonMark => "j"u8;

    private static ReadOnlySpan<byte> PlainMark => "s"u8;

    /// <summary>
    /// Writes the kind and the content of what stands under a key, which is there: two replies. False when a row is
    /// cold.
    /// </summary>
    public static bool TryShow(CommandContext context, Reply reply, ReadOnlySpan<byte> key, in Row header)
    {
        switch (header.Type)
        {
            case RowType.Json:
                ShowText(reply, "json"u8, header.Value);
                return true;
            case RowType.JsonScalar:
                ShowText(reply, "scalar"u8, header.Value);
                return true;
            case RowType.List or RowType.Hash or RowType.Set or RowType.SortedSet:
                return Collection.Open(context, key, header.Type) is { } rows && TryShow(reply, rows);
            default:
                ShowText(reply, "string"u8, new StringValue(header).Text);
                return true;
        }
    }

    /// <summary>
    /// Writes the same of words, from one on, that name a value; else says what is wrong with them.
    /// </summary>
    public static string? ErrorShowing(Reply reply, CommandLine line, int from)
    {
        string kind = Encoding.Latin1.GetString(line[from][..Math.Min(line[from].Length, 8)]);
        int count = line.Count - from - 1;
        switch (kind)
        {
            case "string" or "scalar" or "json" when count == 1:
                ReadOnlySpan<byte> text = line[from + 1];
                ShowText(reply, line[from], text);
                return text.Length > RowLimits.ValueBytesMax ? Errors.TooLong
                    : kind == "scalar" && !IsScalar(text) ? "ERR the value is no JSON number, true, false or null"
                    : kind == "json" && !JsonCommands.IsDocument(text) ? "ERR the value is not one JSON document in "
                        + $"UTF-8, nested at most {JsonCommands.DepthMax} deep"
                    : null;
            case List when count > 0 && count % 2 == 0:
                Begin(reply, line[from], count);
                return ErrorShowing(reply, line, [.. Enumerable.Range(0, count / 2).Select(i => from + 1 + (2 * i))]);
            case Hash when count > 0 && count % 3 == 0:
                Begin(reply, line[from], count);
                return SortedNames(line, from + 1, 3) is { } fields
                    ? ErrorShowingFields(reply, line, fields)
                    : "ERR a field comes twice";
            case Set when count > 0:
                Begin(reply, line[from], count);
                return SortedNames(line, from + 1, 1) is { } members
                    ? ErrorShowingMembers(reply, line, members)
                    : "ERR a member comes twice";
            case SortedSetName when count > 0 && count % 2 == 0:
                Begin(reply, line[from], count);
                return SortedNames(line, from + 1, 2) is { } scored
                    ? ErrorShowingScores(reply, line, scored)
                    : "ERR a member comes twice";
            default:
                return "ERR syntax error: a value is `string`, `scalar` or `json` and a text, `list` and pairs of mark "
                    + "and element, `hash` and triples of field, mark and value, `set` and members, or `zset` and "
                    + "pairs of member and score; a mark is `s` or `j`";
        }
    }

    /// <summary>
    /// Puts the value that words name in the place of whatever stands under a key. Its version, or null when a row is
    /// cold.
    /// </summary>
    public static RowVersion? Write(CommandContext context, ReadOnlySpan<byte> key, int from, long expiry)
    {
        CommandLine line = context.Line;
        RowVersion version = context.NextVersion;
        switch (line[from][0])
        {
            case (byte)'s' when line[from][1] == (byte)'t':
                StringValue.Write(context, RowKey.Of(key), line[from + 1], expiry);
                return version;
            case (byte)'s' when line[from][1] == (byte)'c':
                context.Put(RowKey.Of(key), RowType.JsonScalar, expiry, line[from + 1]);
                return version;
            case (byte)'j':
                context.Put(RowKey.Of(key), RowType.Json, expiry, line[from + 1]);
                return version;
            case (byte)'z':
                return WriteScores(context, key, from + 1, expiry);
            default:
                return WriteElements(context, key, from, expiry);
        }
    }

    private static RowVersion? WriteElements(CommandContext context, ReadOnlySpan<byte> key, int from, long expiry)
    {
        CommandLine line = context.Line;
        RowType type = line[from][0] == (byte)'l' ? RowType.List
            : line[from][0] == (byte)'h' ? RowType.Hash
            : RowType.Set;
        if (Collection.Make(context, key, type) is not { } rows)
        {
            return null;
        }

        rows.Expiry = expiry;
        var list = new ListElements(rows);
        for (int word = from + 1; word < line.Count;)
        {
            switch (type)
            {
                case RowType.List:
                    list.PushTail(line[word + 1], TypeOf(line[word]));
                    word += 2;
                    break;
                case RowType.Hash:
                    rows.Put(line[word], line[word + 2], TypeOf(line[word + 1]));
                    rows.Count++;
                    word += 3;
                    break;
                default:
                    rows.Put(line[word], []);
                    rows.Count++;
                    word++;
                    break;
            }
        }

        RowVersion version = context.NextVersion;
        rows.Save();
        return version;
    }

    private static RowVersion? WriteScores(CommandContext context, ReadOnlySpan<byte> key, int from, long expiry)
    {
        if (SortedSet.Make(context, key) is not { } set)
        {
            return null;
        }

        CommandLine line = context.Line;
        set.Expiry = expiry;
        for (int word = from; word < line.Count; word += 2)
        {
            Words.TryDouble(line[word + 1], out double score);
            set.Set(line[word], before: null, score);
        }

        RowVersion version = context.NextVersion;
        set.Save();
        return version;
    }

    private static RowType TypeOf(ReadOnlySpan<byte> mark) =>
        mark.SequenceEqual(JsonMark) ? RowType.JsonScalar : RowType.Element;

    private static bool TryShow(Reply reply, Collection rows)
    {
        int count = checked((int)rows.Count);
        switch (rows.Type)
        {
            case RowType.List:
                Begin(reply, "list"u8, 2 * count);
                return new ListElements(rows).TryScanRows(0, count - 1, descending: false, (_, in row) =>
                    Show(reply, row));
            case RowType.Hash:
                Begin(reply, "hash"u8, 3 * count);
                return rows.TryScanRows([], [], descending: false, (field, in row) =>
                {
                    reply.Bulk(field);
                    return Show(reply, row);
                });
            case RowType.Set:
                Begin(reply, "set"u8, count);
                return rows.TryScanNames((member, _) =>
                {
                    reply.Bulk(member);
                    return !reply.IsTooLong;
                });
            default:
                Begin(reply, "zset"u8, 2 * count);
                return rows.TryScanNames((member, score) =>
                {
                    reply.Bulk(member);
                    Show(reply, SortedSet.ReadScore(score));
                    return !reply.IsTooLong;
                });
        }
    }

    private static void Begin(Reply reply, ReadOnlySpan<byte> kind, int count)
    {
        reply.Bulk(kind);
        reply.Array(count);
    }

    private static void ShowText(Reply reply, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> text)
    {
        reply.Bulk(kind);
        reply.Bulk(text);
    }

    private static bool Show(Reply reply, in Row element)
    {
        reply.Bulk(element.Type == RowType.JsonScalar ? JsonMark : PlainMark);
        reply.Bulk(element.Value);
        return !reply.IsTooLong;
    }

    /// <summary>A negative zero is a zero, as in the rows.</summary>
    private static void Show(Reply reply, double score) =>
        reply.Bulk(Encoding.ASCII.GetBytes(Reply.DoubleText(score + 0.0)));

    private static string? ErrorShowing(Reply reply, CommandLine line, int[] marks)
    {
        foreach (int mark in marks)
        {
            if (ErrorOf(line, mark) is { } error)
            {
                return error;
            }

            reply.Bulk(line[mark]);
            reply.Bulk(line[mark + 1]);
        }

        return null;
    }

    private static string? ErrorShowingFields(Reply reply, CommandLine line, int[] fields)
    {
        foreach (int field in fields)
        {
            if ((ErrorOf(line, field + 1) ?? NameError(line[field])) is { } error)
            {
                return error;
            }

            reply.Bulk(line[field]);
            reply.Bulk(line[field + 1]);
            reply.Bulk(line[field + 2]);
        }

        return null;
    }

    private static string? ErrorShowingMembers(Reply reply, CommandLine line, int[] members)
    {
        foreach (int member in members)
        {
            if (NameError(line[member]) is { } error)
            {
                return error;
            }

            reply.Bulk(line[member]);
        }

        return null;
    }

    private static string? ErrorShowingScores(Reply reply, CommandLine line, int[] members)
    {
        foreach (int member in members)
        {
            if (NameError(line[member]) is { } error)
            {
                return error;
            }

            if (!Words.TryDouble(line[member + 1], out double score))
            {
                return Errors.NotFloat;
            }

            reply.Bulk(line[member]);
            Show(reply, score);
        }

        return null;
    }

    private static string? NameError(ReadOnlySpan<byte> name) => name.Length > RowLimits.ElementBytesMax
        ? $"ERR a field or member exceeds {RowLimits.ElementBytesMax} bytes"
        : null;

    private static string? ErrorOf(CommandLine line, int mark)
    {
        bool isJson = line[mark].SequenceEqual(JsonMark);
        return !isJson && !line[mark].SequenceEqual(PlainMark) ? "ERR a mark is `s` or `j`"
            : isJson && !IsScalar(line[mark + 1]) ? "ERR an element is no JSON number, true, false or null"
            : null;
    }

    /// <summary>The words of names, in the order of the names; null when two are the same.</summary>
    private static int[]? SortedNames(CommandLine line, int from, int step)
    {
        int[] words = [.. Enumerable.Range(0, (line.Count - from) / step).Select(i => from + (step * i))];
        Array.Sort(words, (a, b) => line[a].SequenceCompareTo(line[b]));
        for (int i = 1; i < words.Length; i++)
        {
            if (line[words[i - 1]].SequenceEqual(line[words[i]]))
            {
                return null;
            }
        }

        return words;
    }

    /// <summary>Whether a text is a JSON number, true, false or null, and nothing besides, not even a blank.</summary>
    private static bool IsScalar(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        try
        {
            return reader.Read()
                && reader.TokenType is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False
                    or JsonTokenType.Null
                && reader.ValueSpan.Length == text.Length
                && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
