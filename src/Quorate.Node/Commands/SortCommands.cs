using System.Runtime.InteropServices;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// SORT and SORT_RO: the elements of a list, set or sorted set in an order of their own or of other keys' values.
/// <para>Keys that `BY` and `GET` make up from a pattern must lie in the slot of the sorted key, or they could not be
/// read: a pattern with a `*` has that key's hash tag in front of it, else it is refused. Text is compared byte by
/// byte, in no language's order.</para>
/// </summary>
internal static class SortCommands
{
    public static readonly CommandSpec[] All =
    [
        new("SORT", -2, CommandKind.Write, KeyWords.None, context => Run(context, mayStore: true), KeysOf),
        new("SORT_RO", -2, CommandKind.Read, KeyWords.One, context => Run(context, mayStore: false)),
    ];

    /// <summary>The sorted key, and the last one that is to be stored to.</summary>
    private static int[] KeysOf(CommandLine line)
    {
        int result = 0;
        for (int word = 2; word < line.Count; word++)
        {
            if (Words.Is(line[word], "LIMIT"))
            {
                word += 2;
            }
            else if (Words.Is(line[word], "GET") || Words.Is(line[word], "BY"))
            {
                word++;
            }
            else if (Words.Is(line[word], "STORE") && word + 1 < line.Count)
            {
                result = ++word;
            }
        }

        return result > 0 ? [1, result] : [1];
    }

    private static void Run(CommandContext context, bool mayStore)
    {
        if (SortOptions.Parse(context, mayStore) is not { } options
            || !context.TryGet(context.RowKeyOf(1), out Row row))
        {
            return;
        }

        if (row.Type is not (RowType.Tombstone or RowType.List or RowType.Set or RowType.SortedSet))
        {
            context.Reply.Error(Errors.WrongType);
            return;
        }

        RowType type = row.Type;
        if (type == RowType.Set && !options.IsSorted && options.StoreAt > 0)
        {
            // Redis does so that what is stored does not hang on the order of a hash table.
            options = options with { IsSorted = true, IsText = true, By = null };
        }

        if (Elements(context, type, options.IsDescending && !options.IsSorted) is not { } elements)
        {
            return;
        }

        IndexRange range = options.RangeOf(elements.Count);
        if (options.IsSorted && !TrySort(context, options, elements))
        {
            return;
        }

        Answer(context, options, elements[(int)range.First..(int)(range.First + range.Count)]);
    }

    private static List<byte[]>? Elements(CommandContext context, RowType type, bool descending)
    {
        switch (type)
        {
            case RowType.Tombstone:
                return [];
            case RowType.SortedSet:
                SortedSet? set = SortedSet.Open(context, context.Line[1]);
                var range = new IndexRange(0, (set?.Count ?? 0) - 1);
                return set?.ReadByRank(range, descending)?.ConvertAll(scored => scored.Member);
            case RowType.List:
                Collection? list = Collection.Open(context, context.Line[1], type);
                List<byte[]>? elements = list is null
                    ? null
                    : new ListElements(list).Read(0, list.Count - 1)?.ConvertAll(element => element.Value);
                if (descending)
                {
                    elements?.Reverse();
                }

                return elements;
            default:
                var names = new List<byte[]>();
                bool isWarm = Collection.Open(context, context.Line[1], type)?.TryScanNames((name, _) =>
                {
                    names.Add(name.ToArray());
                    return true;
                }) == true;
                return isWarm ? names : null;
        }
    }

    /// <summary>Brings elements into order; false when a row is cold, or one is no number, which has been answered.
    /// </summary>
    private static bool TrySort(CommandContext context, SortOptions options, List<byte[]> elements)
    {
        var weighted = new List<Weighted>(elements.Count);
        foreach (byte[] element in elements)
        {
            byte[]? weight = element;
            if (options.By is { } by && !by.TryRead(context, element, out weight))
            {
                return false;
            }

            double number = 0;
            if (!options.IsText && weight is { Length: > 0 } && !Words.TryDouble(weight, out number))
            {
                context.Reply.Error("ERR One or more scores can't be converted into double");
                return false;
            }

            weighted.Add(new Weighted(element, options.IsText ? weight : null, number));
        }

        int sign = options.IsDescending ? -1 : 1;
        bool breaksTies = !options.IsText;
        int place = 0;
        foreach (Weighted each in weighted.Order(Comparer<Weighted>.Create((a, b) =>
            sign * Weighted.Compare(a, b, breaksTies))))
        {
            elements[place++] = each.Element;
        }

        return true;
    }

    private static void Answer(CommandContext context, SortOptions options, List<byte[]> elements)
    {
        var results = new List<byte[]?>();
        foreach (byte[] element in elements)
        {
            if (options.Gets.Count == 0)
            {
                results.Add(element);
            }

            foreach (KeyPattern pattern in options.Gets)
            {
                if (!pattern.TryRead(context, element, out byte[]? found))
                {
                    return;
                }

                results.Add(found);
            }
        }

        if (options.StoreAt > 0)
        {
            Store(context, context.Line[options.StoreAt], results);
            return;
        }

        context.Reply.Array(results.Count);
        foreach (byte[]? result in results)
        {
            if (result is null)
            {
                context.Reply.Null();
            }
            else
            {
                context.Reply.Bulk(result);
            }
        }
    }

    private static void Store(CommandContext context, ReadOnlySpan<byte> key, List<byte[]?> results)
    {
        if (Collection.Make(context, key, RowType.List) is not { } list)
        {
            return;
        }

        var elements = new ListElements(list);
        foreach (byte[]? result in results)
        {
            elements.PushTail(result ?? []);
        }

        list.Save();
        context.Reply.Integer(results.Count);
    }

    /// <summary>An element and what it is sorted by: a number, or bytes, of which none stand before all
    /// others.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Weighted(byte[] Element, byte[]? Text, double Number)
    {
        public static int Compare(Weighted a, Weighted b, bool breaksTies)
        {
            int order = a.Number.CompareTo(b.Number);
            if (order == 0)
            {
                order = (a.Text, b.Text) switch
                {
                    (null, null) => 0,
                    (null, _) => -1,
                    (_, null) => 1,
                    var (first, second) => first.AsSpan().SequenceCompareTo(second),
                };
            }

            return order == 0 && breaksTies ? a.Element.AsSpan().SequenceCompareTo(b.Element) : order;
        }
    }
}
