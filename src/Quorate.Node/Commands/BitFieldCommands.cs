using System.Runtime.InteropServices;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// BITFIELD and BITFIELD_RO: integers of 1 to 64 bits at any bit of a string, read, set and added to. All of a line's
/// operations take effect together; an operation that overflows under `FAIL` answers null and changes nothing.
/// </summary>
internal static class BitFieldCommands
{
    private const string BadType =
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

    public static readonly CommandSpec[] All =
    [
        new("BITFIELD", -2, CommandKind.Write, KeyWords.One, context => Run(context, mayWrite: true)),
        new("BITFIELD_RO", -2, CommandKind.Read, KeyWords.One, context => Run(context, mayWrite: false)),
    ];

    private enum Verb : byte
    {
        Get,
        Set,
        Add,
    }

    private enum Overflow : byte
    {
        Wrap,
        Saturate,
        Fail,
    }

    private static void Run(CommandContext context, bool mayWrite)
    {
        if (Parse(context) is not { } operations)
        {
            return;
        }

        // The string becomes as long as the last operation that may write needs it, even if that one fails.
        long end = 0;
        foreach (Operation operation in operations)
        {
            if (operation.Verb != Verb.Get)
            {
                end = Math.Max(end, operation.Field.Offset + operation.Field.Bits);
            }
        }

        if (end > 0 && !mayWrite)
        {
            context.Reply.Error("ERR BITFIELD_RO only supports the GET subcommand");
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        long bytes = (end + 7) / 8;
        if (!context.MayCompose(end > 0 ? Math.Max(value.Text.Length, bytes) : 0))
        {
            return;
        }

        byte[] text = new byte[Math.Max(value.Text.Length, bytes)];
        value.Text.CopyTo(text);
        context.Reply.Array(operations.Count);
        bool isChanged = bytes > value.Text.Length;
        foreach (Operation operation in operations)
        {
            isChanged |= Run(context.Reply, operation, text);
        }

        if (isChanged)
        {
            StringValue.Write(context, rowKey, text, value.Expiry);
        }
    }

    /// <summary>True when the field has another value then.</summary>
    private static bool Run(Reply reply, in Operation operation, byte[] text)
    {
        Field field = operation.Field;
        Int128 before = field.Read(text);
        if (operation.Verb == Verb.Get)
        {
            reply.Integer((long)before);
            return false;
        }

        bool isSum = operation.Verb == Verb.Add;
        Int128 wanted = isSum ? before + operation.Operand : field.Operand(operation.Operand);
        if (field.Fit(wanted, operation.Overflow) is not { } fitting)
        {
            reply.Null();
            return false;
        }

        field.Write(text, fitting);
        reply.Integer((long)(isSum ? fitting : before));
        return fitting != before;
    }

    /// <summary>The operations of a line; null when one is none, which has been answered.</summary>
    private static List<Operation>? Parse(CommandContext context)
    {
        CommandLine line = context.Line;
        var operations = new List<Operation>();
        var overflow = Overflow.Wrap;
        for (int word = 2; word < line.Count;)
        {
            int behind = line.Count - word - 1;
            if (Words.Is(line[word], "OVERFLOW") && behind >= 1)
            {
                if (OverflowOf(line[word + 1]) is not { } named)
                {
                    context.Reply.Error("ERR Invalid OVERFLOW type specified");
                    return null;
                }

                overflow = named;
                word += 2;
                continue;
            }

            Verb? verb = VerbOf(line[word], behind);
            if (verb is null)
            {
                context.Reply.Error(Errors.Syntax);
                return null;
            }

            long operand = 0;
            if (Field.Parse(context, line[word + 1], line[word + 2]) is not { } field
                || (verb != Verb.Get && !context.TryInteger(word + 3, out operand)))
            {
                return null;
            }

            operations.Add(new(verb.Value, field, operand, overflow));
            word += verb == Verb.Get ? 3 : 4;
        }

        return operations;
    }

    private static Verb? VerbOf(ReadOnlySpan<byte> word, int behind) =>
        Words.Is(word, "GET") && behind >= 2 ? Verb.Get
        : Words.Is(word, "SET") && behind >= 3 ? Verb.Set
        : Words.Is(word, "INCRBY") && behind >= 3 ? Verb.Add
        : null;

    private static Overflow? OverflowOf(ReadOnlySpan<byte> word) =>
        Words.Is(word, "WRAP") ? Overflow.Wrap
        : Words.Is(word, "SAT") ? Overflow.Saturate
        : Words.Is(word, "FAIL") ? Overflow.Fail
        : null;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Operation(Verb Verb, Field Field, long Operand, Overflow Overflow);

    /// <summary>An integer in a string: its first bit, its width in bits, and whether it has a sign.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Field(long Offset, int Bits, bool IsSigned)
    {
        private Int128 Max => (Int128.One << (IsSigned ? Bits - 1 : Bits)) - 1;

        private Int128 Min => IsSigned ? -Max - 1 : 0;

        /// <summary>From words such as `u8` and `#3` or `24`; null when they are none, which has been
        /// answered.</summary>
        public static Field? Parse(CommandContext context, ReadOnlySpan<byte> type, ReadOnlySpan<byte> place)
        {
            bool isSigned = type.Length > 0 && type[0] == (byte)'i';
            if (type.Length == 0
                || !(isSigned || type[0] == (byte)'u')
                || !Words.TryInteger(type[1..], out long bits)
                || bits < 1
                || bits > (isSigned ? 64 : 63))
            {
                context.Reply.Error(BadType);
                return null;
            }

            // `#3` counts in widths of the type.
            bool inFields = place.Length > 0 && place[0] == (byte)'#';
            if (!BitCommands.TryOffset(context, inFields ? place[1..] : place, out long offset))
            {
                return null;
            }

            offset *= inFields ? bits : 1;
            if (offset >= BitCommands.OffsetEnd)
            {
                context.Reply.Error(BitCommands.BadOffset);
                return null;
            }

            return new Field(offset, (int)bits, isSigned);
        }

        /// <summary>What a word that is to be stored stands for: without a sign, a negative one is huge.</summary>
        public Int128 Operand(long word) => IsSigned ? word : (ulong)word;

        public Int128 Read(ReadOnlySpan<byte> text)
        {
            ulong value = 0;
            for (long bit = Offset; bit < Offset + Bits; bit++)
            {
                int set = bit / 8 < text.Length ? (text[(int)(bit / 8)] >> (7 - (int)(bit % 8))) & 1 : 0;
                value = (value << 1) | (uint)set;
            }

            return IsSigned && (value >> (Bits - 1)) == 1 ? (Int128)value - (Int128.One << Bits) : value;
        }

        public void Write(Span<byte> text, Int128 value)
        {
            for (int place = 0; place < Bits; place++)
            {
                long bit = Offset + Bits - 1 - place;
                int mask = 0x80 >> (int)(bit % 8);
                ref byte at = ref text[(int)(bit / 8)];
                at = (byte)((value >> place & Int128.One) == Int128.One ? at | mask : at & ~mask);
            }
        }

        /// <summary>The value that is stored for this one; null for none.</summary>
        public Int128? Fit(Int128 value, Overflow overflow)
        {
            if (value >= Min && value <= Max)
            {
                return value;
            }

            switch (overflow)
            {
                case Overflow.Fail:
                    return null;
                case Overflow.Saturate:
                    return value > Max ? Max : Min;
                default:
                    Int128 wrapped = value & ((Int128.One << Bits) - 1);
                    return wrapped > Max ? wrapped - (Int128.One << Bits) : wrapped;
            }
        }
    }
}
