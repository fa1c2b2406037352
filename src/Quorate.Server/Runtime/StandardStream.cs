using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;

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

    private const string Descriptors = "/proc/self/fd";
    private const int None = -1;
    private const int LastStandard = 2;
    private const int AccessMask = 3;
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
        if (_descriptor == None)
        {
            return IsGone;
        }

        long until = Environment.TickCount64 + milliseconds;
        int written = 0;
        fixed (byte* first = bytes)
        {
            while (written < bytes.Length)
            {
                int left = Guards.ReadersAreNotWaitedFor
                    ? (int)Math.Max(0, until - Environment.TickCount64)
                    : Timeout.Infinite;
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

    /// <summary>A description that does not block, or the one that was given; -1 where none was.</summary>
    private static int Open(int given)
    {
        if (!OperatingSystem.IsLinux())
        {
            return given;
        }

        if (!IsGiven(given))
        {
            return None;
        }

        // What has a position is a file, or nothing at all: it is always ready, and a second description of it would
        // have a position of its own.
        if (Seek(given, 0, CurrentPosition) >= 0)
        {
            return given;
        }

        int own = OpenFile(
            string.Create(CultureInfo.InvariantCulture, $"{Descriptors}/{given}"),
            WriteOnly | NonBlocking | NoControllingTerminal | CloseOnExec);
        return own >= 0 ? own : given;
    }

    /// <summary>
    /// A process may be started without this stream. Then the number is soon somebody else's, mostly an end of the pipe
    /// by which the runtime tells itself of signals, into which nothing must be written.
    /// </summary>
    private static bool IsGiven(int given)
    {
        if (!MayWrite(given))
        {
            return false;
        }

        string? target = TargetOf(given);
        return target?.StartsWith("pipe:", StringComparison.Ordinal) != true
            || !OwnDescriptors().Any(other => other > LastStandard && TargetOf(other) == target && !MayWrite(other));
    }

    private static IEnumerable<int> OwnDescriptors() =>
        Directory.EnumerateFileSystemEntries(Descriptors)
            .Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));

    private static string? TargetOf(int descriptor)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"{Descriptors}/{descriptor}")).LinkTarget;
        }
        catch (IOException)
        {
            // It is closed by now.
            return null;
        }
    }

    /// <summary>How the system says that it was opened: octal digits, the last of them the way of access.</summary>
    private static bool MayWrite(int descriptor)
    {
        try
        {
            string file = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{descriptor}");
            string flags = File.ReadLines(file).First(line => line.StartsWith("flags:", StringComparison.Ordinal));
            return ((flags[^1] - '0') & AccessMask) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
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
