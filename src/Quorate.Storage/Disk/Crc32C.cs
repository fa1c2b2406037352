using System.Buffers.Binary;
using System.Numerics;

namespace Quorate.Storage.Disk;

/// <summary>
/// The checksum of everything on disk: CRC32C (Castagnoli), by the processor's own instruction where it has one.
/// <para>Invariant: Of(a then b) equals Of(b, Of(a)), so that a checksum can be chained through pieces.</para>
/// </summary>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>, continued from <paramref name="before"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        uint crc = ~before;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
