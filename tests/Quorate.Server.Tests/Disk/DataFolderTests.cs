using System.Globalization;
using System.Text;
using Quorate.Server.Disk;
using Quorate.Storage.Disk;

namespace Quorate.Server.Tests.Disk;

/// <summary>Nobody works on another's data folder, on a damaged one, or on one that another works on.</summary>
public sealed class DataFolderTests : IDisposable
{
    private static readonly Guid Cluster = Guid.Parse("0123456789abcdef0123456789abcdef");
    private static readonly NodeIdentity Identity = new(Cluster, new(3), Incarnation: 2);

    private readonly TemporaryFolder _place = new();

    private string Root => Path.Combine(_place.Path, "node");

    private string IdentityPath => Path.Combine(Root, NodeIdentity.FileName);

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_new_folder_is_named_once_and_known_again()
    {
        Make();
        using DataFolder? again = DataFolder.TryOpen(Root, Cluster, out string problem);
        Assert.Equal("", problem);
        Assert.Equal(Identity, again?.Identity);
        Assert.Equal([NodeIdentity.FileName, "lock"], Names());
    }

    [Fact]
    public void Only_one_has_the_folder_at_a_time()
    {
        using (DataFolder? first = DataFolder.TryOpen(Root, null, out _))
        {
            Assert.NotNull(first);
            Assert.Null(DataFolder.TryOpen(Root, null, out string problem));
            AssertSentence(problem, Root, $"process {Environment.ProcessId}:");
        }

        using DataFolder? second = DataFolder.TryOpen(Root, null, out _);
        Assert.NotNull(second);
    }

    [Fact]
    public void A_folder_of_another_cluster_is_refused()
    {
        Make();
        Guid other = Guid.NewGuid();
        Assert.Null(DataFolder.TryOpen(Root, other, out string problem));
        AssertSentence(problem, Root, Cluster.ToString("N"), other.ToString("N"));
    }

    [Fact]
    public void A_newer_format_is_refused()
    {
        Make();
        string text = File.ReadAllText(IdentityPath).Replace("format 1", "format 2", StringComparison.Ordinal);
        text = text[..text.LastIndexOf("crc32c", StringComparison.Ordinal)];
        uint checksum = Crc32C.Of(Encoding.ASCII.GetBytes(text));
        File.WriteAllText(IdentityPath, text + string.Create(CultureInfo.InvariantCulture, $"crc32c {checksum:x8}\n"));
        Assert.Null(DataFolder.TryOpen(Root, Cluster, out string problem));
        AssertSentence(problem, IdentityPath, "format 2", "newer version");
    }

    [Fact]
    public void Every_flipped_bit_and_every_cut_of_the_identity_is_noticed()
    {
        byte[] whole = Identity.Encode();
        Assert.Equal(Identity, NodeIdentity.Decode(whole, "f", out _));
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] damaged = [.. whole];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(NodeIdentity.Decode(damaged, "f", out string problem));
            AssertSentence(problem, "f is damaged");
        }

        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Null(NodeIdentity.Decode(whole.AsSpan(0, length), "f", out _));
        }
    }

    [Fact]
    public void A_damaged_identity_is_refused()
    {
        Make();
        byte[] bytes = File.ReadAllBytes(IdentityPath);
        bytes[40] ^= 1;
        File.WriteAllBytes(IdentityPath, bytes);
        Assert.Null(DataFolder.TryOpen(Root, Cluster, out string problem));
        AssertSentence(problem, IdentityPath, "damaged");
    }

    [Fact]
    public void Data_whose_identity_is_gone_is_not_taken_for_a_new_folder()
    {
        Make();
        File.WriteAllText(Path.Combine(Root, "files", "log"), "x");
        File.Delete(IdentityPath);
        Assert.Null(DataFolder.TryOpen(Root, null, out string problem));
        AssertSentence(problem, IdentityPath, "missing");
    }

    /// <summary>A death before the rename leaves the file aside, of any length.</summary>
    [Fact]
    public void A_death_while_it_is_named_leaves_a_new_folder()
    {
        Directory.CreateDirectory(Root);
        File.WriteAllText(IdentityPath + ".new", new string('x', 3000));
        Make();
        using DataFolder? again = DataFolder.TryOpen(Root, Cluster, out _);
        Assert.Equal(Identity, again?.Identity);
    }

    private static void AssertSentence(string problem, params string[] parts)
    {
        Assert.All(parts, part => Assert.Contains(part, problem, StringComparison.Ordinal));
        Assert.EndsWith(".", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", problem, StringComparison.Ordinal);
    }

    private string[] Names() =>
        [.. Directory.EnumerateFiles(Root).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private void Make()
    {
        using DataFolder? folder = DataFolder.TryOpen(Root, Cluster, out string problem);
        Assert.Equal("", problem);
        Assert.Null(folder!.Identity);
        Assert.True(folder.TryName(Identity, out problem), problem);
        Assert.Equal(Identity, folder.Identity);
    }
}
