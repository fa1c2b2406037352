using Quorate.Core;

namespace Quorate.Server.Resp;

/// <summary>
/// What the replies of all clients together take while they wait to be read (pitfall S7): ready ones, those that come
/// from partitions, and what the sockets have not taken. Each connection has a bound of its own besides.
/// <para>From the half on a client that has anything under way is asked for nothing more until it is through, and one
/// whose replies are large waits; a reply beyond the whole is refused. Between the two, the clients that hold most and
/// take nothing are closed (<see cref="RespEndpoint"/>).</para>
/// <para>Replies below <see cref="GrainBytes"/> are not counted one by one, so that small ones cost nothing.</para>
/// </summary>
/// <param name="bytesMax">All that may wait, in bytes.</param>
internal sealed class ReplyRoom(long bytesMax)
{
    /// <summary>By how much a connection's figure may be wrong, in bytes.</summary>
    public const int GrainBytes = 4096;

    private long _held;

    private int _hasWaiting;

    public long BytesMax => bytesMax;

    public long Held => Interlocked.Read(ref _held);

    /// <summary>Who has something under way is to wait.</summary>
    public bool IsTight => Held > bytesMax / 2 && Guards.RepliesOfAllAreBounded;

    /// <summary>Somebody must go, if there is somebody who takes nothing.</summary>
    public bool IsPressed => Held > bytesMax / 4 * 3;

    /// <summary>
    /// Whether a reply may be kept that nothing is lost by refusing. One that is larger than all that may wait is let
    /// in while almost nothing waits.
    /// </summary>
    public bool HasRoomFor(long bytes) =>
        bytes < GrainBytes || Held + bytes <= bytesMax || Held <= bytesMax / 8 || !Guards.RepliesOfAllAreBounded;

    /// <summary>
    /// Whether a client whose replies are usually so large may ask for another; one of whom nothing is known (negative)
    /// is let in only while a quarter is left, since what is read for nothing takes memory, too.
    /// </summary>
    public bool HasRoomForLike(long usual) => usual >= 0 ? HasRoomFor(usual) : !IsPressed;

    /// <summary>A client waits of whom nothing may be under way, so that nothing of its own wakes it.</summary>
    public void NoteWaiting()
    {
        if (Volatile.Read(ref _hasWaiting) == 0)
        {
            Volatile.Write(ref _hasWaiting, 1);
        }
    }

    /// <summary>Whether clients have begun to wait since this was last asked.</summary>
    public bool TakeWaiting() => Volatile.Read(ref _hasWaiting) != 0 && Interlocked.Exchange(ref _hasWaiting, 0) != 0;

    public void Add(long bytes) => Interlocked.Add(ref _held, bytes);
}
