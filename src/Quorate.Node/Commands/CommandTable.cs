using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>All commands that a partition evaluates, by name.</summary>
public static class CommandTable
{
    private const int NameBytesMax = 32;

    private static readonly CommandSpec[] Commands =
    [
        .. KeyCommands.All, .. ExpiryCommands.All, .. KeyspaceCommands.All,
        .. ObjectCommand.All, .. MemoryCommand.All, .. SortCommands.All,
        .. StringCommands.All, .. SetStringCommands.All, .. NumberCommands.All,
        .. BitCommands.All, .. BitFieldCommands.All, .. CommonSubsequenceCommand.All,
        .. HyperLogLogCommands.All,
        .. VersionCommands.All, .. WatchCommands.All,
        .. HashCommands.All,
        .. SetCommands.All, .. SetAlgebraCommands.All,
        .. ListCommands.All, .. ListEditCommands.All,
        .. SortedSetCommands.All, .. SortedSetRangeCommands.All, .. SortedSetAlgebraCommands.All,
        .. MultiPopCommands.All, .. GeoCommands.All, .. GeoSearchCommands.All,
        .. JsonCommands.All, .. EntryCommands.All,
    ];

    private static readonly HashSet<string> NeverGrow = new(StringComparer.Ordinal)
    {
        "DEL", "UNLINK", "GETDEL", "GETEX", "FLUSHDB", "FLUSHALL", "WAIT", "RENAME", "RENAMENX",
        "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "PERSIST",
        "HDEL", "SREM", "SPOP", "SMOVE", "LPOP", "RPOP", "LTRIM", "LREM", "LMPOP",
        "ENTRY.DEL", "ENTRY.REPEAT",
        "ZREM", "ZMPOP", "ZPOPMIN", "ZPOPMAX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREMRANGEBYLEX",
    };

    private static readonly Dictionary<string, CommandSpec>.AlternateLookup<ReadOnlySpan<char>> ByName =
        Commands.ToDictionary(spec => spec.Name, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The commands, family by family.</summary>
    public static IReadOnlyList<CommandSpec> All => Commands;

    /// <summary>The command of this name, whatever its case; null when there is none.</summary>
    public static CommandSpec? Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > NameBytesMax)
        {
            return null;
        }

        Span<char> capitals = stackalloc char[NameBytesMax];
        for (int i = 0; i < name.Length; i++)
        {
            capitals[i] = name[i] is >= (byte)'a' and <= (byte)'z' ? (char)(name[i] - 32) : (char)name[i];
        }

        return ByName.TryGetValue(capitals[..name.Length], out CommandSpec? spec) ? spec : null;
    }

    /// <summary>The command of a line that can be run; else null and the error to answer with.</summary>
    public static CommandSpec? Check(CommandLine line, out string? error)
    {
        if (line.Checked is { } known)
        {
            error = null;
            return known;
        }

        CommandSpec? spec = line.Count == 0 ? null : Find(line[0]);
        error = spec is null ? UnknownCommand(line) : ArityError(spec, line) ?? KeyError(spec, line);
        line.Checked = error is null ? spec : null;
        return line.Checked;
    }

    /// <summary>Whether one of the lines may change rows. A line that can not be run changes none.</summary>
    public static bool Writes(ReadOnlySpan<CommandLine> lines)
    {
        foreach (CommandLine line in lines)
        {
            if (Check(line, out _) is { Kind: CommandKind.Write })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether one of the lines may make rows that take more memory: a write that is none of those which Redis lets
    /// through when its memory is full.
    /// </summary>
    public static bool MayGrow(ReadOnlySpan<CommandLine> lines)
    {
        foreach (CommandLine line in lines)
        {
            if (Check(line, out _) is { Kind: CommandKind.Write } spec && !NeverGrow.Contains(spec.Name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Which words of a line are keys. The line has passed <see cref="Check"/>.</summary>
    public static int[] KeyWordsOf(CommandSpec spec, CommandLine line)
    {
        if (spec.KeysOf is { } keysOf)
        {
            return keysOf(line);
        }

        if (spec.Keys.First == 0)
        {
            return [];
        }

        int last = spec.Keys.LastIn(line);
        var words = new List<int>();
        for (int word = spec.Keys.First; word <= last; word += spec.Keys.Step)
        {
            words.Add(word);
        }

        return [.. words];
    }

    private static string? ArityError(CommandSpec spec, CommandLine line) =>
        spec.Arity == line.Count || (spec.Arity < 0 && line.Count >= -spec.Arity)
            ? null
            : $"ERR wrong number of arguments for '{spec.Name.ToLowerInvariant()}' command";

    private static string? KeyError(CommandSpec spec, CommandLine line)
    {
        bool isLong = false;
        if (spec.KeysOf is { } keysOf)
        {
            foreach (int word in keysOf(line))
            {
                isLong |= line[word].Length > RowLimits.KeyBytesMax;
            }
        }
        else if (spec.Keys.First > 0)
        {
            // Most commands have their keys at fixed places; they are looked at without making a list of them.
            int last = spec.Keys.LastIn(line);
            for (int word = spec.Keys.First; word <= last; word += spec.Keys.Step)
            {
                isLong |= line[word].Length > RowLimits.KeyBytesMax;
            }
        }

        return isLong ? $"ERR the key exceeds {RowLimits.KeyBytesMax} bytes" : null;
    }

    /// <summary>As Redis words it: the first 128 bytes of name and arguments are shown.</summary>
    private static string UnknownCommand(CommandLine line)
    {
        const int shownMax = 128;
        string name = line.Count == 0 ? "" : Shown(line[0], shownMax);
        var arguments = new StringBuilder();
        for (int word = 1; word < line.Count && arguments.Length < shownMax; word++)
        {
            arguments.Append('\'').Append(Shown(line[word], shownMax - arguments.Length)).Append("' ");
        }

        return $"ERR unknown command '{name}', with args beginning with: {arguments}";
    }

    private static string Shown(ReadOnlySpan<byte> word, int lengthMax) =>
        Encoding.Latin1.GetString(word[..Math.Min(word.Length, lengthMax)]);
}
