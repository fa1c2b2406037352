using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Liveness;

namespace Quorate.Node.Wire;

/// <summary>
/// Heartbeats of nodes, version 2, little-endian: node (4), boot (8), bits (1: the receiver is heard, 2: the sender
/// stops, 4 an address follows), wall clock (8), time (8), where it follows the length (4) and bytes of the address.
/// </summary>
internal static class HeartbeatWire
{
    private const byte Version = 2;
    private const byte HearsYou = 1;
    private const byte Stops = 2;
    private const byte HasAddress = 4;
    private const int AddressBytesMax = 4096;

    public static void Write(WireWriter writer, in NodeHeartbeat beat)
    {
        writer.Begin(PeerMessageKind.Heartbeat, Version);
        writer.UInt32(beat.From.Value);
        writer.UInt64(beat.Boot);
        int bits = (beat.HearsYou ? HearsYou : 0) | (beat.IsStopping ? Stops : 0);
        writer.Byte((byte)(bits | (beat.PeerAddress is null ? 0 : HasAddress)));
        writer.Int64(beat.WallClock);
        writer.Int64(beat.Time);
        if (beat.PeerAddress is { } address)
        {
            writer.Counted(Encoding.UTF8.GetBytes(address));
        }
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
        if (bits > (HearsYou | Stops | HasAddress))
        {
            reader.Fail("a heartbeat has bits that this build does not know");
        }

        long wallClock = reader.Int64();
        long time = reader.Int64();
        ReadOnlySpan<byte> name = (bits & HasAddress) != 0 ? reader.Counted() : default;
        if (name.Length > AddressBytesMax)
        {
            reader.Fail("a heartbeat has an address that is too long");
        }

        string? address = (bits & HasAddress) != 0 && reader.IsWhole ? Encoding.UTF8.GetString(name) : null;
        beat = new(from, boot, (bits & HearsYou) != 0, wallClock, (bits & Stops) != 0, address, time);
        problem = reader.Problem ?? "bytes follow a heartbeat";
        return reader.IsWhole;
    }
}
