using System.Globalization;
using System.Text;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// Whose a data folder is. Written when the node is made, and once more when it belongs to a cluster; a node whose
/// folder is lost comes back under a new incarnation (pitfall R20).
/// <para>As a file: lines of "word value", the last of which is the CRC32C of all bytes before it, in every format to
/// come; so damage is told from a newer format.</para>
/// </summary>
/// <param name="Cluster">Drawn at random when the cluster was made.</param>
/// <param name="Incarnation">Counts the data folders that the node has had, from 1.</param>
public sealed record NodeIdentity(Guid Cluster, NodeId Node, uint Incarnation)
{
    /// <summary>The file's name within the data folder.</summary>
    public const string FileName = "identity";

    /// <summary>The format of the whole data folder that this version writes, and the newest that it reads.</summary>
    public const int Format = 1;

    private const string Title = "quorate node";
    private const string ChecksumWord = "crc32c ";

    /// <summary>Of a folder whose node belongs to no cluster yet: its files are about finding one.</summary>
    public static readonly NodeIdentity Unformed = new(Guid.Empty, default, 0);

    /// <summary>The node belongs to a cluster.</summary>
    public bool IsFormed => Node.Value != 0;

    public byte[] Encode()
    {
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Title}\nformat {Format}\ncluster {Cluster:N}\nnode {Node.Value}\nincarnation {Incarnation}\n");
        uint checksum = Crc32C.Of(Encoding.ASCII.GetBytes(text));
        return Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{text}{ChecksumWord}{checksum:x8}\n"));
    }

    /// <summary>Reads the identity; null, and one sentence that says why, when it cannot be used.</summary>
    /// <param name="path">The file, for the sentence.</param>
    public static NodeIdentity? Decode(ReadOnlySpan<byte> bytes, string path, out string problem)
    {
        problem = $"The identity file {path} is damaged, so nobody can tell whose data this is. "
            + FolderAdvice.Sentence;
        string text = Encoding.Latin1.GetString(bytes);
        int at = text.LastIndexOf(ChecksumWord, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        string expected = string.Create(CultureInfo.InvariantCulture, $"{Crc32C.Of(bytes[..at]):x8}\n");
        bool isWhole = string.Equals(text[(at + ChecksumWord.Length)..], expected, StringComparison.Ordinal);
        if (!isWhole && Guards.IdentityIsVerified)
        {
            return null;
        }

        string[] lines = text[..at].Split('\n');
        if (!int.TryParse(Value(lines, 1, "format "), CultureInfo.InvariantCulture, out int format))
        {
            return null;
        }

        if (format > Format)
        {
            problem = $"The data folder of {path} has format {format} and this version of Quorate reads up to "
                + $"{Format}: start a newer version.";
            return null;
        }

        if (lines[0] == Title
            && Guid.TryParseExact(Value(lines, 2, "cluster "), "N", out Guid cluster)
            && uint.TryParse(Value(lines, 3, "node "), CultureInfo.InvariantCulture, out uint node)
            && uint.TryParse(Value(lines, 4, "incarnation "), CultureInfo.InvariantCulture, out uint incarnation))
        {
            problem = "";
            return new NodeIdentity(cluster, new(node), incarnation);
        }

        return null;
    }

    private static string? Value(string[] lines, int line, string word) =>
        line < lines.Length && lines[line].StartsWith(word, StringComparison.Ordinal)
            ? lines[line][word.Length..]
            : null;
}
