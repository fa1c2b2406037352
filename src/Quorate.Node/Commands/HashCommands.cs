using System.Buffers.Text;
using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on hashes.</summary>
internal static class HashCommands
{
    public static readonly CommandSpec[] All =
    [
        new("HSET", -4, CommandKind.Write, KeyWords.One, context => Set(context, "hset")),
        new("HMSET", -4, CommandKind.Write, KeyWords.One, context => Set(context, "hmset")),
        new("HSETNX", 4, CommandKind.Write, KeyWords.One, SetNew),
        new("HGET", 3, CommandKind.Read, KeyWords.One, Get),
        new("HMGET", -3, CommandKind.Read, KeyWords.One, GetMany),
        new("HGETALL", 2, CommandKind.Read, KeyWords.One, GetAll),
        new("HKEYS", 2, CommandKind.Read, KeyWords.One, context => GetHalf(context, fields: true)),
        new("HVALS", 2, CommandKind.Read, KeyWords.One, context => GetHalf(context, fields: false)),
        new("HLEN", 2, CommandKind.Read, KeyWords.One, Count),
        new("HEXISTS", 3, CommandKind.Read, KeyWords.One, Exists),
        new("HSTRLEN", 3, CommandKind.Read, KeyWords.One, Length),
        new("HDEL", -3, CommandKind.Write, KeyWords.One, Delete),
        new("HINCRBY", 4, CommandKind.Write, KeyWords.One, Add),
        new("HINCRBYFLOAT", 4, CommandKind.Write, KeyWords.One, AddFloat),
        new("HRANDFIELD", -2, CommandKind.Read, KeyWords.One, context => RandomElements.Run(context, RowType.Hash)),
        new("HSCAN", -3, CommandKind.Read, KeyWords.One, context => ElementScan.Run(context, RowType.Hash)),
    ];

    private static Collection? Open(CommandContext context) =>
        Collection.Open(context, context.Line[1], RowType.Hash);

    private static void Set(CommandContext context, string command)
    {
        CommandLine line = context.Line;
        if (line.Count % 2 != 0)
        {
            context.Reply.Error(Errors.WrongArguments(command));
            return;
        }

        if (Open(context) is not { } hash)
        {
            return;
        }

        long before = hash.Count;
        for (int word = 2; word < line.Count; word += 2)
        {
            if (!Collection.Fits(context, line[word]) || !hash.TryGetWord(word, 2, out Row row))
            {
                return;
            }

            hash.Count += row.IsTombstone ? 1 : 0;
            hash.Put(line[word], line[word + 1]);
        }

        hash.Save();
        if (command == "hset")
        {
            context.Reply.Integer(hash.Count - before);
        }
        else
        {
            context.Reply.Ok();
        }
    }

    private static void SetNew(CommandContext context)
    {
        ReadOnlySpan<byte> field = context.Line[2];
        if (Open(context) is not { } hash || !Collection.Fits(context, field) || !hash.TryGet(field, out Row row))
        {
            return;
        }

        if (row.IsTombstone)
        {
            hash.Count++;
            hash.Put(field, context.Line[3]);
            hash.Save();
        }

        context.Reply.Integer(row.IsTombstone ? 1 : 0);
    }

    private static void Get(CommandContext context)
    {
        if (Open(context) is { } hash && hash.TryGet(context.Line[2], out Row row))
        {
            Write(context.Reply, row);
        }
    }

    private static void GetMany(CommandContext context)
    {
        if (Open(context) is not { } hash)
        {
            return;
        }

        context.Reply.Array(context.Line.Count - 2);
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!hash.TryGetWord(word, 1, out Row row))
            {
                return;
            }

            Write(context.Reply, row);
        }
    }

    private static void Write(Reply reply, in Row row)
    {
        if (row.IsTombstone)
        {
            reply.Null();
        }
        else
        {
            reply.Bulk(row.Value);
        }
    }

    private static void GetAll(CommandContext context)
    {
        if (Open(context) is not { } hash)
        {
            return;
        }

        context.Reply.Map((int)hash.Count);
        hash.TryScan((field, value) =>
        {
            context.Reply.Bulk(field);
            context.Reply.Bulk(value);
            return true;
        });
    }

    private static void GetHalf(CommandContext context, bool fields)
    {
        if (Open(context) is not { } hash)
        {
            return;
        }

        context.Reply.Array((int)hash.Count);
        hash.TryScan((field, value) =>
        {
            context.Reply.Bulk(fields ? field : value);
            return true;
        });
    }

    private static void Count(CommandContext context)
    {
        if (Open(context) is { } hash)
        {
            context.Reply.Integer(hash.Count);
        }
    }

    private static void Exists(CommandContext context)
    {
        if (Open(context) is { } hash && hash.TryGet(context.Line[2], out Row row))
        {
            context.Reply.Integer(row.IsTombstone ? 0 : 1);
        }
    }

    private static void Length(CommandContext context)
    {
        if (Open(context) is { } hash && hash.TryGet(context.Line[2], out Row row))
        {
            context.Reply.Integer(row.Value.Length);
        }
    }

    private static void Delete(CommandContext context)
    {
        if (Open(context) is not { } hash)
        {
            return;
        }

        long before = hash.Count;
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!hash.TryGetWord(word, 1, out Row row))
            {
                return;
            }

            if (!row.IsTombstone)
            {
                hash.Count--;
                hash.Delete(context.Line[word]);
            }
        }

        hash.Save();
        context.Reply.Integer(before - hash.Count);
    }

    private static void Add(CommandContext context)
    {
        ReadOnlySpan<byte> field = context.Line[2];
        if (!context.TryInteger(3, out long number) || Open(context) is not { } hash
            || !Collection.Fits(context, field) || !hash.TryGet(field, out Row row))
        {
            return;
        }

        long before = 0;
        if (!row.IsTombstone && !Words.TryInteger(row.Value, out before))
        {
            context.Reply.Error("ERR hash value is not an integer");
            return;
        }

        long after = unchecked(before + number);
        if (after < before != number < 0)
        {
            context.Reply.Error(Errors.Overflow);
            return;
        }

        Span<byte> text = stackalloc byte[Words.IntegerBytesMax];
        Utf8Formatter.TryFormat(after, text, out int length);
        hash.Count += row.IsTombstone ? 1 : 0;
        hash.Put(field, text[..length], row.IsTombstone ? RowType.Element : row.Type);
        hash.Save();
        context.Reply.Integer(after);
    }

    private static void AddFloat(CommandContext context)
    {
        ReadOnlySpan<byte> field = context.Line[2];
        if (!context.TryDouble(3, out double number))
        {
            return;
        }

        if (double.IsInfinity(number))
        {
            context.Reply.Error("ERR value is NaN or Infinity");
            return;
        }

        if (Open(context) is not { } hash || !Collection.Fits(context, field) || !hash.TryGet(field, out Row row))
        {
            return;
        }

        if (!Words.TryAdd(row.IsTombstone ? "0"u8 : row.Value, context.Line[3], out string? sum))
        {
            context.Reply.Error("ERR hash value is not a float");
            return;
        }

        if (sum is null)
        {
            context.Reply.Error(Errors.NanOrInfinity);
            return;
        }

        byte[] text = Encoding.ASCII.GetBytes(sum);
        hash.Count += row.IsTombstone ? 1 : 0;
        hash.Put(field, text, row.IsTombstone ? RowType.Element : row.Type);
        hash.Save();
        context.Reply.Bulk(text);
    }
}
