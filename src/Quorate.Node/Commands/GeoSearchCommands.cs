using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>
/// GEOSEARCH and GEORADIUS: places in a circle or a box. Only members are looked at whose scores are those of the
/// area's cells (<see cref="GeoArea"/>).
/// </summary>
internal static class GeoSearchCommands
{
    public static readonly CommandSpec[] All =
    [
        new("GEOSEARCH", -7, CommandKind.Read, KeyWords.One, context => Run(context, GeoSearchForm.Search, true)),
        new("GEOSEARCHSTORE", -8, CommandKind.Write, new KeyWords(1, 2, 1),
            context => Run(context, GeoSearchForm.SearchStore, true)),
        new("GEORADIUS", -6, CommandKind.Write, KeyWords.None,
            context => Run(context, GeoSearchForm.Radius, true), line => KeysOf(line, 6)),
        new("GEORADIUS_RO", -6, CommandKind.Read, KeyWords.One,
            context => Run(context, GeoSearchForm.Radius, false)),
        new("GEORADIUSBYMEMBER", -5, CommandKind.Write, KeyWords.None,
            context => Run(context, GeoSearchForm.RadiusByMember, true), line => KeysOf(line, 5)),
        new("GEORADIUSBYMEMBER_RO", -5, CommandKind.Read, KeyWords.One,
            context => Run(context, GeoSearchForm.RadiusByMember, false)),
    ];

    /// <summary>The searched key, and the last one that is to be stored to.</summary>
    private static int[] KeysOf(CommandLine line, int firstOption)
    {
        int result = 0;
        for (int word = firstOption; word + 1 < line.Count; word++)
        {
            if (Words.Is(line[word], "STORE") || Words.Is(line[word], "STOREDIST"))
            {
                result = ++word;
            }
            else if (Words.Is(line[word], "COUNT"))
            {
                word++;
            }
        }

        return result > 0 ? [1, result] : [1];
    }

    private static void Run(CommandContext context, GeoSearchForm form, bool mayStore)
    {
        int source = form == GeoSearchForm.SearchStore ? 2 : 1;
        if (SortedSet.Open(context, context.Line[source]) is not { } set
            || GeoSearchOptions.Parse(context, form, set, mayStore) is not { } options
            || Find(options, set) is not { } found)
        {
            return;
        }

        if (options.IsDescending is { } descending)
        {
            found.Sort((a, b) => descending ? Place.Compare(b, a) : Place.Compare(a, b));
        }

        if (options.Count > 0 && found.Count > options.Count)
        {
            found.RemoveRange((int)options.Count, found.Count - (int)options.Count);
        }

        if (options.StoreAt > 0)
        {
            Store(context, options, found);
        }
        else
        {
            Write(context.Reply, options, found);
        }
    }

    /// <summary>Null when a row is cold.</summary>
    private static List<Place>? Find(GeoSearchOptions options, SortedSet set)
    {
        var found = new List<Place>();
        if (options.Area is not { } area)
        {
            return found;
        }

        foreach ((ulong from, ulong to) in area.Ranges())
        {
            var range = new ScoreRange(SortedSet.Sortable(from), SortedSet.Sortable(to));
            if (set.ReadByScore(range, descending: false, skip: 0, long.MaxValue) is not { } members)
            {
                return null;
            }

            foreach (Scored member in members)
            {
                if (area.Contains(GeoPoint.Of(member.Score), out double distance))
                {
                    found.Add(new Place(member, distance));
                }

                if (options.TakesAny && found.Count == options.Count)
                {
                    return found;
                }
            }
        }

        return found;
    }

    private static void Store(CommandContext context, GeoSearchOptions options, List<Place> found)
    {
        List<Scored> members = found.ConvertAll(place =>
            options.StoresDistance ? place.Member with { Score = place.Distance / options.Unit } : place.Member);
        SortedSetRangeCommands.Store(context, context.Line[options.StoreAt], members);
    }

    private static void Write(Reply reply, GeoSearchOptions options, List<Place> found)
    {
        int parts = 1 + (options.WithDistance ? 1 : 0) + (options.WithHash ? 1 : 0) + (options.WithPoint ? 1 : 0);
        reply.Array(found.Count);
        foreach (Place place in found)
        {
            if (parts > 1)
            {
                reply.Array(parts);
            }

            reply.Bulk(place.Member.Member);
            if (options.WithDistance)
            {
                GeoCommands.WriteDistance(reply, place.Distance / options.Unit);
            }

            if (options.WithHash)
            {
                reply.Integer((long)place.Member.Score);
            }

            if (options.WithPoint)
            {
                GeoCommands.WritePoint(reply, place.Member.Score);
            }
        }
    }

    /// <summary>A place that was found, and how far it is from the middle, in metres.</summary>
    private sealed record Place(Scored Member, double Distance)
    {
        public static int Compare(Place a, Place b) =>
            a.Distance.CompareTo(b.Distance) is var order and not 0
                ? order
                : a.Member.Member.AsSpan().SequenceCompareTo(b.Member.Member);
    }
}
