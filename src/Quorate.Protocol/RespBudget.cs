namespace Quorate.Protocol;

/// <summary>
/// Bytes that the commands of all connections of a node may take: while they arrive, while they are queued, and while
/// they are executed. Many connections that each send the half of a large command must neither take the node's memory
/// nor keep it from the others (pitfall S6). Any thread may call it.
/// <para>Up to a quarter everybody takes what comes. Beyond it a command that is large already waits, all but one: the
/// foremost, which goes on so that there is always somebody who comes to an end. Small commands go on up to the
/// whole.</para>
/// </summary>
public sealed class RespBudget(long bytesMax)
{
    /// <summary>A command that takes no more than this does not wait while there is anything left, in bytes.</summary>
    public const int SmallBytes = 64 * 1024;

    /// <summary>
    /// What is queued for later (MULTI, WATCH) may take what is left but for this part of the whole, so that who queues
    /// and never executes leaves room for those that do.
    /// </summary>
    private const int PartKeptFromQueues = 4;

    /// <summary>
    /// Everybody takes what comes up to this part of the whole: what is let in is in memory several times further on.
    /// </summary>
    private const int PartFree = 4;

    private long _taken;
    private long _unfinished;
    private object? _foremost;
    private int _hasWaiting;

    public long BytesMax => bytesMax;

    /// <summary>All that is taken, in bytes.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Of it, what belongs to commands that have not come whole, or wait for an EXEC.</summary>
    public long Unfinished => Interlocked.Read(ref _unfinished);

    /// <summary>Large commands wait for each other, or for the process to have memory.</summary>
    public bool IsTight => Taken > bytesMax / PartFree
        || Volatile.Read(ref _foremost) is not null
        || Volatile.Read(ref _hasWaiting) != 0;

    /// <summary>
    /// Told when something was given back while a command waited; on the thread that gave it, perhaps within its turn.
    /// </summary>
    public Action? RoomCame { get; set; }

    /// <summary>
    /// Whether the process has memory for so many bytes more; asked, on any thread, before a large command takes them.
    /// </summary>
    public Func<long, bool> HeapHasRoom { get; set; } = static _ => true;

    /// <summary>Takes bytes for something unfinished, if there are any left.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= bytesMax)
        {
            Interlocked.Add(ref _unfinished, bytes);
            return true;
        }

        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>The same for what is queued.</summary>
    public bool TryQueue(long bytes) => Taken + bytes <= bytesMax - (bytesMax / PartKeptFromQueues) && TryTake(bytes);

    /// <summary>What was taken will be executed: nobody waits for its client any more.</summary>
    public void Finish(long bytes) => Interlocked.Add(ref _unfinished, -bytes);

    /// <param name="bytes">That were taken.</param>
    /// <param name="isFinished">They were told to <see cref="Finish"/>.</param>
    public void Give(long bytes, bool isFinished)
    {
        Interlocked.Add(ref _taken, -bytes);
        if (!isFinished)
        {
            Interlocked.Add(ref _unfinished, -bytes);
        }

        TellWaiting();
    }

    /// <summary>Somebody else may be the foremost.</summary>
    public void Leave(object command)
    {
        if (Interlocked.CompareExchange(ref _foremost, null, command) == command)
        {
            TellWaiting();
        }
    }

    /// <summary>
    /// Whether <see cref="TryGrow"/> is likely to succeed. It asks all that is asked there: who is told yes here and no
    /// there would try again and again, on a thread that others need.
    /// </summary>
    internal bool MayGrow(object command, long size, long bytes) =>
        Taken + bytes <= bytesMax
        && (bytes <= SmallBytes || HeapHasRoom(bytes))
        && (Taken + bytes <= bytesMax / PartFree || size <= SmallBytes || Volatile.Read(ref _foremost) is not { } other
            || other == command);

    /// <summary>Takes bytes for a command that arrives; false when it has to wait.</summary>
    /// <param name="size">What it takes then.</param>
    internal bool TryGrow(object command, long size, long bytes)
    {
        bool isFree = Taken + bytes <= bytesMax / PartFree || size <= SmallBytes;
        bool isAsked = bytes > SmallBytes;
        if ((isFree || IsForemost(command)) && (!isAsked || HeapHasRoom(bytes)) && TryTake(bytes))
        {
            return true;
        }

        Volatile.Write(ref _hasWaiting, 1);
        return false;
    }

    private bool IsForemost(object command) =>
        Interlocked.CompareExchange(ref _foremost, command, null) is not { } other || other == command;

    private void TellWaiting()
    {
        if (Volatile.Read(ref _hasWaiting) != 0 && Interlocked.Exchange(ref _hasWaiting, 0) != 0)
        {
            RoomCame?.Invoke();
        }
    }
}
