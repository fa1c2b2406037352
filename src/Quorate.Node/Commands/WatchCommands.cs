using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Quorate's own: what WATCH stands on. Each change of a key writes its header row, of whatever type, so that row's
/// version tells whether the key has changed. A key that came and went again has the version of one that never was.
/// </summary>
internal static class WatchCommands
{
    public static readonly CommandSpec[] All =
    [
        new("KEYVERSION", 2, CommandKind.Read, KeyWords.One, VersionOf),
        new("IFVERSION", -3, CommandKind.Read, new KeyWords(1, -2, 2), If),
    ];

    /// <summary>`KEYVERSION key`: the version of a key of any type; `0` when there is no such key.</summary>
    private static void VersionOf(CommandContext context)
    {
        if (context.TryGet(RowKey.Of(context.Line[1]), out Row row)
            && context.TryVersionOf(row.Version, out ValueVersion version))
        {
            context.Reply.Bulk(Encoding.ASCII.GetBytes(version.ToString()));
        }
    }

    /// <summary>
    /// `IFVERSION key version [key version ...]`: the request that it is part of comes to nothing unless each key has
    /// its version.
    /// </summary>
    private static void If(CommandContext context)
    {
        if (context.Line.Count % 2 == 0)
        {
            context.Reply.Error(Errors.WrongArguments("ifversion"));
            return;
        }

        bool isSame = true;
        for (int word = 1; word < context.Line.Count; word += 2)
        {
            if (!ValueVersion.TryParse(context.Line[word + 1], out ValueVersion expected))
            {
                context.Reply.Error("ERR not a version: send what KEYVERSION answered");
                return;
            }

            if (!context.TryGet(RowKey.Of(context.Line[word]), out Row row)
                || !context.TryVersionOf(row.Version, out ValueVersion standing))
            {
                return;
            }

            isSame &= standing.IsNamedBy(expected);
        }

        if (isSame)
        {
            context.Reply.Ok();
        }
        else
        {
            context.Abandon();
        }
    }
}
