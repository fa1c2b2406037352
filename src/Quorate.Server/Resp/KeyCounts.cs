namespace Quorate.Server.Resp;

/// <summary>
/// How many keys databases had when they were last counted for INFO: all rows are gone through for that, so who asks
/// again and again is told the same for a while. Any thread may use it.
/// </summary>
internal sealed class KeyCounts
{
    /// <summary>A count is told again for so long, in milliseconds.</summary>
    public const long GoodMilliseconds = 5000;

    /// <summary>And for so many times as long as it took: counting takes little of the node's time, then.</summary>
    private const long GoodPart = 50;

    private readonly Lock _lock = new();
    private string _lines = "";
    private long _until = long.MinValue;

    /// <summary>What was counted not long ago, as INFO shows it.</summary>
    /// <param name="now">In milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    public bool TryGet(long now, out string lines)
    {
        lock (_lock)
        {
            lines = _lines;
            return now < _until;
        }
    }

    /// <summary>Remembers a count that took from a moment to another.</summary>
    public void Set(string lines, long from, long now)
    {
        lock (_lock)
        {
            _lines = lines;
            _until = now + Math.Max(GoodMilliseconds, GoodPart * (now - from));
        }
    }
}
