using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on strings: the whole, several, and parts. SET and its kin are in <see cref="SetStringCommands"/>.
/// </summary>
internal static class StringCommands
{
    public static readonly CommandSpec[] All =
    [
        new("GET", 2, CommandKind.Read, KeyWords.One, Get),
        new("GETSET", 3, CommandKind.Write, KeyWords.One, GetSet),
        new("GETDEL", 2, CommandKind.Write, KeyWords.One, GetDelete),
        new("MGET", -2, CommandKind.Read, new KeyWords(1, -1, 1), GetMany) { Scattering = Scattering.KeysArray },
        new("MSET", -3, CommandKind.Write, new KeyWords(1, -1, 2), context => SetMany(context, onlyNew: false))
        {
            Scattering = Scattering.KeysOk,
        },
        new("MSETNX", -3, CommandKind.Write, new KeyWords(1, -1, 2), context => SetMany(context, onlyNew: true)),
        new("APPEND", 3, CommandKind.Write, KeyWords.One, Append),
        new("STRLEN", 2, CommandKind.Read, KeyWords.One, Length),
        new("GETRANGE", 4, CommandKind.Read, KeyWords.One, GetRange),
        new("SUBSTR", 4, CommandKind.Read, KeyWords.One, GetRange),
        new("SETRANGE", 4, CommandKind.Write, KeyWords.One, SetRange),
    ];

    /// <summary>A JSON document is answered as its text.</summary>
    private static void Get(CommandContext context)
    {
        if (!context.TryGet(context.RowKeyOf(1), out Row row))
        {
            return;
        }

        if (row.Type == RowType.Json)
        {
            context.Reply.Bulk(row.Value);
        }
        else if (new StringValue(row) is { IsString: true } value)
        {
            value.ReplyTo(context.Reply);
        }
        else
        {
            context.Reply.Error(Errors.WrongType);
        }
    }

    private static void GetSet(CommandContext context)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (StringValue.TryRead(context, rowKey, out StringValue value))
        {
            value.ReplyTo(context.Reply);
            StringValue.Write(context, rowKey, context.Line[2], context.DefaultExpiry);
        }
    }

    private static void GetDelete(CommandContext context)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (StringValue.TryRead(context, rowKey, out StringValue value))
        {
            value.ReplyTo(context.Reply);
            if (value.Exists)
            {
                context.Delete(rowKey);
            }
        }
    }

    private static void GetMany(CommandContext context)
    {
        context.Reply.Array(context.Line.Count - 1);
        bool isReserved = false;
        for (int word = 1; word < context.Line.Count; word++)
        {
            if (!context.TryGet(context.RowKeyOf(word), out Row row))
            {
                return;
            }

            if (!isReserved && row.Value.Length > Reply.LargeBytes)
            {
                isReserved = true;
                ReserveFrom(context, word);

                // The looks at others may have moved what it showed.
                if (!context.TryGet(context.RowKeyOf(word), out row))
                {
                    return;
                }
            }

            if (row.Type == RowType.Json)
            {
                context.Reply.Bulk(row.Value);
            }
            else if (new StringValue(row) is { IsString: true } value)
            {
                value.ReplyTo(context.Reply);
            }
            else
            {
                context.Reply.Null();
            }
        }
    }

    /// <summary>
    /// Memory for a reply with large values, once and for all; of many keys the first ones are enough.
    /// </summary>
    private static void ReserveFrom(CommandContext context, int first)
    {
        const int LooksMax = 64;
        const int CostOfOne = 24;
        long bytes = 0;
        int end = Math.Min(context.Line.Count, first + LooksMax);
        for (int word = first; word < end && context.TryGet(context.RowKeyOf(word), out Row row); word++)
        {
            bytes += row.Value.Length + CostOfOne;
        }

        context.Reply.Reserve(bytes);
    }

    private static void SetMany(CommandContext context, bool onlyNew)
    {
        CommandLine line = context.Line;
        if (line.Count % 2 == 0)
        {
            context.Reply.Error(Errors.WrongArguments(onlyNew ? "msetnx" : "mset"));
            return;
        }

        for (int word = 1; onlyNew && word < line.Count; word += 2)
        {
            if (!context.TryGet(RowKey.Of(line[word]), out Row row))
            {
                return;
            }

            if (!row.IsTombstone)
            {
                context.Reply.Integer(0);
                return;
            }
        }

        for (int word = 1; word < line.Count; word += 2)
        {
            StringValue.Write(context, RowKey.Of(line[word]), line[word + 1], context.DefaultExpiry);
        }

        if (onlyNew)
        {
            context.Reply.Integer(1);
        }
        else
        {
            context.Reply.Ok();
        }
    }

    private static void Append(CommandContext context)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        ReadOnlySpan<byte> text = value.Text;
        ReadOnlySpan<byte> more = context.Line[2];
        if (!context.MayCompose((long)text.Length + more.Length))
        {
            return;
        }

        StringValue.Write(context, rowKey, [.. text, .. more], value.Expiry);
        context.Reply.Integer(text.Length + more.Length);
    }

    private static void Length(CommandContext context)
    {
        if (StringValue.TryRead(context, context.RowKeyOf(1), out StringValue value))
        {
            context.Reply.Integer(value.Text.Length);
        }
    }

    private static void GetRange(CommandContext context)
    {
        if (!context.TryInteger(2, out long start) || !context.TryInteger(3, out long end)
            || !StringValue.TryRead(context, context.RowKeyOf(1), out StringValue value))
        {
            return;
        }

        ReadOnlySpan<byte> text = value.Text;
        bool isBackwards = start < 0 && end < 0 && start > end;
        start = Math.Max(start < 0 ? text.Length + start : start, 0);
        end = Math.Min(Math.Max(end < 0 ? text.Length + end : end, 0), text.Length - 1);
        context.Reply.Bulk(isBackwards || start > end ? [] : text[(int)start..(int)(end + 1)]);
    }

    private static void SetRange(CommandContext context)
    {
        if (!context.TryCount(2, out long offset, "ERR offset is out of range"))
        {
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        ReadOnlySpan<byte> text = value.Text;
        ReadOnlySpan<byte> part = context.Line[3];
        if (part.IsEmpty)
        {
            context.Reply.Integer(text.Length);
            return;
        }

        if (offset > RowLimits.ValueBytesMax)
        {
            context.Reply.Error(Errors.TooLong);
            return;
        }

        if (!context.MayCompose(Math.Max(text.Length, offset + part.Length)))
        {
            return;
        }

        byte[] changed = new byte[Math.Max(text.Length, (int)offset + part.Length)];
        text.CopyTo(changed);
        part.CopyTo(changed.AsSpan((int)offset));
        StringValue.Write(context, rowKey, changed, value.Expiry);
        context.Reply.Integer(changed.Length);
    }
}
