using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Server.Runtime;

/// <summary>
/// The node's monotonic clock: CLOCK_BOOTTIME, which goes on while the machine is suspended, so that a lease does not
/// outlive a sleep (pitfall R9). The runtime's own clock stops then.
/// </summary>
public static partial class MonotonicClock
{
    private const int BootTime = 7;
    private const string Library = "libc.so.6";

    /// <summary>Now.</summary>
    /// <exception cref="PlatformNotSupportedException">The system has no such clock.</exception>
    public static unsafe Instant Now
    {
        get
        {
            TimeSpec time;
            if (ReadClock(BootTime, &time) != 0)
            {
                throw new PlatformNotSupportedException("This system has no CLOCK_BOOTTIME, which leases need.");
            }

            return new((time.Seconds * 1_000_000) + (time.Nanoseconds / 1000));
        }
    }

    // It is read many times in a round and does not enter the kernel: the collector need not be told.
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "clock_gettime")]
    private static unsafe partial int ReadClock(int clock, TimeSpec* time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
