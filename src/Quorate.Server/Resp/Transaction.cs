using Quorate.Core.Model;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Protocol;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp;

/// <summary>A key that WATCH has named, and the version that it had.</summary>
internal sealed record WatchedKey(uint Keyspace, byte[] Key, byte[] Version);

/// <summary>A command between MULTI and EXEC.</summary>
/// <param name="Edge">Not null for one that the connection answers itself.</param>
internal sealed record QueuedCommand(CommandLine Line, EdgeCommand? Edge, bool Writes);

/// <summary>
/// The commands between MULTI and EXEC. All keys are of one slot, so that they take effect together or not at all.
/// </summary>
internal sealed class Transaction(RespShared shared)
{
    /// <summary>What a command takes in the queue beside its words, and a word beside its bytes.</summary>
    private const int CommandCostBytes = 128;
    private const int WordCostBytes = 48;

    private readonly RespSettings _settings = shared.Settings;
    private readonly List<QueuedCommand> _commands = [];
    private long _bytes;
    private bool _hasNumberOfNone;

    public IReadOnlyList<QueuedCommand> Commands => _commands;

    /// <summary>Of the keys; null while no command has any.</summary>
    public Slot? Slot { get; private set; }

    /// <summary>A command of it is answered by a partition. One that names a number of keys that it has not is by any.
    /// </summary>
    public bool GoesToPartition => Slot is not null || _hasNumberOfNone;

    /// <summary>A command could not be queued: EXEC will do nothing.</summary>
    public bool IsSpoiled { get; private set; }

    /// <summary>What it keeps, as all connections count it.</summary>
    public InputHold Hold { get; } = new(shared.Budget);

    /// <summary>Nothing of it will be executed, so nothing of it is kept.</summary>
    public void Spoil()
    {
        IsSpoiled = true;
        _commands.Clear();
        Hold.Release();
    }

    /// <summary>A command of it may change something.</summary>
    public bool Writes => _commands.Exists(each => each.Writes);

    /// <summary>A command of a partition.</summary>
    public void Queue(RespRequest request, in CommandRoute route)
    {
        string? error = route.Kind switch
        {
            RouteKind.Error => route.Error,
            RouteKind.NoKeys when route.Spec?.KeysOf is null => NotInTransaction(request),
            RouteKind.NoKeys => null,
            RouteKind.OneSlot when Slot is null || Slot == route.Slot => null,
            _ => $"{ErrorCodes.CrossSlot} Keys in request don't hash to the same slot: those of a transaction must, "
                + "share a {tag} among them",
        };
        if (error is null && route.Kind == RouteKind.OneSlot)
        {
            Slot = route.Slot;
        }

        _hasNumberOfNone |= error is null && route.Kind == RouteKind.NoKeys;
        Queue(request, null, error, route.Spec?.Kind == CommandKind.Write);
    }

    /// <summary>A command of the connection.</summary>
    public void QueueEdge(RespRequest request, EdgeCommand edge) =>
        Queue(
            request,
            edge,
            edge.MayBeQueued ? edge.QueueProblem?.Invoke(request.Connection, request.Line) : NotInTransaction(request),
            writes: false);

    private static string NotInTransaction(RespRequest request) =>
        $"ERR {System.Text.Encoding.Latin1.GetString(request.Line[0])} is not allowed in transactions";

    private void Queue(RespRequest request, EdgeCommand? edge, string? error, bool writes)
    {
        if (error is null && _commands.Count >= _settings.TransactionCommandsMax)
        {
            error = $"ERR a transaction has at most {_settings.TransactionCommandsMax} commands";
        }

        if (error is null && _bytes + request.Command.Bytes > _settings.TransactionBytesMax)
        {
            error = $"ERR the commands of a transaction have at most {_settings.TransactionBytesMax} bytes";
        }

        if (error is null && !IsSpoiled && !Hold.TryAdd(CostOf(request.Line)))
        {
            shared.Counters.RefusedInput();
            error = $"{ErrorCodes.OutOfMemory} too many commands wait at this node for an EXEC or for their rest, "
                + "nothing was done; begin the transaction again later";
        }

        if (error is not null)
        {
            Spoil();
            request.Error(error);
            return;
        }

        if (!IsSpoiled)
        {
            _bytes += request.Command.Bytes;
            _commands.Add(new(Copy(request.Line), edge, writes));
        }

        request.Finish(Replies.Queued);
    }

    private static long CostOf(CommandLine line)
    {
        long bytes = CommandCostBytes;
        for (int i = 0; i < line.Count; i++)
        {
            bytes += line[i].Length + WordCostBytes;
        }

        return bytes;
    }

    /// <summary>The words outlive their request.</summary>
    private static CommandLine Copy(CommandLine line)
    {
        var words = new ReadOnlyMemory<byte>[line.Count];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = line[i].ToArray();
        }

        return new CommandLine(words);
    }
}
