namespace Quorate.Server.Http.Entries;

/// <summary>What was answered over HTTP to requests for entries and keyspaces. Any thread may count.</summary>
internal sealed class EntryCounters
{
    private static readonly string[] Classes = ["2xx", "3xx", "4xx", "5xx"];

    private readonly long[] _answers = new long[Classes.Length];

    /// <summary>Answers since the node began, by the class of their status.</summary>
    public IEnumerable<(string Class, long Count)> Answers =>
        Classes.Select((name, i) => (name, Interlocked.Read(ref _answers[i])));

    /// <summary>How long each took, from when its head had come until its answer was handed over.</summary>
    public LatencyHistogram Times { get; } = new();

    public void Count(int status, long microseconds)
    {
        Interlocked.Increment(ref _answers[Math.Clamp((status / 100) - 2, 0, Classes.Length - 1)]);
        Times.Add(microseconds);
    }
}
