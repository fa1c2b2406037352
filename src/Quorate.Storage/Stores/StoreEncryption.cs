using Quorate.Core.Model;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Stores;

/// <summary>How a store encrypts what it writes, and decrypts what it reads.</summary>
/// <param name="Keys">
/// The data keys that the node holds; a retired one stays while a file needs it (pitfall S9).
/// </param>
/// <param name="KeyId">The one that new files are written with.</param>
/// <param name="NewSalt">Gives random bytes, never the same twice: a source of the host.</param>
public sealed record StoreEncryption(KeyRing Keys, uint KeyId, Func<byte[]> NewSalt)
{
    internal BlockCipher NewCipher()
    {
        DataKey? key = Keys.Find(KeyId);
        Invariant.Check(key is not null, $"the data key {KeyId} that files are written with is held");
        byte[] salt = NewSalt();
        Invariant.Check(salt.Length == BlockCipher.SaltBytes, $"a salt has {BlockCipher.SaltBytes} bytes");
        return new(key, salt);
    }
}
