using System.Globalization;
using System.Text.RegularExpressions;

namespace Quorate.Cli.Up;

/// <summary>
/// Puts lines about elections together: a node that dies led many partitions, and what is worth a line is who leads
/// them now and why, not each of them. Everything else goes through at once.
/// <para>Invariant: what was taken is told within <see cref="TogetherMilliseconds"/>, or at the end.</para>
/// </summary>
/// <param name="tell">Takes a line with its time; any thread.</param>
internal sealed partial class ElectionBursts(Action<DateTimeOffset, string> tell) : IDisposable
{
    /// <summary>Elections within so long of the first are told together, in milliseconds.</summary>
    public const int TogetherMilliseconds = 500;

    /// <summary>Partitions that one line names.</summary>
    public const int NamesMax = 8;

    /// <summary>Elections that wait; more are told before their time.</summary>
    private const int WaitingMax = 4096;

    private readonly List<Election> _waiting = [];
    private readonly Lock _gate = new();
    private Timer? _timer;

    /// <param name="node">Who said it.</param>
    public void Tell(int node, DateTimeOffset time, string text)
    {
        Match match = Line().Match(text);
        if (!match.Success)
        {
            tell(time, Prefixed(node, text));
            return;
        }

        bool isFull;
        lock (_gate)
        {
            _waiting.Add(new(node, time, text, match.Groups["leader"].Value, match.Groups["partition"].Value,
                match.Groups["cause"].Value));
            isFull = _waiting.Count >= WaitingMax;
            _timer ??= new Timer(_ => Flush(), null, TogetherMilliseconds, Timeout.Infinite);
        }

        if (isFull)
        {
            Flush();
        }
    }

    /// <summary>Tells all that waits.</summary>
    public void Flush()
    {
        Election[] all;
        lock (_gate)
        {
            all = [.. _waiting];
            _waiting.Clear();
            _timer?.Dispose();
            _timer = null;
        }

        foreach (IGrouping<(int, string, string), Election> burst in all.GroupBy(each =>
            (each.Node, each.Leader, each.Cause)))
        {
            Election[] elections = [.. burst];
            Election first = elections[0];
            tell(first.Time, Prefixed(first.Node, elections.Length == 1 ? first.Text : TextOf(elections)));
        }
    }

    public void Dispose() => Flush();

    private static string TextOf(Election[] elections)
    {
        string names = string.Join(", ", elections.Take(NamesMax).Select(each => each.Partition));
        string more = elections.Length > NamesMax
            ? string.Create(CultureInfo.InvariantCulture, $" and {elections.Length - NamesMax} more")
            : "";
        Election first = elections[0];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"election: Node {first.Leader} leads {elections.Length} partitions ({first.Cause}): {names}{more}.");
    }

    private static string Prefixed(int node, string text) =>
        string.Create(CultureInfo.InvariantCulture, $"node {node}: {text}");

    [GeneratedRegex(
        @"^election: Node (?<leader>\d+) leads partition (?<partition>\S+) in term \d+ \((?<cause>[^)]+)\)\.$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();

    private sealed record Election(
        int Node, DateTimeOffset Time, string Text, string Leader, string Partition, string Cause);
}
