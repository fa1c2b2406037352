using System.Diagnostics;

namespace Quorate.Server.Resp;

/// <summary>
/// What INFO shows of the endpoint's counters: since CONFIG RESETSTAT was last said. The metrics, which must not fall,
/// go on from the start of the process. Any thread may use it.
/// </summary>
internal sealed class InfoStats
{
    /// <summary>The rate is that of about the last so many milliseconds, or since it was last looked at.</summary>
    private const long RateMilliseconds = 1000;

    private readonly Lock _lock = new();
    private Figures _base;
    private long _rateFrom = Stopwatch.GetTimestamp();
    private long _rateCommands;
    private double _rate;

    /// <summary>All that was counted since the last reset.</summary>
    public Figures Of(RespCounters counters)
    {
        Figures now = Figures.Of(counters);
        lock (_lock)
        {
            return new(
                now.Connections - _base.Connections,
                now.Rejected - _base.Rejected,
                now.Commands - _base.Commands,
                now.BytesIn - _base.BytesIn,
                now.BytesOut - _base.BytesOut,
                now.Refused - _base.Refused,
                now.Unknown - _base.Unknown);
        }
    }

    /// <summary>Commands a second, in the mean since INFO was last asked for, a second ago at least.</summary>
    public long CommandsPerSecond(RespCounters counters)
    {
        lock (_lock)
        {
            double milliseconds = Stopwatch.GetElapsedTime(_rateFrom).TotalMilliseconds;
            if (milliseconds >= RateMilliseconds)
            {
                _rate = (counters.Commands - _rateCommands) * 1000 / milliseconds;
                _rateFrom = Stopwatch.GetTimestamp();
                _rateCommands = counters.Commands;
            }

            return (long)_rate;
        }
    }

    public void Reset(RespCounters counters)
    {
        lock (_lock)
        {
            _base = Figures.Of(counters);
        }
    }

    internal readonly record struct Figures(
        long Connections, long Rejected, long Commands, long BytesIn, long BytesOut, long Refused, long Unknown)
    {
        public static Figures Of(RespCounters counters) => new(
            counters.Connections, counters.Rejected, counters.Commands, counters.BytesIn, counters.BytesOut,
            counters.RefusedRequests, counters.UnknownRequests);
    }
}
