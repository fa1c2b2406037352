using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Quorate.Core.Model;

namespace Quorate.Storage.Encryption;

/// <summary>
/// A keyspace's data key: 32 random bytes under an id that is never used for another. Nothing is encrypted with it;
/// every use derives a key of its own from it (HKDF-SHA256, RFC 5869).
/// </summary>
public sealed class DataKey
{
    /// <summary>The id that says "not encrypted".</summary>
    public const uint NoId = 0;

    /// <summary>A key's size, in bytes.</summary>
    public const int KeyBytes = 32;

    private readonly byte[] _key;

    public DataKey(uint id, ReadOnlySpan<byte> key)
    {
        Invariant.Check(id != NoId, "a data key has an id");
        Invariant.Check(key.Length == KeyBytes, "a data key has 32 bytes");
        Id = id;
        _key = key.ToArray();
    }

    public uint Id { get; }

    internal ReadOnlySpan<byte> Bytes => _key;

    /// <summary>It shows its id alone: secrets belong in no log (pitfall S10).</summary>
    public override string ToString() => $"data key {Id}";

    /// <summary>An AES-256-GCM key for one use, told apart from all others by salt and purpose.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "It is the caller's.")]
    internal AesGcm Derive(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> purpose)
    {
        Span<byte> derived = stackalloc byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, derived, salt, purpose);
        var cipher = new AesGcm(derived, BlockCipher.TagBytes);
        CryptographicOperations.ZeroMemory(derived);
        return cipher;
    }
}
