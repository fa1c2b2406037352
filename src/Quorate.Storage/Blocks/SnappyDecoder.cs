using System.Buffers.Binary;

namespace Quorate.Storage.Blocks;

/// <summary>
/// Decodes the Snappy format (google/snappy, format_description.txt: a varint with the decoded length, then literals
/// and copies) into memory that the caller has measured out. Damage is a result and not an exception, and nothing is
/// allocated: the length in the bytes is compared, never believed (pitfall S6).
/// </summary>
internal static class SnappyDecoder
{
    private const int Literal = 0;
    private const int CopyWithOneByte = 1;
    private const int CopyWithTwoBytes = 2;

    /// <summary>
    /// Literals of up to this many bytes carry their length in the tag; longer ones in the bytes after it.
    /// </summary>
    private const int ShortLiteralMax = 60;

    /// <summary>False when the bytes are not Snappy's, or do not decode to exactly the destination's length.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, Span<byte> to)
    {
        int at = 0;
        if (!Varint.TryRead(from, ref at, out int length) || length != to.Length)
        {
            return false;
        }

        int written = 0;
        while (at < from.Length)
        {
            byte tag = from[at++];
            bool went = (tag & 3) == Literal
                ? TryLiteral(tag, from, ref at, to, ref written)
                : TryCopy(tag, from, ref at, to, ref written);
            if (!went)
            {
                return false;
            }
        }

        return written == to.Length;
    }

    private static bool TryLiteral(byte tag, ReadOnlySpan<byte> from, ref int at, Span<byte> to, ref int written)
    {
        uint length = (uint)(tag >> 2);
        if (length >= ShortLiteralMax)
        {
            int bytes = (int)length - ShortLiteralMax + 1;
            if (bytes > from.Length - at)
            {
                return false;
            }

            length = 0;
            for (int i = 0; i < bytes; i++)
            {
                length |= (uint)from[at++] << (8 * i);
            }
        }

        if (length >= (uint)(from.Length - at) || length >= (uint)(to.Length - written))
        {
            return false;
        }

        int count = (int)length + 1;
        from.Slice(at, count).CopyTo(to[written..]);
        at += count;
        written += count;
        return true;
    }

    private static bool TryCopy(byte tag, ReadOnlySpan<byte> from, ref int at, Span<byte> to, ref int written)
    {
        int kind = tag & 3;
        int offsetBytes = kind == CopyWithOneByte ? 1 : kind == CopyWithTwoBytes ? 2 : 4;
        if (offsetBytes > from.Length - at)
        {
            return false;
        }

        int length = kind == CopyWithOneByte ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
        uint offset = kind switch
        {
            CopyWithOneByte => (uint)((tag >> 5) << 8) | from[at],
            CopyWithTwoBytes => BinaryPrimitives.ReadUInt16LittleEndian(from[at..]),
            _ => BinaryPrimitives.ReadUInt32LittleEndian(from[at..]),
        };
        at += offsetBytes;
        if (offset == 0 || offset > (uint)written || length > to.Length - written)
        {
            return false;
        }

        int source = written - (int)offset;
        if (offset >= (uint)length)
        {
            to.Slice(source, length).CopyTo(to[written..]);
        }
        else
        {
            // The copy reads what it has just written: a run.
            for (int i = 0; i < length; i++)
            {
                to[written + i] = to[source + i];
            }
        }

        written += length;
        return true;
    }
}
