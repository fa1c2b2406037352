using Quorate.Node.Evaluation;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>How the replies of commands differ in RESP2 beyond what their types say.</summary>
internal static class ReplyShapes
{
    private static readonly Dictionary<string, Resp2Shape>.AlternateLookup<ReadOnlySpan<byte>> ByName =
        new Dictionary<string, Resp2Shape>(CommandNames.Comparer)
        {
            ["LPOP"] = Resp2Shape.NullIsArray,
            ["RPOP"] = Resp2Shape.NullIsArray,
            ["LMPOP"] = Resp2Shape.NullIsArray,
            ["ZMPOP"] = Resp2Shape.NullIsArray,
            ["ZRANK"] = Resp2Shape.NullIsArray,
            ["ZREVRANK"] = Resp2Shape.NullIsArray,
            ["GEOPOS"] = Resp2Shape.NullElementsAreArrays,
            ["GETV"] = Resp2Shape.NullIsArray,
            ["EXEC"] = Resp2Shape.NullIsArray,
            ["HRANDFIELD"] = Resp2Shape.PairsAreFlat,
            ["ZRANDMEMBER"] = Resp2Shape.PairsAreFlat,
            ["ZPOPMIN"] = Resp2Shape.PairsAreFlat,
            ["ZPOPMAX"] = Resp2Shape.PairsAreFlat,
            ["ZRANGE"] = Resp2Shape.PairsAreFlat,
            ["ZREVRANGE"] = Resp2Shape.PairsAreFlat,
            ["ZRANGEBYSCORE"] = Resp2Shape.PairsAreFlat,
            ["ZREVRANGEBYSCORE"] = Resp2Shape.PairsAreFlat,
            ["ZUNION"] = Resp2Shape.PairsAreFlat,
            ["ZINTER"] = Resp2Shape.PairsAreFlat,
            ["ZDIFF"] = Resp2Shape.PairsAreFlat,
        }.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Of a request's reply; only what begins as a type that RESP2 lacks is looked at.</summary>
    public static Resp2Shape Of(RespRequest request) =>
        request.Reply.Span[0] is (byte)'_' or (byte)'*' && request.Command.Count > 0
            ? Of(request.Line)
            : Resp2Shape.None;

    public static Resp2Shape Of(CommandLine line)
    {
        if (!ByName.TryGetValue(line[0], out Resp2Shape shape))
        {
            return Resp2Shape.None;
        }

        // The forms without a count, or without WITHSCORE, answer with one element: a string, where it is none.
        bool isRank = CommandNames.Is(line[0], "ZRANK") || CommandNames.Is(line[0], "ZREVRANK");
        bool isPop = CommandNames.Is(line[0], "LPOP") || CommandNames.Is(line[0], "RPOP");
        return (isRank && line.Count < 4) || (isPop && line.Count < 3) ? Resp2Shape.None : shape;
    }
}
