using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Commands on all keys of a partition. A position in its keys, which SCAN takes and gives back, is the row key of the
/// next header to look at, or `0` for the beginning and the end: it means the same on every replica and after a
/// restart. (64 bits can not name a place among keys; the edges give their clients numbers for positions.)
/// </summary>
internal static class KeyspaceCommands
{
    private const long ScanCountDefault = 10;

    public static readonly CommandSpec[] All =
    [
        new("KEYS", 2, CommandKind.Read, KeyWords.None, Keys),
        new("SCAN", -2, CommandKind.Read, KeyWords.None, Scan),
        new("DBSIZE", 1, CommandKind.Read, KeyWords.None, Count),
        new("FLUSHDB", -1, CommandKind.Write, KeyWords.None, Clear),
    ];

    private static ReadOnlySpan<byte> Start => [0];

    private static ReadOnlySpan<byte> End => [0xFF, 0xFF];

    private static void Keys(CommandContext context)
    {
        byte[] pattern = context.Line[1].ToArray();
        var keys = new List<byte[]>();
        var walk = new HeaderWalk(long.MaxValue, (key, _) =>
        {
            if (GlobPattern.Matches(pattern, key))
            {
                keys.Add(key);
            }
        });
        if (walk.TryRun(context, Start))
        {
            Write(context.Reply, keys);
        }
    }

    private static void Count(CommandContext context)
    {
        long count = 0;
        var walk = new HeaderWalk(long.MaxValue, (_, _) => count++);
        if (walk.TryRun(context, Start))
        {
            context.Reply.Integer(count);
        }
    }

    private static void Scan(CommandContext context)
    {
        var options = new ScanOptions(ScanCountDefault);
        if (!options.TryRead(context, 2, withType: true))
        {
            return;
        }

        ReadOnlySpan<byte> position = context.Line[1];
        bool isStart = position.SequenceEqual("0"u8);
        if (!isStart && (position.Length < RowKey.PrefixBytes || RowKey.ElementStart(position) != position.Length))
        {
            context.Reply.Error("ERR invalid cursor");
            return;
        }

        var keys = new List<byte[]>();
        var walk = new HeaderWalk(options.Count, (key, type) =>
        {
            if (options.Matches(key) && options.HasType(type))
            {
                keys.Add(key);
            }
        });
        if (walk.TryRun(context, isStart ? Start : position))
        {
            context.Reply.Array(2);
            context.Reply.Bulk(walk.Next ?? "0"u8);
            Write(context.Reply, keys);
        }
    }

    private static void Clear(CommandContext context)
    {
        bool isKnown = context.Line.Count == 1
            || (context.Line.Count == 2
                && (Words.Is(context.Line[1], "ASYNC") || Words.Is(context.Line[1], "SYNC")));
        if (!isKnown)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        context.ClearAll();
        context.Reply.Ok();
    }

    private static void Write(Reply reply, List<byte[]> keys)
    {
        reply.Array(keys.Count);
        foreach (byte[] key in keys)
        {
            reply.Bulk(key);
        }
    }

    /// <summary>
    /// Shows headers of users' keys in order and jumps over what lies between them: elements, and the rows of other
    /// spaces.
    /// </summary>
    private sealed class HeaderWalk(long countMax, Action<byte[], RowType> seen) : IRowVisitor
    {
        private long _count;
        private byte[]? _jump;

        /// <summary>The header to go on at; null at the end.</summary>
        public byte[]? Next { get; private set; }

        public bool TryRun(CommandContext context, ReadOnlySpan<byte> from)
        {
            byte[]? start = from.ToArray();
            while (start is not null && Next is null)
            {
                _jump = null;
                if (!context.TryScan(new RowRange(start, End), this))
                {
                    return false;
                }

                start = _jump;
            }

            return true;
        }

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            if (RowKey.SpaceOf(rowKey) != RowSpace.User)
            {
                Slot slot = RowKey.SlotOf(rowKey);
                if (slot.Value + 1 < Slot.Count)
                {
                    _jump = new byte[sizeof(ushort)];
                    BinaryPrimitives.WriteUInt16BigEndian(_jump, (ushort)((slot.Value + 1) << 2));
                }

                return false;
            }

            int element = RowKey.ElementStart(rowKey);
            if (element < rowKey.Length)
            {
                _jump = Collection.After(rowKey[..element]);
                return false;
            }

            if (_count == countMax)
            {
                Next = rowKey.ToArray();
                return false;
            }

            _count++;
            seen(RowKey.KeyOf(rowKey), row.Type);
            return true;
        }
    }
}
