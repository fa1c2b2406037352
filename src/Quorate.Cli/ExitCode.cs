namespace Quorate.Cli;

/// <summary>How `quorate` ends; the numbers are those of sysexits.h where it has one.</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>What was asked about is not so: a history is not linearizable, a cluster is not healthy.</summary>
    Failed = 1,

    /// <summary>The command line or a setting makes no sense.</summary>
    Usage = 64,

    /// <summary>A file holds what it must not.</summary>
    Data = 65,

    /// <summary>A file that was named is not there.</summary>
    NoInput = 66,

    /// <summary>Nobody answers, a port is taken, a folder is in use.</summary>
    Unavailable = 69,

    /// <summary>A defect of Quorate.</summary>
    Internal = 70,

    /// <summary>The disk refused.</summary>
    InputOutput = 74,
}
