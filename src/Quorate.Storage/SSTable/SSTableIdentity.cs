using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Which file this is: the partition that it was written for, and its number there. It is part of the checksum (and of
/// the authenticated data, when encrypted) of every block, so that a block in another place or file is refused. A file
/// that is shipped to another node, or shared by a split, keeps it.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SSTableIdentity(GroupId Partition, ulong File)
{
    /// <summary>A place in a file, as bytes.</summary>
    internal const int PlaceBytes = 20;

    /// <summary>Writes the place of a block: partition (4 bytes), file (8), block (8), little-endian.</summary>
    internal void WritePlace(Span<byte> to, ulong block)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Partition.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[4..], File);
        BinaryPrimitives.WriteUInt64LittleEndian(to[12..], block);
    }
}
