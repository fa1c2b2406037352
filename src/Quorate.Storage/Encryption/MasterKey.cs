using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Quorate.Storage.Encryption;

/// <summary>
/// The key that wraps the cluster's data keys: 32 bytes from a file that the operator names, which is not in the data
/// folder. It opens nothing but the wrapped data keys, which the metadata carries.
/// </summary>
public sealed class MasterKey
{
    /// <summary>A master key, in bytes.</summary>
    public const int KeyBytes = 32;

    private const int HexDigits = 2 * KeyBytes;
    private const int Base64Characters = 44;

    private readonly byte[] _key;

    private MasterKey(byte[] key, string source)
    {
        _key = key;
        Source = source;
    }

    /// <summary>The file that it came from, for sentences.</summary>
    public string Source { get; }

    /// <summary>
    /// Of the bytes of a key file: 64 hexadecimal digits or base64, with blanks and line ends around them, or 32 raw
    /// bytes. Null with a sentence when they are neither; it shows nothing of what was read.
    /// </summary>
    public static MasterKey? TryParse(ReadOnlySpan<byte> content, string source, out string sentence)
    {
        sentence = "";
        ReadOnlySpan<byte> text = content.Trim(" \t\r\n"u8);
        byte[] key = new byte[KeyBytes];
        bool isText = text.Length switch
        {
            HexDigits => Convert.FromHexString(text, key, out _, out int written) == OperationStatus.Done
                && written == KeyBytes,
            Base64Characters => Base64.DecodeFromUtf8(text, key, out _, out int written) == OperationStatus.Done
                && written == KeyBytes,
            _ => false,
        };
        if (isText)
        {
            return new(key, source);
        }

        if (content.Length == KeyBytes)
        {
            return new(content.ToArray(), source);
        }

        sentence = $"The master key in {source} is malformed: the file has {content.Length} bytes, and it must hold "
            + "32 bytes, raw, as 64 hexadecimal digits, or in base64. Make one with: openssl rand -hex 32.";
        return null;
    }

    /// <summary>It shows where it came from alone: secrets belong in no log (pitfall S10).</summary>
    public override string ToString() => $"master key of {Source}";

    /// <summary>Fills a key for one use, told apart from all others by the salt.</summary>
    internal void Derive(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> purpose, Span<byte> to) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, to, salt, purpose);
}
