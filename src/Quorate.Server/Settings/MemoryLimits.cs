using Quorate.Node.Cluster;
using Quorate.Server.Http.Entries;
using Quorate.Server.Peers;
using Quorate.Server.Resp;
using Quorate.Server.Runtime;
using Quorate.Storage.Rows;

namespace Quorate.Server.Settings;

/// <summary>
/// The limits of what is on its way through a node, so that a small one does not take more than it has: each is its
/// default, or a share of the managed heap where that is less. What must be held whole (a value, a command) is let in
/// alone by the queues behind, so its own limit is lowered with the rest.
/// </summary>
/// <param name="managedBytes">What the managed heap may grow to.</param>
public sealed class MemoryLimits(long managedBytes)
{
    /// <summary>
    /// A value is at most this part of the heap: it is there several times at once, as what came, as an entry, as what
    /// is sent to others and as what goes to the disk.
    /// </summary>
    private const int ValuePart = 8;

    /// <summary>
    /// All large commands of all connections, until they are answered; one of them may take it all. What is let in here
    /// is there eight times further on: as a message, as what it changes, as an entry, and on its way to disk and
    /// peers. A value fits in with its key.
    /// </summary>
    private const int LargeCommandsPart = 6;

    /// <summary>
    /// One reply, and what is gathered for one from several partitions: a little more than a value, since another is
    /// made while it waits for its client.
    /// </summary>
    private const int ReplyPart = 7;

    /// <summary>The replies that wait for all clients together.</summary>
    private const int RepliesPart = 8;

    /// <summary>A body over HTTP: it, the words that it becomes, their entry and the answer are there at
    /// once.</summary>
    private const int HttpBodyPart = 32;

    private const int HttpBodiesPart = 16;

    /// <summary>
    /// What one connection costs at most, in bytes: so many are let in as there is heap for. 10,000 and more with 1
    /// GiB.
    /// </summary>
    private const int ConnectionBytes = 48 * 1024;

    /// <summary>One MULTI, and messages of other nodes that are not complete.</summary>
    private const int WholePart = 8;

    /// <summary>What waits in one place: for one client, one partition or route, or the node's own turn.</summary>
    private const int WaitingPart = 16;

    /// <summary>What waits to be sent to one other node, of one class.</summary>
    private const int PeerPart = 32;

    /// <summary>
    /// The same for entries of the log. Large ones are sent from where the group keeps them, and one that does not fit
    /// is sent again only after a while, so one of some partitions has room.
    /// </summary>
    private const int LogPart = 8;

    /// <summary>A string that a command makes out of another, which is there besides; few words may do it.</summary>
    private const int ComposedPart = 32;

    /// <summary>Blocks of rows' files that are kept: they are in the managed heap, too.</summary>
    private const int BlockCachePart = 8;

    /// <summary>Beside the value itself, what its request may change, in bytes.</summary>
    private const int ChangeRoomBytes = 8 * 1024 * 1024;

    /// <summary>Connections over HTTP: each has what the server reads ahead and keeps for it.</summary>
    public int HttpConnectionsMax =>
        (int)Math.Min(
            EntryLimits.ConnectionsMax,
            managedBytes / (EntryLimits.ReadAheadBytes + (4 * EntryLimits.ConnectionBufferBytes)));

    /// <summary>A body over HTTP, in bytes, and all that are under way.</summary>
    public (int One, long All) HttpBodyBytesMax =>
        ((int)Least(EntryLimits.BodyBytesMax, HttpBodyPart), Least(EntryLimits.BodiesBytesMax, HttpBodiesPart));

    /// <summary>A value that a client sends, in bytes.</summary>
    public int ValueBytesMax => (int)Least(RowLimits.ValueBytesMax, ValuePart);

    /// <summary>A value that a command makes of what stands there, in bytes.</summary>
    public int ComposedBytesMax => (int)Least(RowLimits.ValueBytesMax, ComposedPart);

    /// <summary>The node is too small for the largest values that there may be.</summary>
    public bool AreValuesLimited => ValueBytesMax < RowLimits.ValueBytesMax;

    public RespSettings Of(RespSettings settings)
    {
        long large = Least(settings.LargeCommandBytesMax, LargeCommandsPart);
        return settings with
        {
            Limits = settings.Limits with
            {
                WordBytesMax = Math.Min(settings.Limits.WordBytesMax, ValueBytesMax),
                CommandBytesMax = (int)Math.Min(settings.Limits.CommandBytesMax, large),
            },
            LargeCommandBytesMax = large,
            GatheredBytesMax = Least(settings.GatheredBytesMax, ReplyPart),
            TransactionBytesMax = Least(settings.TransactionBytesMax, WholePart),
            CommandBytesInFlightMax = Least(settings.CommandBytesInFlightMax, WaitingPart),
            ReplyBytesWaitingMax = Least(settings.ReplyBytesWaitingMax, WaitingPart),
            RepliesBytesMax = Least(settings.RepliesBytesMax, RepliesPart),
            ConnectionsMax = (int)Math.Min(settings.ConnectionsMax, managedBytes / ConnectionBytes),
        };
    }

    public PeerSettings Of(PeerSettings settings) => settings with
    {
        LogBytesMax = Least(settings.LogBytesMax, LogPart),
        RequestBytesMax = Least(settings.RequestBytesMax, PeerPart),
        BulkBytesMax = Least(settings.BulkBytesMax, PeerPart),
        PartialBytesMax = Least(settings.PartialBytesMax, WholePart),
    };

    public NodeLoopSettings Of(NodeLoopSettings settings) =>
        settings with { MessageBytesMax = Least(settings.MessageBytesMax, WaitingPart) };

    public ClusterSettings Of(ClusterSettings settings) => settings with
    {
        BlockCacheBytes = Least(settings.BlockCacheBytes, BlockCachePart),
        Partition = settings.Partition with
        {
            RequestBytesOpenMax = Least(settings.Partition.RequestBytesOpenMax, WaitingPart),
            Limits = settings.Partition.Limits with
            {
                ChangeBytesMax = Math.Min(settings.Partition.Limits.ChangeBytesMax, ValueBytesMax + ChangeRoomBytes),
                ComposedBytesMax = Math.Min(settings.Partition.Limits.ComposedBytesMax, ComposedBytesMax),
                ReplyBytesMax = (int)Least(settings.Partition.Limits.ReplyBytesMax, ReplyPart),
            },
        },
        Routing = settings.Routing with
        {
            ForwardedBytesMax = Least(settings.Routing.ForwardedBytesMax, WaitingPart),
            WaitingBytesMax = Least(settings.Routing.WaitingBytesMax, WaitingPart),
        },
    };

    private long Least(long limit, int part) => Math.Min(limit, managedBytes / part);
}
