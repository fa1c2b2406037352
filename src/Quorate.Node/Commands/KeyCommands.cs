using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on keys of any type. A key is its header row: it alone is looked at and deleted.</summary>
internal static class KeyCommands
{
    private static readonly KeyWords AllWords = new(1, -1, 1);

    public static readonly CommandSpec[] All =
    [
        new("DEL", -2, CommandKind.Write, AllWords, Delete) { Scattering = Scattering.KeysSum },
        new("UNLINK", -2, CommandKind.Write, AllWords, Delete) { Scattering = Scattering.KeysSum },
        new("EXISTS", -2, CommandKind.Read, AllWords, Count) { Scattering = Scattering.KeysSum },
        new("TOUCH", -2, CommandKind.Read, AllWords, Count) { Scattering = Scattering.KeysSum },
        new("TYPE", 2, CommandKind.Read, KeyWords.One, Type),
        new("RENAME", 3, CommandKind.Write, new KeyWords(1, 2, 1), context => Rename(context, onlyNew: false)),
        new("RENAMENX", 3, CommandKind.Write, new KeyWords(1, 2, 1), context => Rename(context, onlyNew: true)),
        new("COPY", -3, CommandKind.Write, new KeyWords(1, 2, 1), Copy),
    ];

    /// <summary>What TYPE says.</summary>
    public static ReadOnlySpan<byte> NameOf(RowType type) => type switch
    {
        RowType.Text or RowType.Integer or RowType.JsonScalar => "string"u8,
        RowType.Json => "json"u8,
        RowType.Hash => "hash"u8,
        RowType.Set => "set"u8,
        RowType.List => "list"u8,
        RowType.SortedSet => "zset"u8,
        _ => "none"u8,
    };

    private static void Delete(CommandContext context)
    {
        int count = 0;
        for (int word = 1; word < context.Line.Count; word++)
        {
            byte[] rowKey = RowKey.Of(context.Line[word]);
            if (!context.TryGet(rowKey, out Row row))
            {
                return;
            }

            if (!row.IsTombstone)
            {
                context.Delete(rowKey);
                count++;
            }
        }

        context.Reply.Integer(count);
    }

    private static void Count(CommandContext context)
    {
        int count = 0;
        for (int word = 1; word < context.Line.Count; word++)
        {
            if (!context.TryGet(context.RowKeyOf(word), out Row row))
            {
                return;
            }

            count += row.IsTombstone ? 0 : 1;
        }

        context.Reply.Integer(count);
    }

    private static void Type(CommandContext context)
    {
        if (context.TryGet(context.RowKeyOf(1), out Row row))
        {
            context.Reply.Simple(NameOf(row.Type));
        }
    }

    private static void Rename(CommandContext context, bool onlyNew)
    {
        ReadOnlySpan<byte> from = context.Line[1];
        ReadOnlySpan<byte> to = context.Line[2];
        byte[] fromRow = RowKey.Of(from);
        if (!context.TryGet(fromRow, out Row row) || !context.TryGet(RowKey.Of(to), out Row standing))
        {
            return;
        }

        if (row.IsTombstone)
        {
            context.Reply.Error(Errors.NoSuchKey);
            return;
        }

        bool isSame = from.SequenceEqual(to);
        bool isDone = !onlyNew || standing.IsTombstone;
        if (isDone && !isSame)
        {
            if (!TryCopy(context, from, to, row))
            {
                return;
            }

            context.Delete(fromRow);
        }

        if (onlyNew)
        {
            context.Reply.Integer(isDone ? 1 : 0);
        }
        else
        {
            context.Reply.Ok();
        }
    }

    /// <summary>`COPY from to [REPLACE]`. There is no other database to copy to.</summary>
    private static void Copy(CommandContext context)
    {
        bool replace = false;
        for (int word = 3; word < context.Line.Count; word++)
        {
            if (Words.Is(context.Line[word], "DB") && word + 1 < context.Line.Count)
            {
                context.Reply.Error("ERR COPY has no DB here: databases are keyspaces whose partitions lie on "
                    + "different nodes, and a copy stays in its slot; nothing was done");
                return;
            }

            if (!Words.Is(context.Line[word], "REPLACE"))
            {
                context.Reply.Error(Errors.Syntax);
                return;
            }

            replace = true;
        }

        ReadOnlySpan<byte> from = context.Line[1];
        ReadOnlySpan<byte> to = context.Line[2];
        if (from.SequenceEqual(to))
        {
            context.Reply.Error("ERR source and destination objects are the same");
            return;
        }

        if (!context.TryGet(RowKey.Of(from), out Row row) || !context.TryGet(RowKey.Of(to), out Row standing))
        {
            return;
        }

        bool isDone = !row.IsTombstone && (replace || standing.IsTombstone);
        if (!isDone || TryCopy(context, from, to, row))
        {
            context.Reply.Integer(isDone ? 1 : 0);
        }
    }

    /// <summary>
    /// Writes a key's rows under another key, a collection's elements one by one: their rows are named after the key.
    /// False when a row is cold.
    /// </summary>
    private static bool TryCopy(CommandContext context, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, in Row row)
    {
        if (row.Type is not (RowType.Hash or RowType.Set or RowType.List or RowType.SortedSet))
        {
            context.Put(RowKey.Of(to), row.Type, row.Expiry, row.Value);
            return true;
        }

        if (Collection.Open(context, from, row.Type) is not { } source
            || Collection.Make(context, to, row.Type) is not { } copy)
        {
            return false;
        }

        var elements = new List<(byte[] Element, RowType Type, byte[] Value)>();
        bool isWarm = source.TryScanRows([], [], descending: false, (element, in row) =>
        {
            elements.Add((element.ToArray(), row.Type, row.Value.ToArray()));
            return true;
        });
        if (!isWarm)
        {
            return false;
        }

        foreach ((byte[] element, RowType type, byte[] value) in elements)
        {
            copy.Put(element, value, type);
        }

        copy.Count = source.Count;
        copy.Expiry = source.Expiry;
        copy.Head = source.Head;
        copy.Tail = source.Tail;
        copy.Save();
        return true;
    }
}
