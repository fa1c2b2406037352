using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Quorate.Storage.Encryption;

/// <summary>
/// Encrypts the blocks of one file with AES-256-GCM. The file's key is derived from the data key and the file's salt
/// (32 random bytes, kept in the file in clear), so no two files share one, and a block's number serves as its nonce.
/// <para>Invariant: one salt is used for the writing of one file, so that no key and nonce ever meet two contents.
/// </para>
/// </summary>
public sealed class BlockCipher : IDisposable
{
    /// <summary>A file's salt, in bytes.</summary>
    public const int SaltBytes = 32;

    /// <summary>What the proof of authenticity adds to a block, in bytes.</summary>
    public const int TagBytes = 16;

    private const int NonceBytes = 12;

    private readonly KeyRing? _ring;
    private readonly AesGcm _cipher;
    private readonly byte[] _salt;
    private bool _isDisposed;

    /// <param name="ring">Where it counts as a reference to the key until it is disposed.</param>
    internal BlockCipher(KeyRing? ring, DataKey key, ReadOnlySpan<byte> salt)
    {
        _ring = ring;
        _cipher = key.Derive(salt, "quorate sstable 1"u8);
        _salt = salt.ToArray();
        KeyId = key.Id;
        ring?.Register(key.Id);
    }

    /// <summary>For a key that surely stays while the cipher is used.</summary>
    public BlockCipher(DataKey key, ReadOnlySpan<byte> salt)
        : this(null, key, salt)
    {
    }

    public uint KeyId { get; }

    public ReadOnlySpan<byte> Salt => _salt;

    /// <summary>Gives up the reference to the data key.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _cipher.Dispose();
            _ring?.Unregister(KeyId);
        }
    }

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
