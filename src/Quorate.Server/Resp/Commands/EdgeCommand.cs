using Quorate.Node.Evaluation;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Resp.Commands;

/// <summary>How a command of the connection goes with the commands around it.</summary>
[Flags]
internal enum EdgeHabits : byte
{
    None = 0,

    /// <summary>Inside MULTI it runs at once; others are queued.</summary>
    InTransaction = 1,

    /// <summary>It waits until all before it are done, and none behind it begins before it is.</summary>
    Alone = 2,

    /// <summary>A number that CLIENT REQUESTID has given is not for it, but for a command behind it.</summary>
    LeavesNumber = 4,

    /// <summary>It is done at once and concerns the connection alone, so that it may wait for an EXEC.</summary>
    Queued = 8,
}

/// <summary>A command that the connection runs itself, instead of a partition.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Arity">As Redis counts: words with the name; negative for "at least".</param>
/// <param name="Run">Finishes the request, now or by its steps.</param>
internal sealed record EdgeCommand(string Name, int Arity, EdgeHabits Habits, Action<RespRequest> Run)
{
    /// <summary>
    /// Its reply, where that depends on nothing but the line and the moment: such a command may be queued in a
    /// transaction.
    /// </summary>
    public Func<RespConnection, CommandLine, ReadOnlyMemory<byte>>? Answer { get; init; }

    /// <summary>Why a line of it cannot wait for an EXEC; null when it can. For those that usually can.</summary>
    public Func<RespConnection, CommandLine, string?>? QueueProblem { get; init; }

    /// <summary>It may be queued in a transaction.</summary>
    public bool MayBeQueued => Answer is not null || (Habits & EdgeHabits.Queued) != EdgeHabits.None;

    /// <summary>Inside MULTI it runs at once.</summary>
    public bool RunsInTransaction { get; } = (Habits & EdgeHabits.InTransaction) != EdgeHabits.None;

    /// <summary>A request's number is for a command behind it.</summary>
    public bool LeavesNumber { get; } = (Habits & EdgeHabits.LeavesNumber) != EdgeHabits.None;

    /// <summary>It waits for all before it, and none behind it begins before it is done.</summary>
    public bool IsAlone { get; } = (Habits & EdgeHabits.Alone) != EdgeHabits.None;

    public static EdgeCommand Answering(
        string name, int arity, Func<RespConnection, CommandLine, ReadOnlyMemory<byte>> answer) =>
        new(name, arity, EdgeHabits.None, request => request.Finish(answer(request.Connection, request.Line)))
        {
            Answer = answer,
        };

    public string? ArityError(CommandLine line) =>
        Arity == line.Count || (Arity < 0 && line.Count >= -Arity)
            ? null
            : $"ERR wrong number of arguments for '{Name.ToLowerInvariant()}' command";
}

/// <summary>All commands of the connection, by name.</summary>
internal static class EdgeCommands
{
    private const int NameBytesMax = 32;

    private static readonly EdgeCommand[] Commands =
    [
        .. ConnectionCommands.All,
        .. ClusterCommands.All,
        .. ClientCommands.All,
        .. TransactionCommands.All,
        .. ConsistencyCommands.All,
        .. ScanCommands.All,
        .. KeyspaceEdgeCommands.All,
        .. CommandCommands.All,
        .. ConfigCommands.All,
        .. InfoCommands.All,
        .. JoinCommand.All,
    ];

    private static readonly Dictionary<string, EdgeCommand>.AlternateLookup<ReadOnlySpan<byte>> ByName =
        Commands.ToDictionary(command => command.Name, CommandNames.Comparer)
            .GetAlternateLookup<ReadOnlySpan<byte>>();

    public static IReadOnlyList<EdgeCommand> All => Commands;

    /// <summary>The command of this name, in any case; null when there is none.</summary>
    public static EdgeCommand? Find(ReadOnlySpan<byte> name) =>
        name.Length <= NameBytesMax && ByName.TryGetValue(name, out EdgeCommand? command) ? command : null;

    /// <summary>As Redis words it.</summary>
    public static string UnknownSubcommand(ReadOnlySpan<byte> word, string command)
    {
        string shown = System.Text.Encoding.Latin1.GetString(word[..Math.Min(word.Length, 128)]);
        return $"ERR unknown subcommand '{shown}'. Try {command} HELP.";
    }

    public static string WrongArguments(string command) => $"ERR wrong number of arguments for '{command}' command";
}
