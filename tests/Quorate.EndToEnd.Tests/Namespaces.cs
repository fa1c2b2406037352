using System.Globalization;
using System.Net;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Network namespaces on one bridge, one for each node. This process is on the bridge, too, and reaches all of them
/// whatever is cut between them. Packets are dropped without a word, by each namespace's own rules.
/// </summary>
internal sealed class Namespaces : IDisposable
{
    private static int _made;

    /// <summary>
    /// Each has names of its own: the system takes those of a namespace that was deleted away only a while later.
    /// </summary>
    private readonly string _name = string.Create(
        CultureInfo.InvariantCulture, $"q{Environment.ProcessId}n{Interlocked.Increment(ref _made)}");

    private readonly string _subnet;
    private readonly int _count;

    private Namespaces(int count)
    {
        _count = count;
        _subnet = string.Create(CultureInfo.InvariantCulture, $"10.213.{Environment.ProcessId % 250}");
    }

    public IPAddress[] Addresses => [.. Enumerable.Range(0, _count).Select(AddressOf)];

    /// <summary>Skips the test where they cannot be made.</summary>
    public static Namespaces Create(int count)
    {
        Tools.SkipWithout("ip", "iptables");
        Tools.SkipUnlessRoot("make network namespaces");
        var made = new Namespaces(count);
        try
        {
            string? problem = made.Make();
            Assert.SkipWhen(problem is not null, $"No network namespaces can be made here: {problem}");
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>What a node's command line begins with, so that it runs in its namespace.</summary>
    public string[] Launcher(int node) => ["ip", "netns", "exec", NameOf(node)];

    /// <summary>What `from` sends does not reach `to`.</summary>
    public void Cut(int from, int to) => Tools.Do(
        [.. Launcher(to), "iptables", "-w", "-I", "INPUT", "-s", AddressOf(from).ToString(), "-j", "DROP"]);

    /// <summary>Cuts a node from all the others, both ways.</summary>
    public void Isolate(int node)
    {
        for (int other = 0; other < _count; other++)
        {
            if (other != node)
            {
                Cut(node, other);
                Cut(other, node);
            }
        }
    }

    public void Heal()
    {
        for (int node = 0; node < _count; node++)
        {
            Tools.Do([.. Launcher(node), "iptables", "-w", "-F", "INPUT"]);
        }
    }

    public void Dispose()
    {
        for (int node = 0; node < _count; node++)
        {
            Tools.Run("ip", "netns", "del", NameOf(node));
        }

        Tools.Run("ip", "link", "del", _name);
    }

    private string NameOf(int node) => string.Create(CultureInfo.InvariantCulture, $"{_name}-{node}");

    private IPAddress AddressOf(int node) =>
        IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"{_subnet}.{node + 2}"));

    /// <summary>What went wrong; null when all is there.</summary>
    private string? Make()
    {
        List<string[]> commands =
        [
            ["link", "add", _name, "type", "bridge"],
            ["addr", "add", $"{_subnet}.1/24", "dev", _name],
            ["link", "set", _name, "up"],
        ];
        for (int node = 0; node < _count; node++)
        {
            string name = NameOf(node);
            string outer = $"{_name}v{node}";
            commands.AddRange(
            [
                ["netns", "add", name],
                ["link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name],
                ["link", "set", outer, "master", _name],
                ["link", "set", outer, "up"],
                ["-n", name, "addr", "add", $"{AddressOf(node)}/24", "dev", "eth0"],
                ["-n", name, "link", "set", "eth0", "up"],
                ["-n", name, "link", "set", "lo", "up"],
            ]);
        }

        foreach (string[] command in commands)
        {
            (int code, _, string error) = Tools.Run(["ip", .. command]);
            if (code != 0)
            {
                return $"ip {string.Join(' ', command)}: {error.Trim()}";
            }
        }

        (int filter, _, string said) = Tools.Run([.. Launcher(0), "iptables", "-w", "-L", "INPUT"]);
        return filter == 0 ? null : said.Trim();
    }
}
