using System.Buffers.Binary;
using System.Security.Cryptography;
using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Encryption;

/// <summary>What came of reading a file of data keys.</summary>
internal enum KeyRingReading : byte
{
    Read,

    /// <summary>Its bytes are not what was written.</summary>
    Damaged,

    /// <summary>A format of another version.</summary>
    OtherVersion,

    /// <summary>It was wrapped with another master key.</summary>
    WrongMasterKey,
}

/// <summary>
/// A ring of data keys as bytes: magic (8), format version (4), salt (32), check value (16), the keys, sealed, with
/// their tag (16), CRC32C of all that (4); little-endian. Sealed with AES-256-GCM are: the next id (4), the number of
/// keys (4), and for each its id (4), whether it is retired (1), its bytes (32).
/// <para>The sealing key and the check value are both derived from the master key and the salt, which is new in every
/// writing, so that the nonce may be zero and a wrong master key is told apart from damage.</para>
/// </summary>
internal static class KeyRingFormat
{
    /// <summary>The largest file that can be right, in bytes.</summary>
    public const int BytesMax = HeaderBytes + BodyHeaderBytes + (KeyRing.KeysMax * KeyEntryBytes) + TrailerBytes;

    private const int SaltAt = 12;
    private const int CheckAt = 44;
    private const int CheckBytes = 16;
    private const int HeaderBytes = CheckAt + CheckBytes;
    private const int BodyHeaderBytes = 8;
    private const int KeyEntryBytes = 5 + DataKey.KeyBytes;
    private const int TrailerBytes = BlockCipher.TagBytes + sizeof(uint);
    private const int NonceBytes = 12;
    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "quorkey\n"u8;

    /// <summary>How many keys a whole file of this length holds.</summary>
    public static int CountOf(int fileBytes) =>
        Math.Max(0, fileBytes - HeaderBytes - BodyHeaderBytes - TrailerBytes) / KeyEntryBytes;

    public static byte[] Encode(KeyRing ring, MasterKey master, IEntropy entropy)
    {
        byte[] body = new byte[BodyHeaderBytes + (ring.Ids.Count * KeyEntryBytes)];
        BinaryPrimitives.WriteUInt32LittleEndian(body, ring.NextId);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), ring.Ids.Count);
        int at = BodyHeaderBytes;
        foreach (uint id in ring.Ids)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(at), id);
            body[at + 4] = (byte)(ring.IsRetired(id) ? 1 : 0);
            ring.Find(id)!.Bytes.CopyTo(body.AsSpan(at + 5));
            at += KeyEntryBytes;
        }

        byte[] file = new byte[HeaderBytes + body.Length + TrailerBytes];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), Version);
        entropy.Fill(file.AsSpan(SaltAt, CheckAt - SaltAt));
        Derive(master, file, file.AsSpan(CheckAt, CheckBytes), out AesGcm cipher);
        using (cipher)
        {
            Span<byte> to = file.AsSpan(HeaderBytes);
            cipher.Encrypt(
                stackalloc byte[NonceBytes], body, to[..body.Length], to.Slice(body.Length, BlockCipher.TagBytes),
                file.AsSpan(0, HeaderBytes));
        }

        CryptographicOperations.ZeroMemory(body);
        uint checksum = Crc32C.Of(file.AsSpan(0, file.Length - sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - sizeof(uint)), checksum);
        return file;
    }

    public static KeyRingReading TryDecode(ReadOnlySpan<byte> file, MasterKey master, KeyRing ring)
    {
        int bodyBytes = file.Length - HeaderBytes - TrailerBytes;
        if (bodyBytes < BodyHeaderBytes || file.Length > BytesMax || !file.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(file[^4..]) != Crc32C.Of(file[..^4]))
        {
            return KeyRingReading.Damaged;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(file[8..]) != Version)
        {
            return KeyRingReading.OtherVersion;
        }

        Span<byte> check = stackalloc byte[CheckBytes];
        Derive(master, file, check, out AesGcm cipher);
        using (cipher)
        {
            bool isMatch = CryptographicOperations.FixedTimeEquals(check, file.Slice(CheckAt, CheckBytes));
            if (!isMatch && Guards.MasterKeyIsProven)
            {
                return KeyRingReading.WrongMasterKey;
            }

            byte[] body = new byte[bodyBytes];
            try
            {
                cipher.Decrypt(
                    stackalloc byte[NonceBytes], file.Slice(HeaderBytes, bodyBytes),
                    file.Slice(HeaderBytes + bodyBytes, BlockCipher.TagBytes), body, file[..HeaderBytes]);
            }
            catch (AuthenticationTagMismatchException)
            {
                return KeyRingReading.Damaged;
            }

            bool isRead = TryDecodeBody(body, ring);
            CryptographicOperations.ZeroMemory(body);
            return isRead ? KeyRingReading.Read : KeyRingReading.Damaged;
        }
    }

    private static bool TryDecodeBody(ReadOnlySpan<byte> body, KeyRing ring)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        if (count < 0 || count > KeyRing.KeysMax || body.Length != BodyHeaderBytes + (count * KeyEntryBytes))
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = body.Slice(BodyHeaderBytes + (i * KeyEntryBytes), KeyEntryBytes);
            uint id = BinaryPrimitives.ReadUInt32LittleEndian(entry);
            if (id == DataKey.NoId || ring.Find(id) is not null)
            {
                return false;
            }

            ring.Add(new(id, entry[5..]));
            ring.MarkSaved(id);
            if (entry[4] != 0)
            {
                ring.Retire(id);
            }
        }

        ring.ContinueFrom(BinaryPrimitives.ReadUInt32LittleEndian(body));
        return true;
    }

    private static void Derive(MasterKey master, ReadOnlySpan<byte> file, Span<byte> check, out AesGcm cipher)
    {
        Span<byte> derived = stackalloc byte[MasterKey.KeyBytes + CheckBytes];
        master.Derive(file[SaltAt..CheckAt], "quorate keys 1"u8, derived);
        derived[MasterKey.KeyBytes..].CopyTo(check);
        cipher = new(derived[..MasterKey.KeyBytes], BlockCipher.TagBytes);
        CryptographicOperations.ZeroMemory(derived);
    }
}
