using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>The limits and habits of the RESP endpoint, in one place.</summary>
public sealed record RespSettings
{
    /// <summary>What one command may be.</summary>
    public RespLimits Limits { get; init; } = new();

    /// <summary>Connections of this node; one more is told so and closed.</summary>
    public int ConnectionsMax { get; init; } = 20_000;

    /// <summary>
    /// Commands of one connection that are not answered yet. Beyond it nothing more is read from that client.
    /// </summary>
    public int CommandsInFlightMax { get; init; } = 1024;

    /// <summary>Commands of one connection that are handed to the node at once.</summary>
    public int CommandsPerTurnMax { get; init; } = 256;

    /// <summary>
    /// Commands of a new connection under way at one time: nobody knows yet how large their replies are. It rises with
    /// each reply that is small.
    /// </summary>
    public int FirstCommandsMax { get; init; } = 16;

    /// <summary>
    /// A command that has come in part waits so long for room, in milliseconds; then it is refused. Less than a
    /// request's deadline, so that its client is told.
    /// </summary>
    public int InputWaitMilliseconds { get; init; } = 4000;

    /// <summary>
    /// While more than half of <see cref="LargeCommandBytesMax"/> is taken: a client that has left a command or a MULTI
    /// unfinished and has sent less than <see cref="InputProgressBytes"/> for so long is closed, in milliseconds.
    /// </summary>
    public int InputStallMilliseconds { get; init; } = 2000;

    /// <summary>How much must come of an unfinished command in that time, in bytes; less is no progress.</summary>
    public int InputProgressBytes { get; init; } = 4096;

    /// <summary>Bytes of one connection's commands that are not answered yet, beyond which no more is read.</summary>
    public long CommandBytesInFlightMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// Bytes that the commands of all connections may take while they arrive, wait in a MULTI and are executed; those
    /// of less than 4 KiB count for nothing. From the half on large ones wait for each other.
    /// </summary>
    public long LargeCommandBytesMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>
    /// Bytes of replies that wait for one client, those that are still to come taken to be as large as the latest ones.
    /// Beyond it nothing more is read from that client (pitfall S7).
    /// </summary>
    public long ReplyBytesWaitingMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// Bytes of replies that wait for all clients together. From the half on whoever has something under way is asked
    /// for nothing more; at the whole, reads with large replies are refused (pitfall S7).
    /// </summary>
    public long RepliesBytesMax { get; init; } = 1024L * 1024 * 1024;

    /// <summary>
    /// While more than three quarters of <see cref="RepliesBytesMax"/> wait, the clients that hold most are cut when
    /// they have taken nothing for so long, in milliseconds.
    /// </summary>
    public int PressedStallMilliseconds { get; init; } = 1000;

    /// <summary>Bytes that are read of a client ahead of what is taken; they wait in the system beyond.</summary>
    public int ReadAheadBytesMax { get; init; } = 32 * 1024;

    /// <summary>A client that has replies waiting and takes nothing for so long is cut, in milliseconds.</summary>
    public int ReplyStallMilliseconds { get; init; } = 30_000;

    /// <summary>Bytes of replies that are handed to the socket at once.</summary>
    public int FlushBytes { get; init; } = 64 * 1024;

    /// <summary>
    /// How long a request may take before its outcome is said to be refused or unknown, in milliseconds.
    /// </summary>
    public int RequestDeadlineMilliseconds { get; init; } = 5000;

    /// <summary>
    /// At a stop: for so long commands that come are refused in words before connections close, in milliseconds.
    /// </summary>
    public int LeaveMilliseconds { get; init; } = 300;

    /// <summary>
    /// At a stop, after that: how long connections may take to finish what they have begun, in milliseconds.
    /// </summary>
    public int DrainMilliseconds { get; init; } = 2000;

    /// <summary>Commands of one MULTI.</summary>
    public int TransactionCommandsMax { get; init; } = 16 * 1024;

    /// <summary>Bytes of the commands of one MULTI.</summary>
    public long TransactionBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Keys that one connection watches.</summary>
    public int WatchedKeysMax { get; init; } = 1024;

    /// <summary>Places that SCANs of all clients have come to; the one used longest ago is forgotten.</summary>
    public int ScanCursorsMax { get; init; } = 16 * 1024;

    /// <summary>Bytes of a reply that is gathered from several partitions.</summary>
    public long GatheredBytesMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>Bytes of a connection's name or of what its library says of itself.</summary>
    public int ClientNameBytesMax { get; init; } = 256;
}
