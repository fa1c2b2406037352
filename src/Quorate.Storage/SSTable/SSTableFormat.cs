using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.SSTable;

/// <summary>Where one of the blocks behind the data lies.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct MetaBlock(long Offset, int StoredBytes, int BodyBytes)
{
    public const int EncodedBytes = 16;

    public long End => Offset + StoredBytes;

    public static MetaBlock Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt64LittleEndian(from),
        BinaryPrimitives.ReadInt32LittleEndian(from[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[12..]));

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], StoredBytes);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], BodyBytes);
    }
}

/// <summary>
/// A sorted file: rows in the order of their row keys, never changed once written (O'Neil and others, "The
/// log-structured merge-tree", 1996; the shape is that of LevelDB's tables).
/// <code>
/// data block 0, data block 1, ...      a BlockCodec frame each; the body is that of a Block
/// index block                          SSTableIndex
/// filter block                         BloomFilter, over KeyHash.Of(row key)
/// properties block                     SSTableInfo, see EncodeProperties
/// footer, 144 bytes, in clear:
///   magic (8), format version (4), id of the data key (4; zero: not encrypted), salt (32), partition (4),
///   reserved (4), file number (8), index, filter and properties (16 each: offset 8, stored length 4, length of
///   the body 4), length of the file (8), reserved (20), CRC32C of all that (4); little-endian
/// </code>
/// <para>Invariants: these parts lie one behind the other without a gap, so that every byte of the file is under a
/// checksum that names its place. In an encrypted file all but the footer is encrypted: index, filter and properties
/// hold row keys.</para>
/// </summary>
internal sealed record SSTableFooter(
    SSTableIdentity Identity, uint KeyId, byte[] Salt, MetaBlock Index, MetaBlock Filter, MetaBlock Properties)
{
    public const int Bytes = 144;

    private const int ChecksumAt = Bytes - sizeof(uint);
    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "quorsst\n"u8;

    public long FileBytes => Properties.End + Bytes;

    /// <summary>Of the last bytes of a file; null with what is wrong.</summary>
    public static SSTableFooter? TryDecode(ReadOnlySpan<byte> bytes, long fileBytes, out string problem)
    {
        problem = "the footer's checksum does not match";
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Crc32C.Of(bytes[..ChecksumAt]))
        {
            return null;
        }

        if (!bytes.StartsWith(Magic))
        {
            problem = "it is no sorted file";
            return null;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Version)
        {
            problem = "its format is of another version";
            return null;
        }

        problem = "its parts do not lie one behind the other";
        var footer = new SSTableFooter(
            new(new(BinaryPrimitives.ReadUInt32LittleEndian(bytes[48..])),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..])),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            bytes.Slice(16, BlockCipher.SaltBytes).ToArray(),
            MetaBlock.Read(bytes[64..]),
            MetaBlock.Read(bytes[80..]),
            MetaBlock.Read(bytes[96..]));
        return footer.IsContiguous(fileBytes)
            && BinaryPrimitives.ReadInt64LittleEndian(bytes[112..]) == fileBytes
            ? footer
            : null;
    }

    public byte[] Encode()
    {
        byte[] bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), KeyId);
        Salt.CopyTo(bytes, 16);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(48), Identity.Partition.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), Identity.File);
        Index.Write(bytes.AsSpan(64));
        Filter.Write(bytes.AsSpan(80));
        Properties.Write(bytes.AsSpan(96));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(112), FileBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Crc32C.Of(bytes.AsSpan(0, ChecksumAt)));
        return bytes;
    }

    private bool IsContiguous(long fileBytes) =>
        Index.Offset >= 0 && Index.StoredBytes >= 0 && Filter.StoredBytes >= 0 && Properties.StoredBytes >= 0
        && Index.Offset <= fileBytes
        && Filter.Offset == Index.End
        && Properties.Offset == Filter.End
        && FileBytes == fileBytes;
}

/// <summary>The numbers under which the blocks behind the data name their place; data blocks count from zero.</summary>
internal static class SSTableBlocks
{
    public const ulong Index = 1UL << 32;
    public const ulong Filter = Index + 1;
    public const ulong Properties = Index + 2;
}

/// <summary>
/// The properties of a sorted file as bytes: rows, tombstones, bytes of rows, least and greatest version, least expiry,
/// index of creation (8 bytes each), number of data blocks, lengths of the first and of the last row key (4 bytes
/// each), both row keys; little-endian.
/// </summary>
internal static class SSTableProperties
{
    private const int FixedBytes = (7 * sizeof(long)) + (3 * sizeof(int));

    public static byte[] Encode(SSTableInfo info)
    {
        byte[] bytes = new byte[FixedBytes + info.Smallest.Length + info.Largest.Length];
        Span<byte> to = bytes;
        BinaryPrimitives.WriteInt64LittleEndian(to, info.Rows);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], info.Tombstones);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], info.RowBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], info.VersionMin.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], info.VersionMax.Packed);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], info.ExpiryMin);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], info.CreatedAt.Value);
        BinaryPrimitives.WriteInt32LittleEndian(to[56..], info.BlockCount);
        BinaryPrimitives.WriteInt32LittleEndian(to[60..], info.Smallest.Length);
        BinaryPrimitives.WriteInt32LittleEndian(to[64..], info.Largest.Length);
        info.Smallest.Span.CopyTo(to[FixedBytes..]);
        info.Largest.Span.CopyTo(to[(FixedBytes + info.Smallest.Length)..]);
        return bytes;
    }

    /// <summary>Null when the lengths do not fit.</summary>
    public static SSTableInfo? TryDecode(ReadOnlyMemory<byte> body, SSTableFooter footer)
    {
        ReadOnlySpan<byte> from = body.Span;
        if (from.Length < FixedBytes)
        {
            return null;
        }

        int smallest = BinaryPrimitives.ReadInt32LittleEndian(from[60..]);
        int largest = BinaryPrimitives.ReadInt32LittleEndian(from[64..]);
        if (smallest < 0 || largest < 0 || FixedBytes + (long)smallest + largest != from.Length)
        {
            return null;
        }

        return new SSTableInfo
        {
            Identity = footer.Identity,
            FileBytes = footer.FileBytes,
            KeyId = footer.KeyId,
            Rows = BinaryPrimitives.ReadInt64LittleEndian(from),
            Tombstones = BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            RowBytes = BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            VersionMin = new(BinaryPrimitives.ReadUInt64LittleEndian(from[24..])),
            VersionMax = new(BinaryPrimitives.ReadUInt64LittleEndian(from[32..])),
            ExpiryMin = BinaryPrimitives.ReadInt64LittleEndian(from[40..]),
            CreatedAt = new(BinaryPrimitives.ReadUInt64LittleEndian(from[48..])),
            BlockCount = BinaryPrimitives.ReadInt32LittleEndian(from[56..]),
            Smallest = body.Slice(FixedBytes, smallest),
            Largest = body.Slice(FixedBytes + smallest, largest),
        };
    }
}
