using System.Globalization;
using System.Text;
using Quorate.Server.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Inspection;

namespace Quorate.Server.Inspection;

/// <summary>Says what the files of a data folder hold, of a node that does not run (`quorate inspect`).</summary>
public static class DataFolderInspector
{
    /// <summary>One file, by its path; one line says so when it is of no kind that is known.</summary>
    public static string Describe(string path, KeyRing? keys = null)
    {
        string file = Path.GetFileName(path);
        byte[] content = File.ReadAllBytes(path);
        if (string.Equals(file, NodeIdentity.FileName, StringComparison.Ordinal))
        {
            return NodeIdentity.Decode(content, path, out string problem) switch
            {
                null => problem + "\n",
                { IsFormed: false } => "identity: belongs to no cluster yet\n",
                { } identity => string.Create(
                    CultureInfo.InvariantCulture,
                    $"identity: cluster {identity.Cluster:N}, node {identity.Node.Value}, incarnation "
                        + $"{identity.Incarnation}\n"),
            };
        }

        return FileInspector.Describe(file, content, keys)
            ?? string.Create(CultureInfo.InvariantCulture, $"{content.Length} bytes of no kind that Quorate writes\n");
    }

    /// <summary>All files of a folder and those below it, each under its name.</summary>
    public static string DescribeAll(string folder, KeyRing? keys = null)
    {
        var text = new StringBuilder();
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal))
        {
            text.Append("== ").Append(Path.GetRelativePath(folder, path)).Append('\n').Append(Describe(path, keys));
        }

        return text.ToString();
    }
}
