using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Server.Peers;

/// <summary>What a frame is. The first values are those of the classes of messages.</summary>
internal enum FrameKind : byte
{
    Urgent = 1,
    Log = 2,
    Requests = 3,
    Bulk = 4,

    /// <summary>Are you there? Answered by Pong, on the way back.</summary>
    Ping = 16,

    Pong = 17,

    /// <summary>On the way back: so many bytes more may be sent.</summary>
    Credit = 18,
}

/// <summary>
/// The head of a frame, and the format: length of the payload (4 bytes), CRC32C of all that follows (4), kind (1),
/// flags (1), zero (2), a number (4): of a message's first frame how long the message is, of Credit how much. All
/// numbers are little-endian. A message that does not fit goes in several frames, those of one class in their order.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Frame(int PayloadBytes, FrameKind Kind, bool IsFirst, bool IsLast, uint Number)
{
    public const int HeadBytes = 16;

    /// <summary>A frame with its head.</summary>
    public const int BytesMax = 64 * 1024;

    public const int PayloadBytesMax = BytesMax - HeadBytes;

    private const int ChecksumAt = 4;
    private const int KindAt = 8;
    private const int FlagsAt = 9;
    private const int NumberAt = 12;
    private const byte FirstFlag = 1;
    private const byte LastFlag = 2;

    /// <summary>Writes the head before a payload that is there already; the whole frame's length.</summary>
    public int Seal(Span<byte> frame)
    {
        Seal(frame[..HeadBytes], frame.Slice(HeadBytes, PayloadBytes));
        return HeadBytes + PayloadBytes;
    }

    /// <summary>Writes the head of a frame whose payload is elsewhere.</summary>
    public void Seal(Span<byte> frame, ReadOnlySpan<byte> payload)
    {
        Invariant.Check(
            PayloadBytes is >= 0 and <= PayloadBytesMax && payload.Length == PayloadBytes,
            "a payload fits into a frame");
        BinaryPrimitives.WriteInt32LittleEndian(frame, PayloadBytes);
        frame[KindAt] = (byte)Kind;
        frame[FlagsAt] = (byte)((IsFirst ? FirstFlag : 0) | (IsLast ? LastFlag : 0));
        frame[FlagsAt + 1] = 0;
        frame[FlagsAt + 2] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(frame[NumberAt..], Number);
        uint checksum = Crc32C.Of(payload, Crc32C.Of(frame[KindAt..HeadBytes]));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumAt..], checksum);
    }

    /// <summary>
    /// Reads the frame at the start of what has come. False while it is not whole; <paramref name="problem"/> when it
    /// never will be: the connection is of no use any more.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Frame frame, out string? problem)
    {
        frame = default;
        problem = null;
        if (bytes.Length < HeadBytes)
        {
            return false;
        }

        int payload = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (payload is < 0 or > PayloadBytesMax && Guards.FramesAreBounded)
        {
            problem = "a frame of impossible length came";
            return false;
        }

        int length = HeadBytes + payload;
        if (bytes.Length < length)
        {
            return false;
        }

        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]);
        if (checksum != Crc32C.Of(bytes[KindAt..length]))
        {
            problem = "a frame came damaged";
            return false;
        }

        byte flags = bytes[FlagsAt];
        uint number = BinaryPrimitives.ReadUInt32LittleEndian(bytes[NumberAt..]);
        var kind = (FrameKind)bytes[KindAt];
        frame = new(payload, kind, (flags & FirstFlag) != 0, (flags & LastFlag) != 0, number);
        return true;
    }
}
