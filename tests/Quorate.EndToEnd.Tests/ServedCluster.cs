using System.Diagnostics;
using System.Net;

namespace Quorate.EndToEnd.Tests;

/// <summary>Some nodes as real processes on this machine.</summary>
internal sealed class ServedCluster : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-").FullName;

    public ServedCluster(int count)
    {
        int[] ports = ServedNode.FreePorts(3 * count);
        string seeds = string.Join(',', Enumerable.Range(0, count).Select(i => $"127.0.0.1:{ports[(3 * i) + 2]}"));
        Nodes = [.. Enumerable.Range(0, count).Select(i => new ServedNode(
            Path.Combine(_folder, $"node-{i + 1}"), ports[(3 * i)..((3 * i) + 3)], "--seeds", seeds))];
    }

    public ServedNode[] Nodes { get; }

    public string AllSaid => string.Join("\n----\n", Nodes.Select(node => node.Said));

    public void Start() => Array.ForEach(Nodes, node => node.Start());

    /// <summary>Waits until each node says that clients may come.</summary>
    public Task UntilReady() => UntilReady(Nodes);

    public async Task UntilReady(params ServedNode[] nodes)
    {
        foreach (ServedNode node in nodes)
        {
            await Until(
                async () => await node.Get("/health/ready") is { Code: HttpStatusCode.OK }, "every node is ready");
        }
    }

    /// <summary>Asks again until it says this: while leaders are looked for it may say an error.</summary>
    public Task UntilSays(ServedNode node, string reply, params string[] words) => Until(
        () => Task.FromResult(string.Equals(node.Ask(words), reply, StringComparison.Ordinal)),
        $"{string.Join(' ', words)} is answered by {reply}");

    public async Task Until(Func<Task<bool>> isSo, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(clock.Elapsed < Patience, $"not in {Patience}: {what}\n{AllSaid}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose()
    {
        Array.ForEach(Nodes, node => node.Dispose());
        Directory.Delete(_folder, recursive: true);
    }
}
