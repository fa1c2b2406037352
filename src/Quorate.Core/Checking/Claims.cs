using System.Text;

namespace Quorate.Core.Checking;

/// <summary>
/// The names under which checkers report what was broken. The session guarantees are those of Terry and others,
/// "Session guarantees for weakly consistent replicated data" (1994).
/// </summary>
public static class Claims
{
    /// <summary>Some order of each key's operations, within their times, explains every reply.</summary>
    public const string Linearizability = "linearizability";

    /// <summary>What a refused operation would have done is never seen.</summary>
    public const string RefusedWriteSeen = "refused-write-seen";

    /// <summary>A session sees its own acknowledged writes.</summary>
    public const string ReadYourWrites = "read-your-writes";

    /// <summary>What a session sees of a key never gets older.</summary>
    public const string MonotonicReads = "monotonic-reads";

    /// <summary>A session's writes take their places in the log in the session's order.</summary>
    public const string MonotonicWrites = "monotonic-writes";

    /// <summary>A session's write comes after everything that the session has read.</summary>
    public const string WritesFollowReads = "writes-follow-reads";

    /// <summary>A read sees all that its session's token covers; its own token covers what it saw.</summary>
    public const string TokenCovered = "token-covered";

    /// <summary>"Session lost" is answered only when an entry that the session holds a token of was lost.</summary>
    public const string FalseSessionLost = "false-session-lost";

    /// <summary>A session whose newest entry was lost is told so, not served something older.</summary>
    public const string LostWriteHidden = "lost-write-hidden";

    /// <summary>Every value read was written to that key by a committed entry.</summary>
    public const string ValueNeverWritten = "value-never-written";
}

/// <summary>
/// A promise that a run broke: the claim's name, one line that tells how, and the evidence.
/// <para>Invariants: claim and text hold no line break; each detail is one line.</para>
/// </summary>
public sealed class BrokenClaim
{
    private readonly string[] _details;

    public BrokenClaim(string claim, string text, ReadOnlySpan<string> details)
    {
        Claim = claim;
        Text = text;
        _details = details.ToArray();
    }

    /// <summary>One of <see cref="Claims"/>.</summary>
    public string Claim { get; }

    public string Text { get; }

    public ReadOnlySpan<string> Details => _details;

    /// <summary>One line.</summary>
    public override string ToString() => $"{Claim}: {Text}";

    /// <summary>The line and, indented below it, the evidence.</summary>
    public string Report()
    {
        var report = new StringBuilder(ToString());
        foreach (string line in _details)
        {
            report.Append("\n  ").Append(line);
        }

        return report.ToString();
    }
}
