using System.Buffers.Binary;
using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Wire;
using Quorate.Simulator.Tracing;

namespace Quorate.Simulator.Clusters;

/// <summary>Words and digests of messages between nodes, for the trace.</summary>
internal static class LineText
{
    public static string Of(byte[] message) =>
        message[0] == (byte)PeerMessageKind.Raft
            && RaftWire.TryRead(message, out GroupId group, out RaftMessage raft, out _)
            ? string.Create(CultureInfo.InvariantCulture, $"g{group.Value} {TraceText.Of(raft)}")
            : string.Create(
                CultureInfo.InvariantCulture, $"{(PeerMessageKind)message[0]}, {message.Length} bytes");

    public static ulong DigestOf(ReadOnlySpan<byte> message)
    {
        ulong digest = (ulong)message.Length;
        for (; message.Length >= 8; message = message[8..])
        {
            digest = TraceHash.Mix(digest, BinaryPrimitives.ReadUInt64LittleEndian(message));
        }

        foreach (byte next in message)
        {
            digest = TraceHash.Mix(digest, next);
        }

        return digest;
    }
}
