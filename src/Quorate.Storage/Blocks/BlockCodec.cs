using System.Buffers;
using System.Buffers.Binary;
using IronSnappy;
using Quorate.Core;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Blocks;

/// <summary>How blocks are compressed. The numbers are part of the file format.</summary>
public enum BlockCompression : byte
{
    None = 0,
    Snappy = 1,
}

/// <summary>
/// Turns the body of a block into what is stored in a file, and back: how it is compressed (1 byte), the body
/// compressed (or as it is when that gains nothing), then encrypted when there is a cipher (with its tag, 16 bytes),
/// then a CRC32C (4 bytes, little-endian) over the block's place and all that.
/// <para>Invariant: the place in the file (see <see cref="SSTableIdentity"/>) is part of the checksum and, with the
/// byte before the body, of what the cipher authenticates.</para>
/// </summary>
internal sealed class BlockCodec(SSTableIdentity identity, BlockCipher? cipher)
{
    /// <summary>A body, in bytes: a row of the largest value and row key, with room to spare.</summary>
    public const int BodyBytesMax = 96 * 1024 * 1024;

    private const int HeaderBytes = 1;
    private const int ChecksumBytes = sizeof(uint);

    /// <summary>What storing adds to a body at most, in bytes.</summary>
    public int OverheadBytes { get; } = HeaderBytes + ChecksumBytes + (cipher is null ? 0 : BlockCipher.TagBytes);

    /// <summary>Appends a block as it is stored; its length.</summary>
    public int Seal(
        ReadOnlySpan<byte> body, ulong block, BlockCompression compression, ArrayBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> content = body;
        if (compression == BlockCompression.Snappy)
        {
            byte[] compressed = Snappy.Encode(body);
            bool gains = compressed.Length < body.Length;
            content = gains ? compressed : body;
            compression = gains ? compression : BlockCompression.None;
        }

        int length = content.Length + OverheadBytes;
        Span<byte> stored = output.GetSpan(length)[..length];
        stored[0] = (byte)compression;
        Span<byte> place = stackalloc byte[SSTableIdentity.PlaceBytes + HeaderBytes];
        WritePlace(place, block, compression);
        if (cipher is null)
        {
            content.CopyTo(stored[HeaderBytes..]);
        }
        else
        {
            cipher.Encrypt(block, content, place, stored[HeaderBytes..^ChecksumBytes]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(stored[^ChecksumBytes..], Checksum(place, stored));
        output.Advance(length);
        return length;
    }

    /// <summary>
    /// The body of a stored block, of a length that is known from elsewhere; null with a problem, worded to follow
    /// "the block is damaged: ".
    /// </summary>
    public byte[]? TryOpen(ReadOnlySpan<byte> stored, ulong block, int bodyBytes, out string problem)
    {
        problem = "its length can not be right";
        if (stored.Length < OverheadBytes || (uint)bodyBytes > BodyBytesMax)
        {
            return null;
        }

        var compression = (BlockCompression)stored[0];
        Span<byte> place = stackalloc byte[SSTableIdentity.PlaceBytes + HeaderBytes];
        WritePlace(place, block, compression);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(stored[^ChecksumBytes..]);
        if (Guards.BlocksAreVerified && checksum != Checksum(place, stored))
        {
            problem = "its checksum does not match";
            return null;
        }

        ReadOnlySpan<byte> content = stored[HeaderBytes..^ChecksumBytes];
        if (cipher is null)
        {
            problem = "it can not be decompressed";
            return Decompress(content, compression, bodyBytes);
        }

        return TryOpenEncrypted(content, place, block, compression, bodyBytes, out problem);
    }

    private byte[]? TryOpenEncrypted(
        ReadOnlySpan<byte> content, ReadOnlySpan<byte> place, ulong block, BlockCompression compression, int bodyBytes,
        out string problem)
    {
        problem = "it can not be decrypted with its key";
        int plainBytes = content.Length - BlockCipher.TagBytes;
        if (compression == BlockCompression.None && plainBytes == bodyBytes)
        {
            byte[] body = GC.AllocateUninitializedArray<byte>(bodyBytes);
            return cipher!.TryDecrypt(block, content, place, body) ? body : null;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(plainBytes);
        Span<byte> plain = rented.AsSpan(0, plainBytes);
        byte[]? decoded = null;
        if (cipher!.TryDecrypt(block, content, place, plain))
        {
            problem = "it can not be decompressed";
            decoded = Decompress(plain, compression, bodyBytes);
        }

        // Others rent it next, and it holds a plaintext.
        plain.Clear();
        ArrayPool<byte>.Shared.Return(rented);
        return decoded;
    }

    private static byte[]? Decompress(ReadOnlySpan<byte> content, BlockCompression compression, int bodyBytes)
    {
        switch (compression)
        {
            case BlockCompression.None:
                return content.Length == bodyBytes ? content.ToArray() : null;
            case BlockCompression.Snappy:
                byte[] body = GC.AllocateUninitializedArray<byte>(bodyBytes);
                return SnappyDecoder.TryDecode(content, body) ? body : null;
            default:
                return null;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> place, ReadOnlySpan<byte> stored) =>
        Crc32C.Of(stored[..^ChecksumBytes], Crc32C.Of(place));

    private void WritePlace(Span<byte> to, ulong block, BlockCompression compression)
    {
        SSTableIdentity named = Guards.BlocksNameTheirPlace ? identity : default;
        named.WritePlace(to, Guards.BlocksNameTheirPlace ? block : 0);
        to[^1] = (byte)compression;
    }
}
