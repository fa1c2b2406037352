using Quorate.Storage.Encryption;

namespace Quorate.Storage.Stores;

/// <summary>How a store encrypts what it writes, and decrypts what it reads.</summary>
/// <param name="Keys">
/// The data keys that the node holds; a retired one stays while a file needs it (pitfall S9).
/// </param>
/// <param name="KeyId">The one that new files are written with.</param>
/// <param name="Entropy">Where each file's salt comes from.</param>
public sealed record StoreEncryption(KeyRing Keys, uint KeyId, IEntropy Entropy)
{
    /// <summary>For a new file; it holds on to the key until it is disposed.</summary>
    internal BlockCipher NewCipher() => Keys.NewCipher(KeyId, Entropy);
}
