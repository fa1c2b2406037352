using System.Security.Cryptography;

namespace Quorate.Storage.Encryption;

/// <summary>
/// A new data key as the metadata carries it, sealed by the master key: format (1 byte), salt (32), the key encrypted
/// (32), tag (16). The sealing key (AES-256-GCM) is derived from the master key and the salt, which is new for each
/// key, so that the nonce may be zero.
/// </summary>
public static class WrappedKey
{
    private const byte Format = 1;
    private const int SaltBytes = 32;
    private const int NonceBytes = 12;
    private const int BodyAt = 1 + SaltBytes;

    /// <summary>A wrapped key, in bytes.</summary>
    public const int WrappedBytes = BodyAt + DataKey.KeyBytes + BlockCipher.TagBytes;

    /// <summary>Draws a data key and wraps it. Its id is given later, by the metadata.</summary>
    public static byte[] New(MasterKey master, IEntropy entropy)
    {
        Span<byte> key = stackalloc byte[DataKey.KeyBytes];
        entropy.Fill(key);
        byte[] wrapped = new byte[WrappedBytes];
        wrapped[0] = Format;
        entropy.Fill(wrapped.AsSpan(1, SaltBytes));
        using (AesGcm cipher = CipherOf(master, wrapped))
        {
            cipher.Encrypt(
                stackalloc byte[NonceBytes], key, wrapped.AsSpan(BodyAt, DataKey.KeyBytes),
                wrapped.AsSpan(BodyAt + DataKey.KeyBytes), wrapped.AsSpan(0, BodyAt));
        }

        CryptographicOperations.ZeroMemory(key);
        return wrapped;
    }

    /// <summary>The data key; null when this master key does not open it, or it was changed.</summary>
    public static DataKey? TryOpen(ReadOnlySpan<byte> wrapped, MasterKey master, uint id)
    {
        if (wrapped.Length != WrappedBytes || wrapped[0] != Format)
        {
            return null;
        }

        Span<byte> key = stackalloc byte[DataKey.KeyBytes];
        try
        {
            using AesGcm cipher = CipherOf(master, wrapped);
            cipher.Decrypt(
                stackalloc byte[NonceBytes], wrapped.Slice(BodyAt, DataKey.KeyBytes),
                wrapped[(BodyAt + DataKey.KeyBytes)..], key, wrapped[..BodyAt]);
            return new(id, key);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static AesGcm CipherOf(MasterKey master, ReadOnlySpan<byte> wrapped)
    {
        Span<byte> derived = stackalloc byte[MasterKey.KeyBytes];
        master.Derive(wrapped.Slice(1, SaltBytes), "quorate data key 1"u8, derived);
        var cipher = new AesGcm(derived, BlockCipher.TagBytes);
        CryptographicOperations.ZeroMemory(derived);
        return cipher;
    }
}
