using System.Text.RegularExpressions;

namespace Quorate.EndToEnd.Tests;

/// <summary>`quorate up` on what cannot be: a sentence, a documented code, and nothing made that a right start would
/// find.</summary>
public sealed partial class BadUpTests : IDisposable
{
    private const int Usage = 64;
    private const int Unavailable = 69;

    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-up-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--resp-port 70000", "--resp-port: 70000 is no port")]
    [InlineData("--http-port 0", "--http-port: 0 is no port")]
    [InlineData("--peer-port -1", "--peer-port: -1 is no port")]
    [InlineData("--resp-port 65534", "--resp-port 65534 is too high for 3 nodes")]
    [InlineData("--resp-port 20001 --http-port 20003", "--resp-port 20001 and --http-port 20003 are too near")]
    [InlineData("--resp-port 20001 --http-port 20011 --peer-port 20009", "--http-port 20011 and --peer-port 20009")]
    [InlineData("--nodes 0", "--nodes takes a number from 1 to 32")]
    [InlineData("--nodes abc", "'abc'")]
    [InlineData("--zones a,,b", "--zones: a name is empty")]
    [InlineData("--memory 1000000GiB", "MiB for each node is more than the")]
    [InlineData("--memory plenty", "--memory: 'plenty' is no size")]
    public void What_cannot_be_is_refused_before_anything_is_made(string words, string says)
    {
        string data = Path.Combine(_folder, "data");
        (int code, string output, string error) = Tools.Run(
            [ServedNode.Program, "up", "--data", data, .. words.Split(' ')]);
        Assert.True(code == Usage, $"it ends with {code}: {output} {error}");
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.DoesNotMatch(StackTrace(), output + error);
        Assert.False(Directory.Exists(data), "a folder was made");
    }

    /// <summary>Another key would open nothing, and would be taken for the right one by whoever looks.</summary>
    [Theory]
    [InlineData("cluster.json")]
    [InlineData("node-2/identity")]
    public void A_lost_master_key_is_not_made_anew(string what)
    {
        Tools.SkipWithout("timeout");
        string file = Path.Combine(_folder, what);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(
            file, """{"nodes":1,"respPort":20021,"httpPort":20031,"peerPort":20041,"zones":[]}""");
        (int code, string output, string error) = Tools.Run(
            "timeout", "60", ServedNode.Program, "up", "--nodes", what == "cluster.json" ? "1" : "2", "--data", _folder,
            "--memory", "256MiB");
        string key = Path.Combine(_folder, "master.key");
        Assert.True(code == Usage, $"it ends with {code}: {output} {error}");
        Assert.StartsWith($"quorate up: the file {key} is missing", error, StringComparison.Ordinal);
        Assert.Contains("restore it from a copy", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal([file], Directory.GetFiles(_folder, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("/proc/none/data")]
    [InlineData("FILE/data")]
    public void A_folder_that_cannot_be_made_is_named(string data)
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        data = data.Replace("FILE", Path.Combine(_folder, "file"), StringComparison.Ordinal);
        (int code, string output, string error) = Tools.Run(
            ServedNode.Program, "up", "--nodes", "1", "--data", data, "--memory", "256MiB", "--resp-port", "20011",
            "--http-port", "20012", "--peer-port", "20013");
        Assert.True(code == Unavailable, $"it ends with {code}: {output} {error}");
        Assert.StartsWith($"quorate up: the folder {data} cannot be made or written", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotMatch(StackTrace(), output + error);
    }

    [GeneratedRegex(@"^\s+at \S+\(", RegexOptions.Multiline)]
    private static partial Regex StackTrace();
}
