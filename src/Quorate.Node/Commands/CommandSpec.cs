using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>What a command does to rows.</summary>
public enum CommandKind : byte
{
    /// <summary>It only looks.</summary>
    Read,

    /// <summary>It may change rows, perhaps depending on what it finds.</summary>
    Write,
}

/// <summary>Where a command's keys stand among its words (Redis's first key, last key, step).</summary>
/// <param name="First">The first key's word; zero when it has none.</param>
/// <param name="Last">The last key's word; -1 for the last word, -2 for the one before it.</param>
/// <param name="Step">From one key to the next.</param>
public readonly record struct KeyWords(int First, int Last, int Step)
{
    public static readonly KeyWords None;

    public static readonly KeyWords One = new(1, 1, 1);

    /// <summary>The last key's word in a line.</summary>
    public int LastIn(CommandLine line) => Last < 0 ? line.Count + Last : Last;
}

/// <summary>
/// How an edge may run a command that concerns several partitions: as parts, one for each, whose replies it gathers to
/// one. Each part takes effect by itself; there is no moment at which all of them do.
/// </summary>
public enum Scattering : byte
{
    /// <summary>It can not be: it runs in one partition or not at all.</summary>
    None,

    /// <summary>Parts of its keys; the sum of their integers.</summary>
    KeysSum,

    /// <summary>Parts of its keys; one array with what each key is answered, in the order of the keys.</summary>
    KeysArray,

    /// <summary>Parts of its keys, each with its value; OK when all are OK.</summary>
    KeysOk,

    /// <summary>The whole command on every partition; the sum of their integers.</summary>
    PartitionsSum,

    /// <summary>The whole command on every partition; one array with all their elements.</summary>
    PartitionsArray,

    /// <summary>The whole command on every partition; OK when all are OK.</summary>
    PartitionsOk,

    /// <summary>The whole command on the partitions in turn until one answers something else than null.</summary>
    PartitionsFirst,

    /// <summary>
    /// The whole command on one partition after the other; the edge's cursor names partition and position in it.
    /// </summary>
    PartitionsCursor,
}

/// <summary>A command of the table: what it is called, how many words it takes, and what runs it.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Arity">As Redis counts: words with the name; negative for "at least".</param>
/// <param name="Keys">For commands whose keys stand elsewhere (after a count), see <paramref name="KeysOf"/>.</param>
/// <param name="Run">Evaluates; it writes one reply, or returns early because a row was cold.</param>
/// <param name="KeysOf">Finds the key words of a line whose keys do not stand at fixed places; else null.</param>
public sealed record CommandSpec(
    string Name,
    int Arity,
    CommandKind Kind,
    KeyWords Keys,
    Action<CommandContext> Run,
    Func<CommandLine, int[]>? KeysOf = null)
{
    /// <summary>How it may be run over several partitions.</summary>
    public Scattering Scattering { get; init; }
}
