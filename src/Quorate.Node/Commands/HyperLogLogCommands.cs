using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>PFADD, PFCOUNT, PFMERGE: approximate counts of different elements, kept as strings.</summary>
internal static class HyperLogLogCommands
{
    public static readonly CommandSpec[] All =
    [
        new("PFADD", -2, CommandKind.Write, KeyWords.One, Add),
        new("PFCOUNT", -2, CommandKind.Read, new KeyWords(1, -1, 1), Count),
        new("PFMERGE", -2, CommandKind.Write, new KeyWords(1, -1, 1), Merge),
    ];

    private static void Add(CommandContext context)
    {
        var counter = new HyperLogLog();
        if (!TryMerge(context, 1, counter, out StringValue value))
        {
            return;
        }

        bool isChanged = !value.Exists;
        for (int word = 2; word < context.Line.Count; word++)
        {
            isChanged |= counter.Add(context.Line[word]);
        }

        if (isChanged)
        {
            context.Put(RowKey.Of(context.Line[1]), RowType.Text, value.Expiry, counter.ToText());
        }

        context.Reply.Integer(isChanged ? 1 : 0);
    }

    private static void Count(CommandContext context)
    {
        var counter = new HyperLogLog();
        for (int word = 1; word < context.Line.Count; word++)
        {
            if (!TryMerge(context, word, counter, out _))
            {
                return;
            }
        }

        context.Reply.Integer(counter.Estimate());
    }

    private static void Merge(CommandContext context)
    {
        var counter = new HyperLogLog();
        long expiry = context.DefaultExpiry;
        for (int word = 1; word < context.Line.Count; word++)
        {
            if (!TryMerge(context, word, counter, out StringValue value))
            {
                return;
            }

            expiry = word == 1 ? value.Expiry : expiry;
        }

        context.Put(RowKey.Of(context.Line[1]), RowType.Text, expiry, counter.ToText());
        context.Reply.Ok();
    }

    /// <summary>
    /// Takes what stands under a key into a counter; false when it is cold, or no counter, which has been answered.
    /// </summary>
    private static bool TryMerge(CommandContext context, int word, HyperLogLog counter, out StringValue value)
    {
        if (!StringValue.TryRead(context, RowKey.Of(context.Line[word]), out value))
        {
            return false;
        }

        if (!value.Exists)
        {
            return true;
        }

        ReadOnlySpan<byte> text = value.Text;
        if (!HyperLogLog.IsOne(text))
        {
            context.Reply.Error("WRONGTYPE Key is not a valid HyperLogLog string value.");
            return false;
        }

        if (!counter.TryMerge(text))
        {
            context.Reply.Error("INVALIDOBJ Corrupted HLL object detected");
            return false;
        }

        return true;
    }
}
