using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp;

/// <summary>Replies that the endpoint makes itself, in RESP3.</summary>
internal static class Replies
{
    public static readonly ReadOnlyMemory<byte> Ok = "+OK\r\n"u8.ToArray();
    public static readonly ReadOnlyMemory<byte> Pong = "+PONG\r\n"u8.ToArray();
    public static readonly ReadOnlyMemory<byte> Queued = "+QUEUED\r\n"u8.ToArray();
    public static readonly ReadOnlyMemory<byte> Null = "_\r\n"u8.ToArray();

    public static ReadOnlyMemory<byte> Error(string text) => Of(reply => reply.Error(text));

    public static ReadOnlyMemory<byte> Integer(long value) => Of(reply => reply.Integer(value));

    public static ReadOnlyMemory<byte> Bulk(ReadOnlySpan<byte> bytes)
    {
        var reply = new Reply();
        reply.Bulk(bytes);
        return reply.ToArray();
    }

    public static ReadOnlyMemory<byte> Of(Action<Reply> write)
    {
        var reply = new Reply();
        write(reply);
        return reply.ToArray();
    }
}
