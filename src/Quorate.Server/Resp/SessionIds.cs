using System.Security.Cryptography;
using Quorate.Core.Model;

namespace Quorate.Server.Resp;

/// <summary>
/// Gives out ids of request sessions. They rise with the time of making, as the partitions expect them, so that one
/// which was evicted is known as such; where two are made at about the same time, either may be the higher one.
/// <para>From the highest bit: time since 1970 in units of 128 ms (35 bits, until 2109), node (10), life (12), count
/// (7). Within a life an id never repeats, since the time does not go back with the clock. The life is drawn at each
/// start of the process, so that a clock which went back over a restart repeats none, but for one chance in 4096 that
/// the same life is drawn. Unique in the cluster while nodes whose ids differ by a multiple of 1024 do not give out one
/// at the same time.</para>
/// </summary>
internal sealed class SessionIds(int life)
{
    private const int UnitBits = 7;
    private const int CountBits = 7;
    private const int LifeBits = 12;
    private const int NodeBits = 10;
    private const int TimeShift = NodeBits + LifeBits + CountBits;

    private readonly Lock _gate = new();
    private long _unit;
    private int _count;

    /// <summary>What a life is known by.</summary>
    public static int Draw() => RandomNumberGenerator.GetInt32(1 << LifeBits);

    /// <summary>No id of that time is higher, whoever gives it out.</summary>
    public static ulong Newest(long wallClockMilliseconds) =>
        ((ulong)((wallClockMilliseconds >> UnitBits) + 1) << TimeShift) - 1;

    public ulong Next(NodeId node, long wallClockMilliseconds)
    {
        lock (_gate)
        {
            long unit = wallClockMilliseconds >> UnitBits;
            if (unit > _unit)
            {
                _unit = unit;
                _count = 0;
            }
            else if (++_count == 1 << CountBits)
            {
                _unit++;
                _count = 0;
            }

            uint low = ((node.Value & ((1 << NodeBits) - 1)) << (LifeBits + CountBits))
                | ((uint)(life & ((1 << LifeBits) - 1)) << CountBits)
                | (uint)_count;
            return ((ulong)_unit << TimeShift) | low;
        }
    }
}
