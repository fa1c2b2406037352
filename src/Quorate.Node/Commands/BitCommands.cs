using System.Buffers.Binary;
using System.Numerics;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Commands on the bits of a string. Bit 0 is the highest of the first byte, as in Redis; behind the string's end there
/// are zeros. Integers of any width are in <see cref="BitFieldCommands"/>.
/// </summary>
internal static class BitCommands
{
    public const string BadOffset = "ERR bit offset is not an integer or out of range";

    /// <summary>Redis refuses what lies behind it, whatever a value may be here: 512 MiB, in bits.</summary>
    public const long OffsetEnd = 512L * 1024 * 1024 * 8;

    public static readonly CommandSpec[] All =
    [
        new("SETBIT", 4, CommandKind.Write, KeyWords.One, Set),
        new("GETBIT", 3, CommandKind.Read, KeyWords.One, Get),
        new("BITCOUNT", -2, CommandKind.Read, KeyWords.One, Count),
        new("BITPOS", -3, CommandKind.Read, KeyWords.One, Find),
        new("BITOP", -4, CommandKind.Write, new KeyWords(2, -1, 1), Combine),
    ];

    private enum Operation : byte
    {
        And,
        Or,
        Xor,
        Not,
    }

    /// <summary>The offset of a bit that Redis would take; else it is answered with an error.</summary>
    public static bool TryOffset(CommandContext context, ReadOnlySpan<byte> word, out long offset)
    {
        bool isOffset = Words.TryInteger(word, out offset) && offset is >= 0 and < OffsetEnd;
        if (!isOffset)
        {
            context.Reply.Error(BadOffset);
        }

        return isOffset;
    }

    private static void Set(CommandContext context)
    {
        if (!TryOffset(context, context.Line[2], out long offset))
        {
            return;
        }

        if (!Words.TryInteger(context.Line[3], out long bit) || bit is not (0 or 1))
        {
            context.Reply.Error("ERR bit is not an integer or out of range");
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        long at = offset / 8;
        ReadOnlySpan<byte> text = value.Text;
        if (!context.MayCompose(Math.Max(text.Length, at + 1)))
        {
            return;
        }

        byte[] changed = new byte[Math.Max(text.Length, at + 1)];
        text.CopyTo(changed);
        int mask = 0x80 >> (int)(offset % 8);
        bool was = (changed[at] & mask) != 0;
        if (!value.Exists || changed.Length > text.Length || was != (bit == 1))
        {
            // What stays as it is keeps its version, so nobody who watches it is disturbed.
            changed[at] ^= (byte)(was == (bit == 1) ? 0 : mask);
            StringValue.Write(context, rowKey, changed, value.Expiry);
        }

        context.Reply.Integer(was ? 1 : 0);
    }

    private static void Get(CommandContext context)
    {
        if (TryOffset(context, context.Line[2], out long offset)
            && StringValue.TryRead(context, context.RowKeyOf(1), out StringValue value))
        {
            context.Reply.Integer(BitAt(value.Text, offset));
        }
    }

    private static int BitAt(ReadOnlySpan<byte> text, long offset) =>
        offset / 8 < text.Length ? (text[(int)(offset / 8)] >> (7 - (int)(offset % 8))) & 1 : 0;

    /// <summary>`BITCOUNT key [start end [BYTE|BIT]]`.</summary>
    private static void Count(CommandContext context)
    {
        if (!StringValue.TryRead(context, context.RowKeyOf(1), out StringValue value))
        {
            return;
        }

        ReadOnlySpan<byte> text = value.Text;
        if (!value.Exists)
        {
            context.Reply.Integer(0);
        }
        else if (context.Line.Count == 2)
        {
            context.Reply.Integer(Ones(text, 0, 8L * text.Length));
        }
        else if (context.Line.Count is not (4 or 5))
        {
            context.Reply.Error(Errors.Syntax);
        }
        else if (context.TryInteger(2, out long start) && context.TryInteger(3, out long end))
        {
            // As in Redis, before anybody looks at the unit.
            if (start < 0 && end < 0 && start > end)
            {
                context.Reply.Integer(0);
            }
            else if (TryUnit(context, 4, out bool inBits))
            {
                (long from, long to) = BitRange(text.Length, start, end, inBits);
                context.Reply.Integer(Ones(text, from, to));
            }
        }
    }

    /// <summary>`BITPOS key bit [start [end [BYTE|BIT]]]`.</summary>
    private static void Find(CommandContext context)
    {
        if (!context.TryInteger(2, out long bit))
        {
            return;
        }

        if (bit is not (0 or 1))
        {
            context.Reply.Error("ERR The bit argument must be 1 or 0.");
            return;
        }

        if (!StringValue.TryRead(context, context.RowKeyOf(1), out StringValue value))
        {
            return;
        }

        if (!value.Exists)
        {
            context.Reply.Integer(bit == 1 ? -1 : 0);
            return;
        }

        ReadOnlySpan<byte> text = value.Text;
        int count = context.Line.Count;
        if (count > 6)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        long start = 0;
        long end = -1;
        bool inBits = false;
        if ((count > 3 && !context.TryInteger(3, out start))
            || (count > 5 && !TryUnit(context, 5, out inBits))
            || (count > 4 && !context.TryInteger(4, out end)))
        {
            return;
        }

        (long from, long to) = BitRange(text.Length, start, end, inBits);
        long found = First(text, bit == 1, from, to);

        // Behind a string without an end all bits are zero; a range that was named ends where it ends.
        bool isBehind = found < 0 && bit == 0 && count < 5 && from < to;
        context.Reply.Integer(isBehind ? to : found);
    }

    /// <summary>`BITOP operation result source...`.</summary>
    private static void Combine(CommandContext context)
    {
        CommandLine line = context.Line;
        if (OperationOf(line[1]) is not { } operation)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if (operation == Operation.Not && line.Count != 4)
        {
            context.Reply.Error("ERR BITOP NOT must be called with a single source key.");
            return;
        }

        byte[]? result = null;
        for (int word = 3; word < line.Count; word++)
        {
            if (!StringValue.TryRead(context, RowKey.Of(line[word]), out StringValue value))
            {
                return;
            }

            if (!context.MayCompose(value.Text.Length))
            {
                return;
            }

            result = result is null ? value.Text.ToArray() : Combine(operation, result, value.Text);
        }

        for (int at = 0; operation == Operation.Not && at < result!.Length; at++)
        {
            result[at] = (byte)~result[at];
        }

        Store(context, RowKey.Of(line[2]), result!);
    }

    private static void Store(CommandContext context, byte[] rowKey, byte[] result)
    {
        if (result.Length > 0)
        {
            StringValue.Write(context, rowKey, result, context.DefaultExpiry);
        }
        else if (!context.TryGet(rowKey, out Row standing))
        {
            return;
        }
        else if (!standing.IsTombstone)
        {
            context.Delete(rowKey);
        }

        context.Reply.Integer(result.Length);
    }

    private static byte[] Combine(Operation operation, byte[] a, ReadOnlySpan<byte> b)
    {
        if (b.Length > a.Length)
        {
            Array.Resize(ref a, b.Length);
        }

        for (int at = 0; at < a.Length; at++)
        {
            byte other = at < b.Length ? b[at] : (byte)0;
            a[at] = operation switch
            {
                Operation.And => (byte)(a[at] & other),
                Operation.Or => (byte)(a[at] | other),
                _ => (byte)(a[at] ^ other),
            };
        }

        return a;
    }

    private static Operation? OperationOf(ReadOnlySpan<byte> word) =>
        Words.Is(word, "AND") ? Operation.And
        : Words.Is(word, "OR") ? Operation.Or
        : Words.Is(word, "XOR") ? Operation.Xor
        : Words.Is(word, "NOT") ? Operation.Not
        : null;

    /// <summary>Whether a range is one of bits; without that word it is one of bytes.</summary>
    private static bool TryUnit(CommandContext context, int word, out bool inBits)
    {
        inBits = word < context.Line.Count && Words.Is(context.Line[word], "BIT");
        if (word >= context.Line.Count || inBits || Words.Is(context.Line[word], "BYTE"))
        {
            return true;
        }

        context.Reply.Error(Errors.Syntax);
        return false;
    }

    /// <summary>A range with its end, negative from the string's end, as bits [From, To).</summary>
    private static (long From, long To) BitRange(int bytes, long start, long end, bool inBits)
    {
        long length = inBits ? 8L * bytes : bytes;
        long unit = inBits ? 1 : 8;
        start = Math.Max(start < 0 ? length + start : start, 0);
        end = Math.Min(Math.Max(end < 0 ? length + end : end, 0), length - 1);
        return start > end ? (0, 0) : (start * unit, (end + 1) * unit);
    }

    private static long Ones(ReadOnlySpan<byte> text, long from, long to)
    {
        long count = 0;
        while (from < to && from % 8 != 0)
        {
            count += BitAt(text, from++);
        }

        for (; from + 64 <= to; from += 64)
        {
            count += BitOperations.PopCount(BinaryPrimitives.ReadUInt64LittleEndian(text[(int)(from / 8)..]));
        }

        while (from < to)
        {
            count += BitAt(text, from++);
        }

        return count;
    }

    /// <summary>The first bit in [from, to) that is set, or is not; -1 when there is none.</summary>
    private static long First(ReadOnlySpan<byte> text, bool isSet, long from, long to)
    {
        byte passed = (byte)(isSet ? 0x00 : 0xFF);
        while (from < to)
        {
            bool isWholeByte = from % 8 == 0 && from + 8 <= to;
            int skipped = isWholeByte ? text[(int)(from / 8)..(int)(to / 8)].IndexOfAnyExcept(passed) : 0;
            if (skipped != 0)
            {
                from = skipped < 0 ? to / 8 * 8 : from + (8L * skipped);
            }
            else if (BitAt(text, from) == (isSet ? 1 : 0))
            {
                return from;
            }
            else
            {
                from++;
            }
        }

        return -1;
    }
}
