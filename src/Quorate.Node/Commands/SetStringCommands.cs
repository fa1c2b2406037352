using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>SET with its options, its older spellings, and GETEX, which has the same ones.</summary>
internal static class SetStringCommands
{
    public static readonly CommandSpec[] All =
    [
        new("SET", -3, CommandKind.Write, KeyWords.One, Set),
        new("SETNX", 3, CommandKind.Write, KeyWords.One, SetNew),
        new("SETEX", 4, CommandKind.Write, KeyWords.One, context => SetExpiring(context, inSeconds: true, "setex")),
        new("PSETEX", 4, CommandKind.Write, KeyWords.One, context => SetExpiring(context, inSeconds: false, "psetex")),
        new("GETEX", -2, CommandKind.Write, KeyWords.One, GetExpiring),
    ];

    private static void Set(CommandContext context)
    {
        var options = new Options();
        if (!options.TryRead(context, 3, isSet: true))
        {
            return;
        }

        long expiry = context.DefaultExpiry;
        if (options.ExpiryWord > 0 && !options.TryExpiry(context, "set", out expiry))
        {
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (options is { Get: false, OnlyNew: false, OnlyOld: false, KeepExpiry: false })
        {
            StringValue.Write(context, rowKey, context.Line[2], expiry);
            context.Reply.Ok();
            return;
        }

        if (!context.TryGet(rowKey, out Row row))
        {
            return;
        }

        var old = new StringValue(row);
        if (options.Get && !old.IsString)
        {
            context.Reply.Error(Errors.WrongType);
            return;
        }

        bool isDone = old.Exists ? !options.OnlyNew : !options.OnlyOld;
        if (options.Get)
        {
            old.ReplyTo(context.Reply);
        }
        else if (isDone)
        {
            context.Reply.Ok();
        }
        else
        {
            context.Reply.Null();
        }

        if (isDone)
        {
            StringValue.Write(context, rowKey, context.Line[2], options.KeepExpiry && old.Exists ? row.Expiry : expiry);
        }
    }

    private static void SetNew(CommandContext context)
    {
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!context.TryGet(rowKey, out Row row))
        {
            return;
        }

        if (row.IsTombstone)
        {
            StringValue.Write(context, rowKey, context.Line[2], context.DefaultExpiry);
        }

        context.Reply.Integer(row.IsTombstone ? 1 : 0);
    }

    private static void SetExpiring(CommandContext context, bool inSeconds, string command)
    {
        if (Expiries.TryPositive(context, 2, inSeconds, fromNow: true, command, out long expiry))
        {
            StringValue.Write(context, RowKey.Of(context.Line[1]), context.Line[3], expiry);
            context.Reply.Ok();
        }
    }

    private static void GetExpiring(CommandContext context)
    {
        var options = new Options();
        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!options.TryRead(context, 2, isSet: false) || !context.TryGet(rowKey, out Row row))
        {
            return;
        }

        var value = new StringValue(row);
        if (!value.IsString)
        {
            context.Reply.Error(Errors.WrongType);
            return;
        }

        long expiry = 0;
        if (value.Exists && options.ExpiryWord > 0 && !options.TryExpiry(context, "getex", out expiry))
        {
            return;
        }

        value.ReplyTo(context.Reply);
        if (!value.Exists || (options.ExpiryWord == 0 && !options.Persist))
        {
            return;
        }

        if (expiry != 0 && Expiries.HasCome(context, expiry))
        {
            context.Delete(rowKey);
        }
        else if (expiry != value.Expiry)
        {
            context.Put(rowKey, row.Type, expiry, row.Value);
        }
    }

    /// <summary>The options of SET and GETEX.</summary>
    private sealed class Options
    {
        private bool _inSeconds;
        private bool _fromNow;

        public bool OnlyNew { get; private set; }

        public bool OnlyOld { get; private set; }

        public bool Get { get; private set; }

        public bool KeepExpiry { get; private set; }

        public bool Persist { get; private set; }

        /// <summary>The word with the number; zero when no expiry is named.</summary>
        public int ExpiryWord { get; private set; }

        public bool TryExpiry(CommandContext context, string command, out long expiry) =>
            Expiries.TryPositive(context, ExpiryWord, _inSeconds, _fromNow, command, out expiry);

        /// <summary>False when the options make no sense, which has then been answered.</summary>
        public bool TryRead(CommandContext context, int word, bool isSet)
        {
            while (word < context.Line.Count)
            {
                bool fits = isSet && TakeSetOption(context.Line[word]);
                if (!fits && !TakeExpiryOption(context.Line, ref word, isSet))
                {
                    context.Reply.Error(Errors.Syntax);
                    return false;
                }

                word++;
            }

            return true;
        }

        private bool TakeSetOption(ReadOnlySpan<byte> option)
        {
            if (Words.Is(option, "NX") && !OnlyOld)
            {
                return OnlyNew = true;
            }

            if (Words.Is(option, "XX") && !OnlyNew)
            {
                return OnlyOld = true;
            }

            return Words.Is(option, "GET") && (Get = true);
        }

        private bool TakeExpiryOption(CommandLine line, ref int word, bool isSet)
        {
            ReadOnlySpan<byte> option = line[word];
            bool isNamed = ExpiryWord > 0;
            if (Words.Is(option, isSet ? "KEEPTTL" : "PERSIST") && !isNamed)
            {
                KeepExpiry = isSet;
                Persist = !isSet;
                return true;
            }

            bool inSeconds = Words.Is(option, "EX") || Words.Is(option, "EXAT");
            bool fromNow = Words.Is(option, "EX") || Words.Is(option, "PX");
            bool isExpiry = inSeconds || fromNow || Words.Is(option, "PXAT");
            if (!isExpiry || isNamed || KeepExpiry || Persist || word + 1 >= line.Count)
            {
                return false;
            }

            _inSeconds = inSeconds;
            _fromNow = fromNow;
            ExpiryWord = ++word;
            return true;
        }
    }
}
