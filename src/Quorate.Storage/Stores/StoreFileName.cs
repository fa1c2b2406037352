using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Storage.Stores;

/// <summary>What a file of a partition store is.</summary>
internal enum StoreFileKind : byte
{
    /// <summary>Left by an older process or not known: it goes when the store is opened.</summary>
    Leftover,
    Table,
    Manifest,
}

/// <summary>
/// A name that a file of a partition store has. Names end in a number, whatever the kind; none is used twice, so that
/// what was to be deleted before a crash is never taken for something newer.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct StoreFileName(string File, StoreFileKind Kind, ulong Number)
{
    private const string TableEnding = ".sst";
    private const string ManifestMark = "manifest-";
    private const string WritingEnding = ".writing";
    private const string ReceivingEnding = ".receiving";

    public static string OfTable(string prefix, ulong number) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{number:D6}{TableEnding}");

    /// <summary>A table that is being received has another name until it is verified.</summary>
    public static string OfReceiving(string prefix, ulong number) => OfTable(prefix, number) + ReceivingEnding;

    public static string OfManifest(string prefix, ulong number) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{ManifestMark}{number:D6}");

    /// <summary>What manifests are called, for people.</summary>
    public static string OfAnyManifest(string prefix) => $"{prefix}{ManifestMark}<number>";

    /// <summary>A manifest has another name until all its bytes are durable.</summary>
    public static string OfWriting(string prefix, ulong number) => OfManifest(prefix, number) + WritingEnding;

    /// <summary>The files of one store among the names of all files.</summary>
    public static List<StoreFileName> Among(string prefix, IEnumerable<string> names)
    {
        var found = new List<StoreFileName>();
        foreach (string name in names)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                found.Add(Parse(name, name.AsSpan(prefix.Length)));
            }
        }

        return found;
    }

    private static StoreFileName Parse(string file, ReadOnlySpan<char> rest)
    {
        bool isManifest = rest.StartsWith(ManifestMark, StringComparison.Ordinal);
        rest = isManifest ? rest[ManifestMark.Length..] : rest;
        int digits = rest.IndexOfAnyExceptInRange('0', '9') is int at and >= 0 ? at : rest.Length;
        if (!ulong.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
        {
            return new(file, StoreFileKind.Leftover, 0);
        }

        ReadOnlySpan<char> ending = rest[digits..];
        StoreFileKind kind = isManifest switch
        {
            true when ending.IsEmpty => StoreFileKind.Manifest,
            false when ending.SequenceEqual(TableEnding) => StoreFileKind.Table,
            _ => StoreFileKind.Leftover,
        };
        return new(file, kind, number);
    }
}
