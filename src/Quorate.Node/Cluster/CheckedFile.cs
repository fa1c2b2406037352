using System.Buffers.Binary;
using Google.Protobuf;
using Quorate.Storage.Disk;

namespace Quorate.Node.Cluster;

/// <summary>What came of reading the bytes of a <see cref="CheckedFile"/>.</summary>
internal enum CheckedReading : byte
{
    Read,
    Damaged,
    OtherVersion,
}

/// <summary>
/// The bytes of a file that holds one protobuf message: magic (8), version (4, little-endian), the message, CRC32C of
/// all before (4).
/// </summary>
internal static class CheckedFile
{
    private const uint Version = 1;
    private const int HeaderBytes = 12;

    public static byte[] Encode(ReadOnlySpan<byte> magic, IMessage message)
    {
        byte[] bytes = new byte[HeaderBytes + message.CalculateSize() + sizeof(uint)];
        magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        message.WriteTo(bytes.AsSpan(HeaderBytes, bytes.Length - HeaderBytes - sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan()[..^4]));
        return bytes;
    }

    public static CheckedReading TryDecode<T>(
        ReadOnlySpan<byte> magic, ReadOnlySpan<byte> bytes, MessageParser<T> parser, out T? message)
        where T : class, IMessage<T>
    {
        message = null;
        if (bytes.Length < HeaderBytes + sizeof(uint) || !bytes.StartsWith(magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) != Crc32C.Of(bytes[..^4]))
        {
            return CheckedReading.Damaged;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Version)
        {
            return CheckedReading.OtherVersion;
        }

        try
        {
            message = parser.ParseFrom(bytes[HeaderBytes..^4]);
            return CheckedReading.Read;
        }
        catch (InvalidProtocolBufferException)
        {
            return CheckedReading.Damaged;
        }
    }
}
