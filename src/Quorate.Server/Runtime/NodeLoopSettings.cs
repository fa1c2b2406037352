namespace Quorate.Server.Runtime;

/// <summary>Which threads drive a node.</summary>
public enum Driving : byte
{
    /// <summary>
    /// Whoever brings an input, unless somebody is at it already; while much comes, a thread of its own, which finds
    /// more to do each time.
    /// </summary>
    ByLoad = 0,

    /// <summary>Whoever brings an input, unless somebody is at it already, however much comes.</summary>
    WhoeverComes = 2,

    /// <summary>A thread of its own alone; all others hand over to it.</summary>
    OwnThread = 1,
}

/// <summary>The limits of a <see cref="NodeLoop"/>.</summary>
public sealed record NodeLoopSettings
{
    public Driving Driving { get; init; } = Driving.ByLoad;

    /// <summary>Inputs that wait. Beyond, calls are refused and peers' messages are lost.</summary>
    public int InputsMax { get; init; } = 64 * 1024;

    /// <summary>Peers' messages that wait, in bytes; one larger message is taken when none waits.</summary>
    public long MessageBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Rounds that a thread which only brought an input drives, before it hands over to the loop's own thread.
    /// </summary>
    public int BorrowedRoundsMax { get; init; } = 4;

    /// <summary>The same in time, in microseconds.</summary>
    public long BorrowedMicrosecondsMax { get; init; } = 500;

    /// <summary>
    /// Connections answered in a round, in the mean, from which on the loop's own thread drives: while it is woken more
    /// comes, and to do it together costs less than the waking.
    /// </summary>
    public int BusyAnswers { get; init; } = 3;

    /// <summary>How long a piece of background work is to take, in microseconds: an input waits no longer.</summary>
    public long WorkMicroseconds { get; init; } = 250;

    /// <summary>While inputs keep coming, background work gets a piece this often, in microseconds.</summary>
    public long WorkEveryMicroseconds { get; init; } = 2_000;

    /// <summary>The smallest piece of background work, in bytes.</summary>
    public int WorkBytesMin { get; init; } = 4 * 1024;

    /// <summary>The largest piece of background work, in bytes.</summary>
    public int WorkBytesMax { get; init; } = 1024 * 1024;
}
