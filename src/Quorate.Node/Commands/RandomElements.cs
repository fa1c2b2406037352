using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// HRANDFIELD, SRANDMEMBER and ZRANDMEMBER: some elements by chance, a negative count with repetition. Those chosen by
/// <see cref="RandomChoice"/> are found by a scan from the beginning. They are answered in the collection's order.
/// </summary>
internal static class RandomElements
{
    /// <summary>Elements that may be asked for with repetition.</summary>
    public const long RepeatsMax = 1 << 20;

    /// <summary>Redis doubles the count where values come with the elements.</summary>
    private const long PairsMax = long.MaxValue / 2;

    public static void Run(CommandContext context, RowType type)
    {
        CommandLine line = context.Line;
        bool withValues = line.Count == 4
            && ((type == RowType.Hash && Words.Is(line[3], "WITHVALUES"))
                || (type == RowType.SortedSet && Words.Is(line[3], "WITHSCORES")));
        long count = 1;
        if (line.Count > 2 && !context.TryInteger(2, out count))
        {
            return;
        }

        if (line.Count > 3 && !withValues)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if (count < -RepeatsMax || (withValues && count > PairsMax))
        {
            context.Reply.Error(count == long.MinValue ? Errors.OutOfLongRange : Errors.OutOfRange);
            return;
        }

        if (Collection.Open(context, line[1], type) is not { } collection
            || Choose(context, collection, count) is not { } chosen)
        {
            return;
        }

        if (line.Count > 2)
        {
            WriteMany(context.Reply, type, withValues, chosen);
        }
        else if (chosen.Count == 0)
        {
            context.Reply.Null();
        }
        else
        {
            context.Reply.Bulk(chosen[0].Name);
        }
    }

    /// <summary>Elements by chance, in order; null when one is cold.</summary>
    public static List<(byte[] Name, byte[] Value)>? Choose(CommandContext context, Collection collection, long count)
    {
        var chosen = new List<(byte[] Name, byte[] Value)>();
        if (count == 0 || collection.Count == 0)
        {
            return chosen;
        }

        long[] places = RandomChoice.Of(context, collection.Count, Math.Abs(count), mayRepeat: count < 0);
        long place = 0;
        bool isWarm = collection.TryScanNames((name, value) =>
        {
            if (places[chosen.Count] == place)
            {
                // However often it was chosen, it is in memory once.
                (byte[] Name, byte[] Value) element = (name.ToArray(), value.ToArray());
                while (chosen.Count < places.Length && places[chosen.Count] == place)
                {
                    chosen.Add(element);
                }
            }

            place++;
            return chosen.Count < places.Length;
        });
        return isWarm ? chosen : null;
    }

    private static void WriteMany(
        Reply reply, RowType type, bool withValues, List<(byte[] Name, byte[] Value)> chosen)
    {
        reply.Array(chosen.Count);
        foreach ((byte[] name, byte[] value) in chosen)
        {
            if (withValues)
            {
                reply.Array(2);
            }

            reply.Bulk(name);
            if (withValues && type == RowType.Hash)
            {
                reply.Bulk(value);
            }
            else if (withValues)
            {
                reply.Double(SortedSet.ReadScore(value));
            }
        }
    }
}
