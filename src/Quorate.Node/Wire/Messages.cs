using Google.Protobuf;

namespace Quorate.Node.Wire;

/// <summary>Messages of Protobuf that come from elsewhere.</summary>
internal static class Messages
{
    /// <summary>A message; null when these bytes are none.</summary>
    public static T? ParseOrNull<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
