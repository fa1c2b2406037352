using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Server.Runtime;

/// <summary>
/// The end of a process that can no longer prove what it holds: one sentence, a code that is not zero, and no more.
/// </summary>
public static partial class ProcessEnd
{
    private static int _isEnding;

    /// <summary>
    /// Ends the process at once: no other thread gets to acknowledge anything, and nothing that waits is flushed.
    /// </summary>
    public static void Now(ExitCode code, string sentence)
    {
        // One sentence, of whoever comes first.
        if (Interlocked.Exchange(ref _isEnding, 1) == 0)
        {
            Console.Error.WriteLine("quorate: " + sentence);
            Console.Error.Flush();
            Leave((int)code);
        }

        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>What to say of an exception that nobody has foreseen.</summary>
    public static string SentenceOf(Exception e) => e switch
    {
        // Without a word that would have to be made: there may be no memory for it.
        OutOfMemoryException => "The memory for requests and replies on their way is used up; nothing acknowledged is "
            + "lost. Start the node again, with more of it (--memory), or send smaller requests and fewer at once.",
        InvariantBrokenException =>
            $"An invariant is broken, so this node can no longer prove what it holds: {e.Message}. Please report it.",
        _ => $"A defect has stopped this node: {e}",
    };

    [LibraryImport("libc.so.6", EntryPoint = "_exit")]
    private static partial void Leave(int code);
}
