using System.Buffers.Text;
using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on strings that are numbers.</summary>
internal static class NumberCommands
{
    public static readonly CommandSpec[] All =
    [
        new("INCR", 2, CommandKind.Write, KeyWords.One, context => Add(context, 1)),
        new("DECR", 2, CommandKind.Write, KeyWords.One, context => Add(context, -1)),
        new("INCRBY", 3, CommandKind.Write, KeyWords.One, AddWord),
        new("DECRBY", 3, CommandKind.Write, KeyWords.One, SubtractWord),
        new("INCRBYFLOAT", 3, CommandKind.Write, KeyWords.One, AddFloat),
    ];

    private static void AddWord(CommandContext context)
    {
        if (context.TryInteger(2, out long number))
        {
            Add(context, number);
        }
    }

    private static void SubtractWord(CommandContext context)
    {
        if (!context.TryInteger(2, out long number))
        {
            return;
        }

        if (number == long.MinValue)
        {
            context.Reply.Error("ERR decrement would overflow");
            return;
        }

        Add(context, -number);
    }

    private static void Add(CommandContext context, long number)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        if (value is { Exists: true, IsInteger: false })
        {
            context.Reply.Error(Errors.NotInteger);
            return;
        }

        long before = value.Exists ? value.Integer : 0;
        long after = unchecked(before + number);
        if (after < before != number < 0)
        {
            context.Reply.Error(Errors.Overflow);
            return;
        }

        Span<byte> text = stackalloc byte[Words.IntegerBytesMax];
        Utf8Formatter.TryFormat(after, text, out int length);
        value.Renumber(context, rowKey, text[..length]);
        context.Reply.Integer(after);
    }

    private static void AddFloat(CommandContext context)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        if (!Words.TryAdd(value.Exists ? value.Text : "0"u8, context.Line[2], out string? sum))
        {
            context.Reply.Error(Errors.NotFloat);
            return;
        }

        if (sum is null)
        {
            context.Reply.Error(Errors.NanOrInfinity);
            return;
        }

        byte[] text = Encoding.ASCII.GetBytes(sum);
        value.Renumber(context, rowKey, text);
        context.Reply.Bulk(text);
    }
}
