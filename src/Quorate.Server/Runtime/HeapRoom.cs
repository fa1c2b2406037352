namespace Quorate.Server.Runtime;

/// <summary>
/// Whether the managed heap has room for something large. What the collector has not taken yet, and what it keeps
/// for later, is room as well, but an allocation does not find it by itself: near the bound it fails although half of
/// the heap is free. So before that a collection makes what is free usable, and what then does not fit is refused.
/// <para>Any thread may ask. It takes a few milliseconds for each 10 MiB that live when it collects.</para>
/// </summary>
/// <param name="bytesMax">What the managed heap may grow to, in bytes.</param>
internal sealed class HeapRoom(long bytesMax)
{
    /// <summary>With so much of the heap in use, in percent, garbage counted, nobody needs to collect.</summary>
    private const int EasyPercent = 60;

    /// <summary>
    /// So much may be in use after all, in percent: the rest is for what comes from clients and peers meanwhile, which
    /// other threads take and other limits bound.
    /// </summary>
    private const int MostPercent = 80;

    /// <summary>No two collections in less than this, in milliseconds: then it is refused at once.</summary>
    private const long PauseMilliseconds = 50;

    /// <summary>Collections that give hardly anything back come ever more seldom, in milliseconds.</summary>
    private const long KeepPauseMilliseconds = 5000;

    /// <summary>
    /// A larger heap is never collected here, in bytes, since that could take long: there everything always has room.
    /// </summary>
    private const long AskedBytesMax = 1024L * 1024 * 1024;

    /// <summary>
    /// With so much of the heap committed, in percent, while as much less is in use as <see cref="IdlePercent"/> says,
    /// it is made usable before somebody needs it who does not ask.
    /// </summary>
    private const int CommittedPercent = 65;

    /// <summary>What is committed and not in use, in percent of the whole: less is not worth a collection.</summary>
    private const int IdlePercent = 12;

    private readonly Lock _lock = new();
    private long _collectedAt = long.MinValue / 2;
    private long _keepPause = PauseMilliseconds;

    public bool Has(long bytes)
    {
        if (bytesMax > AskedBytesMax || IsEasyFor(bytes))
        {
            return true;
        }

        lock (_lock)
        {
            // Another thread may have collected meanwhile.
            if (Environment.TickCount64 - Volatile.Read(ref _collectedAt) >= PauseMilliseconds && !IsEasyFor(bytes))
            {
                Collect();
            }
        }

        return Fits(GC.GetTotalMemory(forceFullCollection: false) + bytes, MostPercent);
    }

    /// <summary>
    /// To be called all the time. The collector keeps what it has once committed, and what it keeps is not of use for
    /// everything: a large array for which nothing is left to commit ends the process, although there is room.
    /// </summary>
    public void Keep()
    {
        if (bytesMax > AskedBytesMax
            || Environment.TickCount64 - Volatile.Read(ref _collectedAt) < _keepPause)
        {
            return;
        }

        long committed = GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes;
        bool isNear = !Fits(committed, CommittedPercent);
        if (isNear && Fits(bytesMax - committed + GC.GetTotalMemory(forceFullCollection: false), 100 - IdlePercent))
        {
            lock (_lock)
            {
                Collect();
            }

            // What can not be given back, since it is pinned or comes again at once, is not asked for all the time.
            bool wasOfUse = GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes <= committed - (committed / 20);
            _keepPause = wasOfUse ? PauseMilliseconds : Math.Min(2 * _keepPause, KeepPauseMilliseconds);
        }
    }

    private void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Volatile.Write(ref _collectedAt, Environment.TickCount64);
    }

    private bool IsEasyFor(long bytes) =>
        Fits(GC.GetTotalMemory(forceFullCollection: false) + bytes, EasyPercent)
        && Fits(GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes + bytes, MostPercent);

    private bool Fits(long bytes, int percent) => bytes <= bytesMax / 100 * percent;
}
