using Quorate.Core.Model;

namespace Quorate.Server.Runtime;

/// <summary>
/// Cuts background work into pieces of about a named time, and says when the next is due.
/// </summary>
internal sealed class WorkPace(NodeLoopSettings settings)
{
    private int _budgetBytes = settings.WorkBytesMin;
    private bool _isMore;

    /// <summary>A piece follows each round, whatever else waits: the node stops, and nobody waits for it.</summary>
    public bool IsHurried { get; set; }

    /// <summary>While inputs wait, only a piece that has waited long enough is due.</summary>
    public bool IsDue(LoopAlarm alarm, Instant now, bool inputsWait) =>
        now >= alarm.WorkAt || (_isMore && (IsHurried || !inputsWait));

    /// <summary>Does a piece.</summary>
    public void Do(IDrivenNode node, LoopAlarm alarm, Instant now, NodeLoopFigures figures)
    {
        // What is asked for meanwhile counts for the next piece.
        alarm.WorkAt = Instant.Never;
        _isMore = node.Work(_budgetBytes);
        Instant end = MonotonicClock.Now;
        long took = (end - now).Microseconds;
        figures.CountWork(took);
        if (took > settings.WorkMicroseconds)
        {
            _budgetBytes = Math.Max(settings.WorkBytesMin, _budgetBytes / 2);
        }
        else if (took < settings.WorkMicroseconds / 2)
        {
            _budgetBytes = Math.Min(settings.WorkBytesMax, _budgetBytes * 2);
        }

        if (_isMore)
        {
            alarm.WorkAt = end + new Duration(settings.WorkEveryMicroseconds);
        }
    }
}
