using System.Globalization;
using System.Text;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Places as members of a sorted set (<see cref="GeoPoint"/>). Searches are in <see
/// cref="GeoSearchCommands"/>.
/// </summary>
internal static class GeoCommands
{
    public static readonly CommandSpec[] All =
    [
        new("GEOADD", -5, CommandKind.Write, KeyWords.One, Add),
        new("GEODIST", -4, CommandKind.Read, KeyWords.One, Distance),
        new("GEOHASH", -2, CommandKind.Read, KeyWords.One, context => Show(context, WriteHash)),
        new("GEOPOS", -2, CommandKind.Read, KeyWords.One, context => Show(context, WritePoint)),
    ];

    /// <summary>A place from two words; what is none has been answered.</summary>
    public static bool TryPoint(CommandContext context, int word, out GeoPoint point)
    {
        point = default;
        if (!context.TryDouble(word, out double longitude) || !context.TryDouble(word + 1, out double latitude))
        {
            return false;
        }

        point = new GeoPoint(longitude, latitude);
        if (!point.IsOnMap)
        {
            context.Reply.Error(string.Create(
                CultureInfo.InvariantCulture, $"ERR invalid longitude,latitude pair {longitude:F6},{latitude:F6}"));
        }

        return point.IsOnMap;
    }

    /// <summary>How many metres a unit has; what is none has been answered.</summary>
    public static bool TryUnit(CommandContext context, int word, out double metres)
    {
        ReadOnlySpan<byte> unit = context.Line[word];
        metres = Words.Is(unit, "M") ? 1
            : Words.Is(unit, "KM") ? 1000
            : Words.Is(unit, "FT") ? 0.3048
            : Words.Is(unit, "MI") ? 1609.34
            : 0;
        if (metres == 0)
        {
            context.Reply.Error("ERR unsupported unit provided. please use M, KM, FT, MI");
        }

        return metres > 0;
    }

    public static void WriteDistance(Reply reply, double distance) =>
        reply.Bulk(Encoding.ASCII.GetBytes(distance.ToString("F4", CultureInfo.InvariantCulture)));

    public static void WritePoint(Reply reply, double score)
    {
        var point = GeoPoint.Of(score);
        reply.Array(2);
        reply.DoubleAs(Words.PlainText(point.Longitude));
        reply.DoubleAs(Words.PlainText(point.Latitude));
    }

    private static void WriteHash(Reply reply, double score) =>
        reply.Bulk(Encoding.ASCII.GetBytes(GeoPoint.Of(score).ToText()));

    private static void Add(CommandContext context)
    {
        CommandLine line = context.Line;
        var options = new SortedSetAdding.Options();
        int word = 2;
        while (word < line.Count
            && (Words.Is(line[word], "NX") || Words.Is(line[word], "XX") || Words.Is(line[word], "CH")))
        {
            options.Take(line[word++]);
        }

        if ((line.Count - word) % 3 != 0 || line.Count == word || (options.OnlyNew && options.OnlyOld))
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        double[] scores = new double[(line.Count - word) / 3];
        for (int i = 0; i < scores.Length; i++)
        {
            if (!TryPoint(context, word + (3 * i), out GeoPoint point))
            {
                return;
            }

            scores[i] = point.Score;
        }

        SortedSetAdding.Run(context, options, scores, firstName: word + 2, step: 3);
    }

    private static void Distance(CommandContext context)
    {
        CommandLine line = context.Line;
        double metres = 1;
        if (line.Count > 5)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if ((line.Count == 5 && !TryUnit(context, 4, out metres))
            || SortedSet.Open(context, line[1]) is not { } set
            || !set.TryGet(line[2], out double? first)
            || !set.TryGet(line[3], out double? second))
        {
            return;
        }

        if (first is { } from && second is { } to)
        {
            WriteDistance(context.Reply, GeoPoint.Of(from).DistanceTo(GeoPoint.Of(to)) / metres);
        }
        else
        {
            context.Reply.Null();
        }
    }

    private static void Show(CommandContext context, Action<Reply, double> write)
    {
        if (SortedSet.Open(context, context.Line[1]) is not { } set)
        {
            return;
        }

        context.Reply.Array(context.Line.Count - 2);
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!set.TryGetWord(word, 1, out double? score))
            {
                return;
            }

            if (score is { } found)
            {
                write(context.Reply, found);
            }
            else
            {
                context.Reply.Null();
            }
        }
    }
}
