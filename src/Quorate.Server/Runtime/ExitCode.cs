namespace Quorate.Server.Runtime;

/// <summary>How `quorate` ends, a node or a command; the numbers are those of sysexits.h where it has one.</summary>
public enum ExitCode
{
    /// <summary>It was asked to stop, and has stopped in order.</summary>
    Ok = 0,

    /// <summary>What was asked about is not so: a history is not linearizable, a cluster is not healthy.</summary>
    Failed = 1,

    /// <summary>The command line or a setting is wrong.</summary>
    Usage = 64,

    /// <summary>The data cannot be used: damaged, of another cluster, of a newer format.</summary>
    Data = 65,

    /// <summary>A file that was named is not there.</summary>
    NoInput = 66,

    /// <summary>Something needed is not there: a port is taken, a folder is in use, nobody answers.</summary>
    Unavailable = 69,

    /// <summary>An invariant is broken: a defect. The node can no longer prove what it holds.</summary>
    Internal = 70,

    /// <summary>Memory has run out: its own part of `--memory`, or the system's. The sentence says which.</summary>
    OutOfMemory = 71,

    /// <summary>The disk has refused something that the node cannot do without.</summary>
    InputOutput = 74,

    /// <summary>It was told twice to stop, and has left at once; nothing acknowledged is lost.</summary>
    Interrupted = 130,
}
