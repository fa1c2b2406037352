using System.Globalization;
using System.Text;
using Quorate.Node.Cluster;
using Quorate.Server.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Inspection;

namespace Quorate.Server.Inspection;

/// <summary>Says what the files of a data folder hold, of a node that does not run (`quorate inspect`).</summary>
public static class DataFolderInspector
{
    /// <summary>Of a file that is written aside and takes its name when it is whole.</summary>
    private const string UnnamedSuffix = ".new";

    /// <summary>One file, by its path; one line says so when it is of no kind that is known.</summary>
    public static string Describe(string path, KeyRing? keys = null)
    {
        string file = Path.GetFileName(path);
        byte[] content = File.ReadAllBytes(path);
        if (file.EndsWith(UnnamedSuffix, StringComparison.Ordinal))
        {
            string aside = file[..^UnnamedSuffix.Length];
            return $"what was to become {aside} when the process ended; it does not count:\n"
                + Describe(aside, path, content, keys);
        }

        return Describe(file, path, content, keys);
    }

    /// <summary>All files of a folder and those below it: their names within it, and what they hold.</summary>
    public static IEnumerable<(string Name, string Text)> DescribeAll(string folder, KeyRing? keys = null) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(path => (Path.GetRelativePath(folder, path), Describe(path, keys)));

    private static string Describe(string file, string path, byte[] content, KeyRing? keys) => file switch
    {
        NodeIdentity.FileName => DescribeIdentity(path, content),
        DataFolder.LockName => $"lock: process {Line(content)} had the folder last; only the system's lock counts\n",
        DataFolder.ProcessIdName => $"pid: process {Line(content)} has the folder, or died\n",
        _ => ClusterFileInspector.Describe(file, content)
            ?? FileInspector.Describe(file, content, keys, name => Beside(path, name))
            ?? DescribeMasterKey(content, path)
            ?? string.Create(
                CultureInfo.InvariantCulture, $"{content.Length} bytes of no kind that Quorate writes\n"),
    };

    private static ReadOnlyMemory<byte> Beside(string path, string name)
    {
        string other = Path.Combine(Path.GetDirectoryName(path) ?? "", name);
        return File.Exists(other) ? File.ReadAllBytes(other) : default(ReadOnlyMemory<byte>);
    }

    private static string DescribeIdentity(string path, byte[] content) =>
        NodeIdentity.Decode(content, path, out string problem) switch
        {
            null => problem + "\n",
            { IsFormed: false } => "identity: belongs to no cluster yet\n",
            { } identity => string.Create(
                CultureInfo.InvariantCulture,
                $"identity: cluster {identity.Cluster:N}, node {identity.Node.Value}, incarnation "
                    + $"{identity.Incarnation}\n"),
        };

    /// <summary>A file that could be a master key is said to be one, and nothing of it is shown.</summary>
    private static string? DescribeMasterKey(byte[] content, string path) =>
        MasterKey.TryParse(content, path, out _) is null ? null : "a master key, or 32 bytes that could be one\n";

    /// <summary>The first words of a file of one line, as far as they are digits.</summary>
    private static string Line(byte[] content)
    {
        string digits = new([.. Encoding.Latin1.GetString(content).TakeWhile(char.IsAsciiDigit)]);
        return digits.Length > 0 ? digits : "(unknown)";
    }
}
