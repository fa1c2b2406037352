using Quorate.Node.Liveness;

namespace Quorate.Node.Wire;

/// <summary>
/// Heartbeats of nodes, version 1, little-endian: node (4), boot (8), whether the receiver is heard (1), wall clock
/// (8).
/// </summary>
internal static class HeartbeatWire
{
    private const byte Version = 1;

    public static void Write(WireWriter writer, in NodeHeartbeat beat)
    {
        writer.Begin(PeerMessageKind.Heartbeat, Version);
        writer.UInt32(beat.From.Value);
        writer.UInt64(beat.Boot);
        writer.Flag(beat.HearsYou);
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

        beat = new(new(reader.UInt32()), reader.UInt64(), reader.Flag(), reader.Int64());
        problem = reader.Problem ?? "bytes follow a heartbeat";
        return reader.IsWhole;
    }
}
