using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Server.Runtime;

/// <summary>
/// The standard output or error of the process, written so that nobody waits for whoever reads it longer than he wants
/// to: a terminal may be held, and a pipe be full because its reader stands still, for as long as the process lives.
/// <para>Invariant: a write ends within its time. Where the other end is a pipe or a terminal this stands on a
/// description of the process's own that does not block, so that the one it was given, which others may share, stays as
/// it is; elsewhere a write begins when there is room for it.</para>
/// </summary>
public sealed partial class StandardStream
{
    /// <summary>Nobody reads it any more, and nobody will.</summary>
    public const int IsGone = -1;

    /// <summary>
    /// PIPE_BUF, in bytes: as much goes into a pipe whole or not at all, and when a pipe has room at all.
    /// </summary>
    private const int PieceBytesMax = 4096;

    private const int WriteOnly = 1;
    private const int NonBlocking = 0x800;
    private const int NoControllingTerminal = 0x100;
    private const int CloseOnExec = 0x80000;
    private const int CurrentPosition = 1;
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const short RoomToWrite = 4;

    private readonly int _descriptor;

    private StandardStream(int given) => _descriptor = Open(given);

    public static StandardStream Output { get; } = new(1);

    public static StandardStream Error { get; } = new(2);

    /// <summary>Writes as far as there is room within the time; how many bytes, or <see cref="IsGone"/>.</summary>
    public unsafe int Write(ReadOnlySpan<byte> bytes, int milliseconds)
    {
        long until = Environment.TickCount64 + milliseconds;
        int written = 0;
        fixed (byte* first = bytes)
        {
            while (written < bytes.Length)
            {
                int left = (int)Math.Max(0, until - Environment.TickCount64);
                var wanted = new Poll { Descriptor = _descriptor, Events = RoomToWrite };
                int isReady = WaitFor(&wanted, 1, left);
                if (isReady == 0)
                {
                    return written;
                }

                nint now = isReady < 0
                    ? -1
                    : WriteTo(_descriptor, first + written, Math.Min(PieceBytesMax, bytes.Length - written));
                if (now >= 0)
                {
                    written += (int)now;
                }
                else if (Marshal.GetLastPInvokeError() is not (Interrupted or WouldBlock))
                {
                    return IsGone;
                }
                else if (left == 0)
                {
                    return written;
                }
            }
        }

        return written;
    }

    /// <summary>A description that does not block, or the one that was given.</summary>
    private static int Open(int given)
    {
        // What has a position is a file, or nothing at all: it is always ready, and a second description of it would
        // have a position of its own.
        if (!OperatingSystem.IsLinux() || Seek(given, 0, CurrentPosition) >= 0)
        {
            return given;
        }

        int own = OpenFile(
            string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{given}"),
            WriteOnly | NonBlocking | NoControllingTerminal | CloseOnExec);
        return own >= 0 ? own : given;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(int descriptor, long offset, int from);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int WaitFor(Poll* first, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint WriteTo(int descriptor, byte* buffer, nint count);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Poll
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }
}
