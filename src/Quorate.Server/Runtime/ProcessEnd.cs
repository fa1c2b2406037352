using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Server.Settings;

namespace Quorate.Server.Runtime;

/// <summary>
/// The end of a process that can no longer prove what it holds: one sentence, a code that is not zero, and no more.
/// <para>Invariant: the first that calls ends the process within <see cref="SentenceMilliseconds"/>, whether anybody
/// reads the sentence or not, and whether there is memory or not.</para>
/// </summary>
public static partial class ProcessEnd
{
    /// <summary>How long the end waits for somebody to take its sentence.</summary>
    private const int SentenceMilliseconds = 1000;

    /// <summary>Characters that are encoded at a time: at most three bytes each.</summary>
    private const int PieceCharacters = 1024;

    /// <summary>If so much cannot be had from the system, it is the system that has no more.</summary>
    private const nuint ProbeBytes = (nuint)MemoryPlan.BytesMin;

    private const string NothingIsLost = "nothing acknowledged is lost";

    private static readonly string SystemsMemory =
        "The system gives this process no more memory, though it has not yet taken what --memory allows; "
        + $"{NothingIsLost}. Let the machine, the container or the limit (ulimit -v) have more, or say less by "
        + "--memory, and start the node again.";

    private static string _ownMemory =
        $"The memory for requests and replies on their way is used up; {NothingIsLost}. Start the node again, with "
        + "more of it (--memory), or send smaller requests and fewer at once.";

    private static int _isEnding;
    private static int _endingThread;
    private static int _lookingThread;

    /// <summary>
    /// From now on memory that runs out, or a broken invariant, ends this process in one way, on whatever thread that
    /// is and whoever would have caught it; and so does what nobody catches.
    /// </summary>
    /// <param name="plan">Whose managed part is the node's own bound.</param>
    public static void Watch(MemoryPlan plan)
    {
        _ownMemory = string.Create(
            CultureInfo.InvariantCulture,
            $"The {plan.ManagedBytes >> 20} MiB for requests and replies on their way, half of --memory, are used up; "
                + $"{NothingIsLost}. Start the node again, with more of it, or send smaller requests and fewer at "
                + $"once.");

        // There may be no memory to get ready with later.
        StandardStream.Error.Write([], 0);
        AppDomain.CurrentDomain.FirstChanceException += (_, thrown) => Thrown(thrown);
        AppDomain.CurrentDomain.UnhandledException += (_, uncaught) =>
            Now(CodeOf(uncaught.ExceptionObject), SentenceOf((Exception)uncaught.ExceptionObject));
    }

    /// <summary>
    /// Ends the process at once: no other thread gets to acknowledge anything, and nothing that waits is flushed.
    /// </summary>
    public static void Now(ExitCode code, string sentence)
    {
        // One sentence, of whoever comes first.
        if (Interlocked.Exchange(ref _isEnding, 1) == 0)
        {
            _endingThread = Environment.CurrentManagedThreadId;
            Say("quorate: ", sentence);
            Leave((int)code);
        }
        else if (_endingThread == Environment.CurrentManagedThreadId)
        {
            // Not even the sentence could be said.
            Leave((int)code);
        }

        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>How a process ends for want of this.</summary>
    public static ExitCode CodeOf(object thrown) =>
        thrown is OutOfMemoryException ? ExitCode.OutOfMemory : ExitCode.Internal;

    /// <summary>What to say of an exception that nobody has foreseen.</summary>
    public static string SentenceOf(Exception e) => e switch
    {
        // Without a word that would have to be made: there may be no memory for it.
        OutOfMemoryException => HasSystemMore() ? _ownMemory : SystemsMemory,
        InvariantBrokenException =>
            $"An invariant is broken, so this node can no longer prove what it holds: {e.Message}. Please report it.",
        _ => $"A defect has stopped this node: {e}",
    };

    private static void Thrown(FirstChanceExceptionEventArgs thrown)
    {
        Exception e = thrown.Exception;
        bool isEnd = e is InvariantBrokenException
            || (e is OutOfMemoryException && (Volatile.Read(ref _isEnding) != 0 || !IsOfThreadStart()));
        if (isEnd && Guards.EndsAreTheSameEverywhere)
        {
            Now(CodeOf(e), SentenceOf(e));
        }
    }

    /// <summary>
    /// A thread that the system does not start is called so, too; the thread pool goes on with those that it has.
    /// </summary>
    private static bool IsOfThreadStart()
    {
        // Looking takes memory, and may end here again.
        int before = Interlocked.CompareExchange(ref _lookingThread, Environment.CurrentManagedThreadId, 0);
        if (before == Environment.CurrentManagedThreadId)
        {
            return false;
        }

        try
        {
            return new StackTrace(fNeedFileInfo: false).GetFrames().Any(
                frame => frame.GetMethod() is { Name: "Start" or "UnsafeStart" or "StartCore" } method
                    && method.DeclaringType == typeof(Thread));
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
        finally
        {
            Volatile.Write(ref _lookingThread, before);
        }
    }

    private static unsafe bool HasSystemMore()
    {
        void* probe = Allocate(ProbeBytes);
        Free(probe);
        return probe is not null;
    }

    private static void Say(string first, string sentence)
    {
        Span<byte> bytes = stackalloc byte[(3 * PieceCharacters) + 1];
        int length = Encoding.UTF8.GetBytes(first, bytes);
        ReadOnlySpan<char> left = sentence;
        long until = Environment.TickCount64 + SentenceMilliseconds;
        bool isSaid = true;
        while (isSaid && left.Length > 0)
        {
            ReadOnlySpan<char> piece = left[..Math.Min(left.Length, PieceCharacters - first.Length)];
            left = left[piece.Length..];
            length += Encoding.UTF8.GetBytes(piece, bytes[length..]);
            if (left.Length == 0)
            {
                bytes[length++] = (byte)'\n';
            }

            int milliseconds = (int)Math.Max(0, until - Environment.TickCount64);
            isSaid = StandardStream.Error.Write(bytes[..length], milliseconds) == length;
            length = 0;
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "_exit")]
    private static partial void Leave(int code);

    [LibraryImport("libc.so.6", EntryPoint = "malloc")]
    private static unsafe partial void* Allocate(nuint bytes);

    [LibraryImport("libc.so.6", EntryPoint = "free")]
    private static unsafe partial void Free(void* memory);
}
