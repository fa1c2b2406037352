namespace Quorate.Protocol;

/// <summary>
/// The first words of errors, by which a client tells what became of its request. All but <see cref="Unknown"/> say
/// that it surely did nothing.
/// </summary>
public static class ErrorCodes
{
    /// <summary>The request may have been executed, or may still be.</summary>
    public const string Unknown = "UNKNOWN";

    /// <summary>Surely not executed, now or later; the text says why.</summary>
    public const string Refused = "REFUSED";

    /// <summary>
    /// How a refusal begins that speaks for the whole node: it stops, and the connection closes. Ask another one.
    /// </summary>
    public const string RefusedByStop = Refused + " this node is stopping";

    /// <summary>Surely not executed: nobody leads the partition that it concerns, or there is no cluster.</summary>
    public const string ClusterDown = "CLUSTERDOWN";

    /// <summary>Surely not executed: something is changing or full; the same request may work soon.</summary>
    public const string TryAgain = "TRYAGAIN";

    /// <summary>Surely not executed: the node is starting.</summary>
    public const string Loading = "LOADING";

    /// <summary>Surely not executed: there is no room.</summary>
    public const string OutOfMemory = "OOM";

    /// <summary>Surely not executed: its keys are of several slots.</summary>
    public const string CrossSlot = "CROSSSLOT";

    /// <summary>Surely not executed: what the session has seen was lost, or cannot be judged any more.</summary>
    public const string SessionLost = "SESSIONLOST";

    /// <summary>Any other error, as Redis has it: of the command itself, which changed nothing.</summary>
    public const string Error = "ERR";

    /// <summary>Whether a request that was answered with this error may be sent again without being done
    /// twice.</summary>
    public static bool SurelyDidNothing(string code) => !string.Equals(code, Unknown, StringComparison.Ordinal);
}
