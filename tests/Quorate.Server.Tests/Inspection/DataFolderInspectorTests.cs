using Quorate.Core.Model;
using Quorate.Server.Disk;
using Quorate.Server.Inspection;

namespace Quorate.Server.Tests.Inspection;

/// <summary>The files of a data folder, looked at from outside.</summary>
public sealed class DataFolderInspectorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("quorate-inspect-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Each_file_is_named_and_described()
    {
        var identity = new NodeIdentity(Guid.Parse("11111111-2222-3333-4444-555555555555"), new NodeId(7), 2);
        File.WriteAllBytes(Path.Combine(_folder.FullName, NodeIdentity.FileName), identity.Encode());
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "files"));
        File.WriteAllText(Path.Combine(_folder.FullName, "files", "strange"), "?");

        (string Name, string Text)[] files = [.. DataFolderInspector.DescribeAll(_folder.FullName)];

        Assert.Equal([Path.Combine("files", "strange"), "identity"], files.Select(file => file.Name));
        Assert.StartsWith("1 bytes of no kind", files[0].Text, StringComparison.Ordinal);
        Assert.StartsWith("identity: cluster 1111", files[1].Text, StringComparison.Ordinal);
        Assert.Contains("node 7, incarnation 2", files[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_identity_says_so()
    {
        string path = Path.Combine(_folder.FullName, NodeIdentity.FileName);
        File.WriteAllText(path, "quorate node\n");
        Assert.Contains("is damaged", DataFolderInspector.Describe(path), StringComparison.Ordinal);
    }
}
