using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// The data folder of a node that has run and was stopped in order, with all kinds of files in it: an encrypted
/// keyspace and a plain one, tables, manifests, the log. Made once for many tests, each of which works on a copy.
/// </summary>
public sealed class StoppedNode : IAsyncLifetime, IDisposable
{
    public const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    private const int Rows = 400;

    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-").FullName;
    private int _copies;

    /// <summary>The file of the right master key.</summary>
    public string KeyFile => Path.Combine(_folder, "key");

    private string Made => Path.Combine(_folder, "made");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(KeyFile, Key);
        using ServedNode node = Node(Made, "--master-key-file", KeyFile);
        node.Start();
        await node.UntilReady();
        Assert.Equal("+OK", node.Ask("KEYSPACE", "CREATE", "secret", "ENCRYPT", "on", "PARTITIONS", "1", "REPLICAS",
            "1")![..3]);
        Assert.Equal("+OK", node.Ask("KEYSPACE", "CREATE", "plain", "PARTITIONS", "1", "REPLICAS", "1")![..3]);
        foreach (string keyspace in (string[])["secret", "plain"])
        {
            await Soon.Is(() => node.AskOf(keyspace, "SET", KeyOf(0), "v") == "+OK", $"{keyspace} takes a row");
            using RespSession session = node.ConnectTo(keyspace);
            for (int i = 0; i < Rows; i++)
            {
                Assert.Equal("+OK", session.Call("SET", KeyOf(i), new string('v', 500)));
            }
        }

        Assert.Equal("+OK", node.Ask("KEYSPACE", "ROTATE", "secret"));
        Assert.Equal("+OK", node.AskOf("secret", "SET", "rotated", "yes"));
        node.Signal("TERM");
        Assert.Equal(0, node.WaitForEnd());
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static string KeyOf(int i) => string.Create(CultureInfo.InvariantCulture, $"key-{i}");

    /// <summary>A copy of its folder.</summary>
    public string Copy()
    {
        string copy = Path.Combine(
            _folder, string.Create(CultureInfo.InvariantCulture, $"copy-{Interlocked.Increment(ref _copies)}"));
        Tools.Do("cp", "-a", "--sparse=always", Made, copy);
        return copy;
    }

    /// <summary>A file beside the folders.</summary>
    public string Aside(string name, string content)
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllText(file, content);
        return file;
    }

    internal static ServedNode Node(string folder, params string[] more)
    {
        int[] ports = TestPorts.Take(3);
        return new ServedNode(folder, ports, ["--seeds", $"127.0.0.1:{ports[2]}", .. more]);
    }
}
