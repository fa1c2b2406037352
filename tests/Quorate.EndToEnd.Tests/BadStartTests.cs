using Quorate.Core.Model;
using Quorate.Server.Disk;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Starts on what cannot be used: each ends the process with one sentence that names the file and what to do, and
/// changes nothing that a later, right start would need.
/// </summary>
public sealed class BadStartTests(StoppedNode stopped) : IClassFixture<StoppedNode>
{
    private const int Usage = 64;
    private const int Data = 65;
    private const int Unavailable = 69;

    [Fact]
    public async Task The_right_key_starts_it_and_all_is_there()
    {
        string folder = stopped.Copy();
        using ServedNode node = await Served(folder);
        Assert.Equal("yes", node.AskOf("secret", "GET", "rotated"));
        Assert.Equal(500, node.AskOf("secret", "GET", StoppedNode.KeyOf(7))!.Length);
        Assert.Equal(500, node.AskOf("plain", "GET", StoppedNode.KeyOf(7))!.Length);
    }

    [Fact]
    public async Task Another_master_key_is_refused_and_the_right_one_taken_after_it()
    {
        string other = stopped.Aside("other", new string('7', 64));
        string folder = stopped.Copy();
        Refused(folder, Data, ["--master-key-file", other], other, folder, "cluster-map", "keyspace 'secret'");
        using ServedNode node = await Served(folder);
        Assert.Equal("yes", node.AskOf("secret", "GET", "rotated"));
    }

    [Fact]
    public void No_master_key_is_refused_where_one_is_needed()
    {
        string folder = stopped.Copy();
        Refused(folder, Data, [], folder, "cluster-map", "keyspace 'secret'", "--master-key-file");
    }

    [Fact]
    public void A_master_keys_file_that_is_not_there_is_refused()
    {
        string nowhere = Path.Combine(stopped.Copy(), "nowhere");
        Refused(stopped.Copy(), Usage, ["--master-key-file", nowhere], "--master-key-file", nowhere);
    }

    [Fact]
    public void A_master_keys_file_that_holds_none_is_refused()
    {
        string file = stopped.Aside("malformed", new string('x', 64));
        Refused(stopped.Copy(), Usage, ["--master-key-file", file], file, "openssl rand -hex 32");
    }

    [Theory]
    [InlineData("cluster-map", 0.5)]
    [InlineData("formation", 0.5)]
    [InlineData("manifest-", 0.5)]
    [InlineData(".sst", 1)]
    [InlineData("node-log-", 0.5)]
    public void A_damaged_file_is_named(string part, double at)
    {
        string folder = stopped.Copy();
        string file = Damage(folder, part, at);
        Refused(folder, Data, Key, folder, file);
    }

    [Theory]
    [InlineData("cluster-map")]
    [InlineData("formation")]
    [InlineData("log.mark")]
    [InlineData("manifest-")]
    [InlineData(".sst")]
    [InlineData("node-log-")]
    public void A_missing_file_is_named(string part)
    {
        string folder = stopped.Copy();
        string[] gone = FilesOf(folder, part);
        Array.ForEach(gone, File.Delete);
        Refused(folder, Data, Key, folder, part is "node-log-" or "manifest-" ? "log" : Path.GetFileName(gone[0]));
    }

    /// <summary>A table's ends are read at a start, its blocks when they are needed: the sentence comes then.</summary>
    [Fact]
    public async Task A_damaged_block_of_a_table_is_named_when_it_is_read()
    {
        string folder = stopped.Copy();
        string[] damaged = [.. FilesOf(folder, ".sst").Select(file => Damage(file, 0.02))];
        using ServedNode node = await Served(folder);
        for (int i = 0; i < 400 && node.AskOf("plain", "GET", StoppedNode.KeyOf(i)) is not null; i++)
        {
        }

        Assert.Equal(Data, node.WaitForEnd());
        string sentence = SentenceOf(node);
        Assert.Contains(folder, sentence, StringComparison.Ordinal);
        Assert.Contains(damaged, file => sentence.Contains(file, StringComparison.Ordinal));
    }

    /// <summary>As on a full disk.</summary>
    [Fact]
    public async Task A_process_id_that_cannot_be_written_stops_nobody()
    {
        string folder = stopped.Copy();
        Directory.CreateDirectory(Path.Combine(folder, "pid"));
        using ServedNode node = await Served(folder);
        Assert.Equal("yes", node.AskOf("secret", "GET", "rotated"));
        Assert.Contains("pid could not be written", (await node.Page("/events")).Text, StringComparison.Ordinal);
        node.Signal("TERM");
        Assert.Equal(0, node.WaitForEnd());
    }

    [Fact]
    public async Task A_folder_in_use_is_refused()
    {
        string folder = stopped.Copy();
        using ServedNode first = await Served(folder);
        Refused(folder, Unavailable, Key, folder, $"in use by process {first.ProcessId}");
        Assert.Equal("yes", first.AskOf("secret", "GET", "rotated"));
    }

    [Fact]
    public void Files_of_another_node_or_cluster_are_refused()
    {
        string folder = stopped.Copy();
        string identity = Path.Combine(folder, NodeIdentity.FileName);
        NodeIdentity own = NodeIdentity.Decode(File.ReadAllBytes(identity), identity, out _)!;
        File.WriteAllBytes(identity, (own with { Node = new NodeId(own.Node.Value + 1) }).Encode());
        Refused(folder, Data, Key, folder, $"node {own.Node.Value + 1} of", $"node {own.Node.Value} of", "from a copy");
        Guid other = Guid.Parse("0123456789abcdef0123456789abcdef");
        File.WriteAllBytes(identity, (own with { Cluster = other }).Encode());
        Refused(folder, Data, Key, folder, "cluster", $"{other:N}", $"{own.Cluster:N}", "from a copy");
    }

    [Fact]
    public void Inspect_knows_every_file_of_a_folder_and_shows_no_key()
    {
        string folder = stopped.Copy();
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "of somebody else");
        File.WriteAllText(Path.Combine(folder, "files", "cluster-map.new"), "half");
        File.Copy(stopped.KeyFile, Path.Combine(folder, "master.key"));
        (int code, string text, string error) = Tools.Run(ServedNode.Program, "inspect", folder);
        Assert.True(code == 0, error);
        string[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)];
        Assert.Equal(files.Length, text.Split("== ").Length - 1);
        Assert.All(files, file => Assert.Contains($"== {Path.GetRelativePath(folder, file)}\n", text));
        Assert.Contains("== notes.txt\n16 bytes of no kind that Quorate writes\n", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("of no kind").Length);
        Assert.Contains("what was to become cluster-map", text, StringComparison.Ordinal);
        Assert.Contains("keyspace 2 'secret': 1 replicas, 1 of them voting, encrypted", text, StringComparison.Ordinal);
        Assert.Contains("data key 1 of keyspace 2: wrapped, retired", text, StringComparison.Ordinal);
        Assert.Contains("data key 2 of keyspace 2: wrapped, in use", text, StringComparison.Ordinal);
        Assert.Contains("formation: node 1 of cluster ", text, StringComparison.Ordinal);
        Assert.Contains("lock: process ", text, StringComparison.Ordinal);
        Assert.Contains("== master.key\na master key", text, StringComparison.Ordinal);
        Assert.DoesNotContain(StoppedNode.Key, text, StringComparison.OrdinalIgnoreCase);
        (code, text, error) = Tools.Run(ServedNode.Program, "inspect", folder, "--json");
        Assert.True(code == 0, error);
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(files.Length, lines.Length);
        Assert.Contains(
            "{\"file\":\"notes.txt\",\"bytes\":16,\"holds\":[\"16 bytes of no kind that Quorate writes\"]}", lines);
        Assert.All(lines, line => System.Text.Json.JsonDocument.Parse(line).Dispose());
    }

    private string[] Key => ["--master-key-file", stopped.KeyFile];

    private static void Refused(string folder, int code, string[] more, params string[] says)
    {
        using ServedNode node = StoppedNode.Node(folder, more);
        node.Start();
        Assert.True(code == node.WaitForEnd(), node.Said);
        string sentence = SentenceOf(node);
        Assert.All(says, part => Assert.Contains(part, sentence, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(StoppedNode.Key, node.Said, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The one sentence that it ends with.</summary>
    private static string SentenceOf(ServedNode node)
    {
        string sentence = Assert.Single(
            node.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            line => line.StartsWith("quorate: ", StringComparison.Ordinal)
                && !line.StartsWith("quorate: RESP on ", StringComparison.Ordinal));
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
        return sentence;
    }

    private async Task<ServedNode> Served(string folder)
    {
        ServedNode node = StoppedNode.Node(folder, Key);
        node.Start();
        try
        {
            await node.UntilReady();
            return node;
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    private static string[] FilesOf(string folder, string part)
    {
        string[] files =
        [
            .. Directory.EnumerateFiles(Path.Combine(folder, "files"))
                .Where(file => Path.GetFileName(file).Contains(part, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
        Assert.NotEmpty(files);
        return files;
    }

    /// <summary>Damages the file of that kind that holds most; its name.</summary>
    private static string Damage(string folder, string part, double at) =>
        Damage(FilesOf(folder, part).MaxBy(file => WrittenBytes(File.ReadAllBytes(file)))!, at);

    private static string Damage(string file, double at)
    {
        byte[] bytes = File.ReadAllBytes(file);
        int written = WrittenBytes(bytes);
        bytes[Math.Min(written - 1, (int)(written * at))] ^= 0x10;
        File.WriteAllBytes(file, bytes);
        return Path.GetFileName(file);
    }

    /// <summary>Up to the last byte that is not zero: a segment of the log is made ready with zeros.</summary>
    private static int WrittenBytes(byte[] bytes) => bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
}
