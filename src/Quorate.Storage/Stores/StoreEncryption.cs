using Quorate.Storage.Encryption;

namespace Quorate.Storage.Stores;

/// <summary>How a store encrypts what it writes, and decrypts what it reads.</summary>
/// <param name="Keys">
/// The data keys that the node holds; a retired one stays while a file needs it (pitfall S9).
/// </param>
/// <param name="Current">The one that new files are written with, whichever it is at that time.</param>
/// <param name="Entropy">Where each file's salt comes from.</param>
public sealed record StoreEncryption(KeyRing Keys, CurrentKey Current, IEntropy Entropy)
{
    /// <summary>For a key that is never exchanged.</summary>
    public StoreEncryption(KeyRing keys, uint keyId, IEntropy entropy)
        : this(keys, new CurrentKey(keyId), entropy)
    {
    }

    /// <summary>The id of the key that counts now.</summary>
    public uint KeyId => Current.Id;

    /// <summary>For a new file; it holds on to the key until it is disposed.</summary>
    internal BlockCipher NewCipher() => Keys.NewCipher(Current.Id, Entropy);
}
