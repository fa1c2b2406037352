using System.Globalization;
using System.Runtime;
using Quorate.Storage.Rows;

namespace Quorate.Server.Settings;

/// <summary>
/// How the memory that a process may take is divided (docs/operating/memory.md): rows in native memory and caches are
/// counted by the node's own budget; everything else is managed, and bounded by the collector.
/// </summary>
/// <param name="TotalBytes">What the process may take.</param>
/// <param name="BudgetBytes">For rows, caches, indexes and queues, counted by the node.</param>
/// <param name="ManagedBytes">What the collector lets the managed heap grow to.</param>
public sealed record MemoryPlan(long TotalBytes, long BudgetBytes, long ManagedBytes)
{
    /// <summary>Less than this does not hold a node.</summary>
    public const long BytesMin = 256L * 1024 * 1024;

    /// <summary>The budget's share of the total, in percent.</summary>
    private const int BudgetPercent = 50;

    /// <summary>
    /// What the runtime, its code, its threads and the sockets take beside both, in bytes: of the half for the budget,
    /// so that the whole is near what was asked for. Measured under load with 256 MiB; it does not grow with the total.
    /// </summary>
    private const long RuntimeBytes = 64L * 1024 * 1024;

    /// <summary>The managed heap's share of the total, in percent.</summary>
    private const int ManagedPercent = 50;

    /// <summary>
    /// What may be under way of the managed heap, in percent: the rest is for what is no request and what the collector
    /// has not taken yet.
    /// </summary>
    private const int UnderWayPercent = 62;

    /// <summary>
    /// What work on files takes of the managed heap beside that, in percent. It is counted with the rows, since it goes
    /// on as far as they leave room, and the collector has it, too.
    /// </summary>
    private const int WorkPercent = 20;

    /// <summary>A smaller managed heap is not collected in the background, in bytes.</summary>
    private const long BackgroundHeapBytesMin = 512L * 1024 * 1024;

    /// <summary>Entries, requests, replies and messages under way, of all the node, in bytes.</summary>
    public long UnderWayBytes => ManagedBytes * UnderWayPercent / 100;

    /// <summary>Checkpoints and merges under way, in bytes.</summary>
    public long WorkBytes => ManagedBytes * WorkPercent / 100;

    /// <summary>What may be on its way through the node.</summary>
    public MemoryLimits Limits => new(ManagedBytes);

    /// <param name="bytes">What was asked for; zero: half of what there is.</param>
    public static MemoryPlan For(long bytes)
    {
        long total = bytes > 0 ? bytes : Math.Max(BytesMin, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
        return new(total, (total * BudgetPercent / 100) - RuntimeBytes, total * ManagedPercent / 100);
    }

    /// <summary>
    /// Bounds the managed heap from now on. The collector works harder as it comes near; at the bound the process ends.
    /// A small heap is not collected in the background: what is allocated meanwhile may take what there is, although
    /// most of it is free, and a whole collection of it takes some tens of milliseconds only.
    /// </summary>
    public void BoundCollector()
    {
        AppContext.SetData("GCHeapHardLimit", (ulong)ManagedBytes);
        GC.RefreshMemoryLimit();
        if (ManagedBytes < BackgroundHeapBytesMin)
        {
            GCSettings.LatencyMode = GCLatencyMode.Batch;
        }
    }

    public override string ToString()
    {
        string values = Limits.AreValuesLimited
            ? string.Create(CultureInfo.InvariantCulture, $"; values up to {Limits.ValueBytesMax >> 20} MiB")
            : "";
        long composed = Limits.ComposedBytesMax;
        values += composed < RowLimits.ValueBytesMax
            ? string.Create(CultureInfo.InvariantCulture, $"; by APPEND and its kin {composed >> 20} MiB")
            : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{TotalBytes >> 20} MiB, of which {BudgetBytes >> 20} MiB for rows and caches{values}");
    }
}
