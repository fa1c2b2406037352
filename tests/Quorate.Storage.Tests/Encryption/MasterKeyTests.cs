using System.Text;
using Quorate.Storage.Encryption;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests.Encryption;

/// <summary>What a file of a master key may hold.</summary>
public sealed class MasterKeyTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(100, MasterKey.KeyBytes).Select(i => (byte)i)];

    [Fact]
    public void A_master_key_is_raw_or_hexadecimal_or_base64()
    {
        string[] texts =
        [
            Convert.ToHexString(Bytes), Convert.ToHexStringLower(Bytes) + "\n",
            " " + Convert.ToHexString(Bytes) + "\r\n",
            Convert.ToBase64String(Bytes), Convert.ToBase64String(Bytes) + "\n",
        ];
        byte[] expected = Derived(MasterKey.TryParse(Bytes, "raw", out _));
        foreach (string text in texts)
        {
            MasterKey? key = MasterKey.TryParse(Encoding.ASCII.GetBytes(text), "text", out string sentence);
            Assert.Equal("", sentence);
            Assert.Equal(expected, Derived(key));
        }

        Assert.NotEqual(expected, Derived(MasterKey.TryParse(new byte[MasterKey.KeyBytes], "zeros", out _)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("secretsecretsecretsecretsecretse\n")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef00")]
    [InlineData("secretsecretsecretsecretsecretsecretsecret==")]
    public void A_malformed_master_key_is_told_and_not_shown(string text)
    {
        Assert.Null(MasterKey.TryParse(Encoding.ASCII.GetBytes(text), "/etc/quorate/key", out string sentence));
        Assert.Contains("/etc/quorate/key is malformed", sentence, StringComparison.Ordinal);
        Assert.Contains("openssl rand", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("0123", sentence, StringComparison.Ordinal);
    }

    /// <summary>A key shows itself only in what it wraps.</summary>
    private static byte[] Derived(MasterKey? key)
    {
        Assert.NotNull(key);
        Assert.DoesNotContain(Convert.ToHexString(Bytes), key.ToString(), StringComparison.OrdinalIgnoreCase);
        return WrappedKey.New(key, new SampleEntropy(1));
    }
}
