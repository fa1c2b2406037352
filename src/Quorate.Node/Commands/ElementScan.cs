using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// HSCAN, SSCAN and ZSCAN: some elements of a collection, and where to go on. A position is `e` and the name of the
/// next element, or `0` for the beginning and the end. Elements that stay from the first call to the last are shown
/// once.
/// </summary>
internal static class ElementScan
{
    private const long CountDefault = 10;
    private const byte PositionMark = (byte)'e';

    public static void Run(CommandContext context, RowType type)
    {
        CommandLine line = context.Line;
        ReadOnlySpan<byte> position = line[2];
        bool isStart = position.SequenceEqual("0"u8);
        if (!isStart && (position.IsEmpty || position[0] != PositionMark))
        {
            context.Reply.Error("ERR invalid cursor");
            return;
        }

        var options = new ScanOptions(CountDefault);
        if (Collection.Open(context, line[1], type) is not { } collection
            || (collection.Count > 0 && !options.TryRead(context, 3, withType: false)))
        {
            return;
        }

        long seen = 0;
        byte[]? next = null;
        var found = new List<(byte[] Name, byte[] Value)>();
        bool isWarm = collection.TryScanNames(
            (name, value) =>
            {
                if (seen++ == options.Count || (seen > 1 && context.HasSeenMuch))
                {
                    next = [PositionMark, .. name];
                    return false;
                }

                if (options.Matches(name))
                {
                    found.Add((name.ToArray(), value.ToArray()));
                }

                return true;
            },
            isStart ? [] : position[1..]);
        if (isWarm)
        {
            Write(context.Reply, type, next, found);
        }
    }

    private static void Write(Reply reply, RowType type, byte[]? next, List<(byte[] Name, byte[] Value)> found)
    {
        reply.Array(2);
        reply.Bulk(next ?? "0"u8);
        reply.Array(type == RowType.Set ? found.Count : 2 * found.Count);
        foreach ((byte[] name, byte[] value) in found)
        {
            reply.Bulk(name);
            if (type == RowType.Hash)
            {
                reply.Bulk(value);
            }
            else if (type == RowType.SortedSet)
            {
                string score = Reply.DoubleText(SortedSet.ReadScore(value));
                reply.Bulk(System.Text.Encoding.ASCII.GetBytes(score));
            }
        }
    }
}
