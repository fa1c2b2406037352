using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Quorate.Storage.Encryption;

/// <summary>
/// Encrypts the blocks of one file with AES-256-GCM. The file's key is derived from the data key and the file's salt
/// (32 random bytes, kept in the file in clear), so no two files share one, and a block's number serves as its nonce.
/// <para>Invariant: one salt is used for the writing of one file, so that no key and nonce ever meet two contents.
/// </para>
/// </summary>
public sealed class BlockCipher(DataKey key, ReadOnlySpan<byte> salt) : IDisposable
{
    /// <summary>A file's salt, in bytes.</summary>
    public const int SaltBytes = 32;

    /// <summary>What the proof of authenticity adds to a block, in bytes.</summary>
    public const int TagBytes = 16;

    private const int NonceBytes = 12;

    private readonly AesGcm _cipher = key.Derive(salt, "quorate sstable 1"u8);
    private readonly byte[] _salt = salt.ToArray();

    public uint KeyId { get; } = key.Id;

    public ReadOnlySpan<byte> Salt => _salt;

    public void Dispose() => _cipher.Dispose();

    /// <summary>Writes the ciphertext and then the tag, together as long as the plaintext and the tag.</summary>
    internal void Encrypt(ulong block, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> associated, Span<byte> to)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, block);
        _cipher.Encrypt(nonce, plain, to[..plain.Length], to[plain.Length..], associated);
    }

    /// <summary>False when it was not encrypted so: another key, another place, or other bytes.</summary>
    internal bool TryDecrypt(ulong block, ReadOnlySpan<byte> stored, ReadOnlySpan<byte> associated, Span<byte> to)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, block);
        try
        {
            _cipher.Decrypt(nonce, stored[..^TagBytes], stored[^TagBytes..], to, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}
