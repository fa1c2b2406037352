using System.Buffers.Text;

namespace Quorate.Cli.Load;

/// <summary>What a reply says, as far as a load needs to know.</summary>
internal enum ReplyKind : byte
{
    /// <summary>More bytes are needed.</summary>
    Incomplete = 0,
    Text = 1,
    Number = 2,
    Absent = 3,
    Error = 4,

    /// <summary>An array, a map and so on, passed over whole.</summary>
    Other = 5,

    /// <summary>These bytes are no reply.</summary>
    Broken = 6,
}

/// <summary>Reads one reply of the Redis protocol (version 2 or 3) from the beginning of some bytes.</summary>
internal static class ReplyParser
{
    /// <summary>Arrays within arrays.</summary>
    private const int DepthMax = 32;

    /// <param name="length">How many bytes it takes.</param>
    /// <param name="content">Text, number or error, without its frame.</param>
    public static ReplyKind Read(ReadOnlySpan<byte> bytes, out int length, out ReadOnlySpan<byte> content) =>
        Read(bytes, out length, out content, 0);

    private static ReplyKind Read(
        ReadOnlySpan<byte> bytes, out int length, out ReadOnlySpan<byte> content, int depth)
    {
        length = 0;
        content = default;
        int end = bytes.IndexOf((byte)'\n');
        if (end < 0)
        {
            return ReplyKind.Incomplete;
        }

        if (end < 2 || depth > DepthMax)
        {
            return ReplyKind.Broken;
        }

        ReadOnlySpan<byte> line = bytes[1..(end - 1)];
        length = end + 1;
        content = line;
        switch (bytes[0])
        {
            case (byte)'+':
            case (byte)',':
            case (byte)'#':
                return ReplyKind.Text;
            case (byte)':':
                return ReplyKind.Number;
            case (byte)'-':
                return ReplyKind.Error;
            case (byte)'_':
                return ReplyKind.Absent;
            case (byte)'$':
            case (byte)'=':
                return ReadBulk(bytes, line, ref length, out content);
            case (byte)'*':
            case (byte)'~':
            case (byte)'%':
            case (byte)'>':
                return ReadParts(bytes, line, ref length, depth);
            default:
                return ReplyKind.Broken;
        }
    }

    private static ReplyKind ReadBulk(
        ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> line, scoped ref int length, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (!Utf8Parser.TryParse(line, out int count, out _))
        {
            return ReplyKind.Broken;
        }

        if (count < 0)
        {
            return ReplyKind.Absent;
        }

        if (bytes.Length - length < (long)count + 2)
        {
            return ReplyKind.Incomplete;
        }

        content = bytes.Slice(length, count);
        length += count + 2;
        return ReplyKind.Text;
    }

    private static ReplyKind ReadParts(
        ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> line, scoped ref int length, int depth)
    {
        if (!Utf8Parser.TryParse(line, out long count, out _))
        {
            return ReplyKind.Broken;
        }

        if (count < 0)
        {
            return ReplyKind.Absent;
        }

        for (long parts = bytes[0] == (byte)'%' ? 2 * count : count; parts > 0; parts--)
        {
            ReplyKind part = Read(bytes[length..], out int partLength, out _, depth + 1);
            if (part is ReplyKind.Incomplete or ReplyKind.Broken)
            {
                return part;
            }

            length += partLength;
        }

        return ReplyKind.Other;
    }
}
