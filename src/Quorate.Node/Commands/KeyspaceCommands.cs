using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
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

    /// <summary>Of a number that holds the place of a row, in bytes.</summary>
    private const int PlaceBytes = 16;

    public static readonly CommandSpec[] All =
    [
        new("KEYS", 2, CommandKind.Read, KeyWords.None, Keys) { Scattering = Scattering.PartitionsArray },
        new("SCAN", -2, CommandKind.Read, KeyWords.None, Scan) { Scattering = Scattering.PartitionsCursor },
        new("DBSIZE", 1, CommandKind.Read, KeyWords.None, Count) { Scattering = Scattering.PartitionsSum },
        new("FLUSHDB", -1, CommandKind.Write, KeyWords.None, Clear) { Scattering = Scattering.PartitionsOk },
        new("FLUSHALL", -1, CommandKind.Write, KeyWords.None, Clear) { Scattering = Scattering.PartitionsOk },
        new("WAIT", -1, CommandKind.Write, KeyWords.None, Nothing) { Scattering = Scattering.PartitionsOk },
        new("WAIT.PROOF", 1, CommandKind.Read, KeyWords.None, Nothing) { Scattering = Scattering.PartitionsOk },
        new("RANDOMKEY", 1, CommandKind.Read, KeyWords.None, Draw) { Scattering = Scattering.PartitionsFirst },
    ];

    /// <summary>
    /// Changes nothing. As a write its entry follows all before it, so who knows how many replicas hold it knows that
    /// of them; as a read it tells that what its token names stands.
    /// </summary>
    private static void Nothing(CommandContext context) => context.Reply.Ok();

    private static ReadOnlySpan<byte> Start => [0];

    private static ReadOnlySpan<byte> End => [0xFF, 0xFF];

    private static void Keys(CommandContext context)
    {
        if (!GlobPattern.TryRead(context, 1, out GlobPattern? pattern))
        {
            return;
        }

        var found = new List<byte[]>();
        if (TryWalkOn(context, found, key => pattern.Matches(key), out CommandProgress? all))
        {
            Write(context.Reply, [.. all.Keys(), .. found]);
        }
    }

    private static void Count(CommandContext context)
    {
        if (TryWalkOn(context, [], _ => false, out CommandProgress? all))
        {
            context.Reply.Integer(all.Count);
        }
    }

    /// <summary>
    /// Goes through all keys, or the next piece of them; false when it is not at their end, or a row is cold.
    /// </summary>
    /// <param name="found">Takes the keys of this piece that match.</param>
    /// <param name="all">At the end: all keys counted, and those found in the pieces before.</param>
    private static bool TryWalkOn(
        CommandContext context, List<byte[]> found, Predicate<byte[]> matches,
        [NotNullWhen(true)] out CommandProgress? all)
    {
        all = null;
        CommandProgress before = context.Progress ?? new(Start.ToArray(), 0, [], 0, null);
        long count = before.Count;
        var walk = new HeaderWalk(context.MayPause ? context : null, long.MaxValue, (key, _) =>
        {
            count++;
            if (matches(key))
            {
                found.Add(key);
            }
        });
        // Whoever runs this piece again goes on from the same progress, so that stays as it is.
        CommandProgress To(byte[] next) =>
            new(next, count, found, before.KeyBytes + found.Sum(key => key.Length), before);

        if (!walk.TryRun(context, before.Next))
        {
            if (walk.Seen is { } seen)
            {
                context.GoOnFrom(() => To([.. seen, 0]));
            }

            return false;
        }

        if (walk.Next is { } next)
        {
            context.Pause(To(next));
            return false;
        }

        all = before with { Count = count };
        return true;
    }

    /// <summary>
    /// A key by chance: the first one behind a place drawn between the first row and the last, so that one behind a
    /// wide gap is drawn more often than others.
    /// </summary>
    private static void Draw(CommandContext context)
    {
        var first = new OneRow();
        var last = new OneRow();
        if (!context.TryScan(new RowRange(Start, End), first)
            || !context.TryScan(new RowRange(Start, End, descending: true), last))
        {
            return;
        }

        List<byte[]> keys = [];
        if (first.RowKey is { } from && last.RowKey is { } to)
        {
            byte[] start = RowKeyBetween(from, to, new SeededRandom(context.Seed));
            var walk = new HeaderWalk(null, 1, (key, _) => keys.Add(key));
            if (!walk.TryRun(context, start)
                || (keys.Count == 0 && !new HeaderWalk(null, 1, (key, _) => keys.Add(key)).TryRun(context, Start)))
            {
                return;
            }
        }

        if (keys.Count == 0)
        {
            context.Reply.Null();
        }
        else
        {
            context.Reply.Bulk(keys[0]);
        }
    }

    /// <summary>
    /// Slot and tag hash between those of two rows, both included; now and then those of the first, which no other
    /// place comes before.
    /// </summary>
    private static byte[] RowKeyBetween(byte[] from, byte[] to, SeededRandom random)
    {
        const int firstPartsPerMillion = 50_000;
        UInt128 low = PlaceOf(from);
        UInt128 span = PlaceOf(to) - low + 1;
        UInt128 drawn = new(random.NextUInt64(), random.NextUInt64());
        byte[] bytes = new byte[PlaceBytes];
        UInt128 place = random.Chance(firstPartsPerMillion) ? low : low + (drawn % span);
        BinaryPrimitives.WriteUInt128BigEndian(bytes, place);
        return bytes[^RowKey.PrefixBytes..];
    }

    /// <summary>Slot, space and tag hash of a row as one number.</summary>
    private static UInt128 PlaceOf(byte[] rowKey)
    {
        byte[] bytes = new byte[PlaceBytes];
        rowKey.AsSpan(0, RowKey.PrefixBytes).CopyTo(bytes.AsSpan(PlaceBytes - RowKey.PrefixBytes));
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
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
        var walk = new HeaderWalk(context, options.Count, (key, type) =>
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

    private sealed class OneRow : IRowVisitor
    {
        public byte[]? RowKey { get; private set; }

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            RowKey = rowKey.ToArray();
            return false;
        }
    }

    /// <summary>
    /// Shows headers of users' keys in order and jumps over what lies between them: elements, and the rows of other
    /// spaces.
    /// </summary>
    /// <param name="pauses">Says when it is enough for now; null when it never is.</param>
    private sealed class HeaderWalk(CommandContext? pauses, long countMax, Action<byte[], RowType> seen) : IRowVisitor
    {
        private long _count;
        private byte[]? _jump;

        /// <summary>The last header that was shown; null when there was none.</summary>
        public byte[]? Seen { get; private set; }

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

            if (_count == countMax || (_count > 0 && pauses is { HasSeenMuch: true }))
            {
                Next = rowKey.ToArray();
                return false;
            }

            _count++;
            Seen = rowKey.ToArray();
            seen(RowKey.KeyOf(rowKey), row.Type);
            return true;
        }
    }
}
