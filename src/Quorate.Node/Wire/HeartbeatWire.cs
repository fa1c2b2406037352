using Quorate.Core.Model;
using Quorate.Node.Liveness;

namespace Quorate.Node.Wire;

/// <summary>
/// Heartbeats of nodes, version 1, little-endian: node (4), boot (8), bits (1: the receiver is heard, 2: the sender
/// stops), wall clock (8).
/// </summary>
internal static class HeartbeatWire
{
    private const byte Version = 1;
    private const byte HearsYou = 1;
    private const byte Stops = 2;

    public static void Write(WireWriter writer, in NodeHeartbeat beat)
    {
        writer.Begin(PeerMessageKind.Heartbeat, Version);
        writer.UInt32(beat.From.Value);
        writer.UInt64(beat.Boot);
        writer.Byte((byte)((beat.HearsYou ? HearsYou : 0) | (beat.IsStopping ? Stops : 0)));
        writer.Int64(beat.WallClock);
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out NodeHeartbeat beat, out string problem)
    {
        var reader = new WireReader(bytes);
        reader.Byte();
        if (reader.Byte() != Version)
        {
            reader.Fail("a heartbeat has a version that this build does not know");
        }

        NodeId from = new(reader.UInt32());
        ulong boot = reader.UInt64();
        byte bits = reader.Byte();
        if (bits > (HearsYou | Stops))
        {
            reader.Fail("a heartbeat has bits that this build does not know");
        }

        beat = new(from, boot, (bits & HearsYou) != 0, reader.Int64(), (bits & Stops) != 0);
        problem = reader.Problem ?? "bytes follow a heartbeat";
        return reader.IsWhole;
    }
}
