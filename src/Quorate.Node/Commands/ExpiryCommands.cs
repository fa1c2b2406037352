using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on when a key expires. They rewrite its header row, with the same value.</summary>
internal static class ExpiryCommands
{
    private const long NoKey = -2;
    private const long NoExpiry = -1;

    public static readonly CommandSpec[] All =
    [
        new("EXPIRE", -3, CommandKind.Write, KeyWords.One, context => Expire(context, true, true, "expire")),
        new("PEXPIRE", -3, CommandKind.Write, KeyWords.One, context => Expire(context, false, true, "pexpire")),
        new("EXPIREAT", -3, CommandKind.Write, KeyWords.One, context => Expire(context, true, false, "expireat")),
        new("PEXPIREAT", -3, CommandKind.Write, KeyWords.One, context => Expire(context, false, false, "pexpireat")),
        new("PERSIST", 2, CommandKind.Write, KeyWords.One, Persist),
        new("TTL", 2, CommandKind.Read, KeyWords.One, context => Tell(context, inSeconds: true, fromNow: true)),
        new("PTTL", 2, CommandKind.Read, KeyWords.One, context => Tell(context, inSeconds: false, fromNow: true)),
        new("EXPIRETIME", 2, CommandKind.Read, KeyWords.One, context => Tell(context, true, fromNow: false)),
        new("PEXPIRETIME", 2, CommandKind.Read, KeyWords.One, context => Tell(context, false, fromNow: false)),
    ];

    [Flags]
    private enum Conditions
    {
        None = 0,
        WithoutExpiry = 1,
        WithExpiry = 2,
        Later = 4,
        Earlier = 8,
    }

    private static void Expire(CommandContext context, bool inSeconds, bool fromNow, string command)
    {
        if (!TryReadConditions(context, out Conditions conditions) || !context.TryInteger(2, out long number))
        {
            return;
        }

        if (!Expiries.TryMoment(context, number, inSeconds, fromNow, out long moment))
        {
            context.Reply.Error(Errors.InvalidExpiry(command));
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!context.TryGet(rowKey, out Row row))
        {
            return;
        }

        if (row.IsTombstone || !Allow(conditions, row.Expiry, moment))
        {
            context.Reply.Integer(0);
            return;
        }

        if (Expiries.HasCome(context, moment))
        {
            context.Delete(rowKey);
        }
        else
        {
            context.Put(rowKey, row.Type, moment, row.Value);
        }

        context.Reply.Integer(1);
    }

    private static bool TryReadConditions(CommandContext context, out Conditions conditions)
    {
        conditions = Conditions.None;
        for (int word = 3; word < context.Line.Count; word++)
        {
            ReadOnlySpan<byte> option = context.Line[word];
            Conditions condition = Words.Is(option, "NX") ? Conditions.WithoutExpiry
                : Words.Is(option, "XX") ? Conditions.WithExpiry
                : Words.Is(option, "GT") ? Conditions.Later
                : Words.Is(option, "LT") ? Conditions.Earlier
                : Conditions.None;
            if (condition == Conditions.None)
            {
                context.Reply.Error($"ERR Unsupported option {Encoding.Latin1.GetString(option)}");
                return false;
            }

            conditions |= condition;
        }

        if (conditions.HasFlag(Conditions.WithoutExpiry) && conditions != Conditions.WithoutExpiry)
        {
            context.Reply.Error("ERR NX and XX, GT or LT options at the same time are not compatible");
            return false;
        }

        if (conditions.HasFlag(Conditions.Later | Conditions.Earlier))
        {
            context.Reply.Error("ERR GT and LT options at the same time are not compatible");
            return false;
        }

        return true;
    }

    /// <summary>A key that never expires does so later than any moment.</summary>
    private static bool Allow(Conditions conditions, long standing, long moment)
    {
        bool expires = standing != 0;
        return !(conditions.HasFlag(Conditions.WithoutExpiry) && expires)
            && !(conditions.HasFlag(Conditions.WithExpiry) && !expires)
            && !(conditions.HasFlag(Conditions.Later) && (!expires || moment <= standing))
            && !(conditions.HasFlag(Conditions.Earlier) && expires && moment >= standing);
    }

    private static void Persist(CommandContext context)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!context.TryGet(rowKey, out Row row))
        {
            return;
        }

        bool expires = row.Expiry != 0;
        if (expires)
        {
            context.Put(rowKey, row.Type, expiry: 0, row.Value);
        }

        context.Reply.Integer(expires ? 1 : 0);
    }

    private static void Tell(CommandContext context, bool inSeconds, bool fromNow)
    {
        if (!context.TryGet(context.RowKeyOf(1), out Row row))
        {
            return;
        }

        if (row.Expiry == 0)
        {
            context.Reply.Integer(row.IsTombstone ? NoKey : NoExpiry);
            return;
        }

        long milliseconds = fromNow ? row.Expiry - context.Time.Milliseconds : row.Expiry;
        context.Reply.Integer(inSeconds ? (milliseconds / 1000) + (milliseconds % 1000 >= 500 ? 1 : 0) : milliseconds);
    }
}
