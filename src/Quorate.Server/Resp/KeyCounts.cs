namespace Quorate.Server.Resp;

/// <summary>
/// How many keys keyspaces had when they were last counted for INFO: all rows are gone through for that, so one that is
/// asked again and again is counted anew only now and then. Any thread may use it.
/// </summary>
internal sealed class KeyCounts
{
    /// <summary>A count is told again for so long, in milliseconds.</summary>
    public const long GoodMilliseconds = 5000;

    /// <summary>And for so many times as long as it took: counting takes little of the node's time, then.</summary>
    private const long GoodPart = 50;

    /// <summary>Keyspaces that are remembered.</summary>
    private const int KeyspacesMax = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<uint, (long Keys, long Until)> _counts = [];

    /// <summary>What was counted not long ago.</summary>
    /// <param name="now">In milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    public bool TryGet(uint keyspace, long now, out long keys)
    {
        lock (_lock)
        {
            bool isGood = _counts.TryGetValue(keyspace, out (long Keys, long Until) count) && now < count.Until;
            keys = count.Keys;
            return isGood;
        }
    }

    /// <summary>Remembers a count that took from a moment to another.</summary>
    public void Set(uint keyspace, long keys, long from, long now)
    {
        lock (_lock)
        {
            if (_counts.Count >= KeyspacesMax)
            {
                _counts.Clear();
            }

            _counts[keyspace] = (keys, now + Math.Max(GoodMilliseconds, GoodPart * (now - from)));
        }
    }
}
