using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Quorate.Server.Resp;

/// <summary>Names of commands and their options: ASCII, in any case.</summary>
internal static class CommandNames
{
    public static readonly IEqualityComparer<string> Comparer = new NameComparer();

    /// <summary>Whether a word is this name.</summary>
    public static bool Is(ReadOnlySpan<byte> word, string name) =>
        word.Length == name.Length && Ascii.EqualsIgnoreCase(word, name);

    private sealed class NameComparer
        : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
    {
        public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.OrdinalIgnoreCase);

        public int GetHashCode([DisallowNull] string obj)
        {
            uint hash = 2166136261;
            foreach (char c in obj)
            {
                hash = (hash ^ (c | 0x20u)) * 16777619;
            }

            return (int)hash;
        }

        public bool Equals(ReadOnlySpan<byte> alternate, string other) => Is(alternate, other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            uint hash = 2166136261;
            foreach (byte b in alternate)
            {
                hash = (hash ^ (b | 0x20u)) * 16777619;
            }

            return (int)hash;
        }

        public string Create(ReadOnlySpan<byte> alternate) => Encoding.ASCII.GetString(alternate);
    }
}
