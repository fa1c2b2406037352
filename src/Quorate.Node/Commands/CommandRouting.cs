using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Where a command's keys are.</summary>
public enum RouteKind : byte
{
    /// <summary>It can not be run: it is answered with an error.</summary>
    Error,

    /// <summary>All its keys are in one slot.</summary>
    OneSlot,

    /// <summary>Its keys are in several slots. They may still be of one partition.</summary>
    SeveralSlots,

    /// <summary>It names no key.</summary>
    NoKeys,
}

/// <summary>What an edge has to know of a command before it hands it on.</summary>
/// <param name="Spec">Null exactly when there is an error.</param>
/// <param name="Slot">Of the first key; counts only where there is one.</param>
/// <param name="Error">As Redis words it, without the mark of an error.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct CommandRoute(RouteKind Kind, CommandSpec? Spec, Slot Slot, string? Error)
{
    /// <summary>
    /// It may be run as parts, one for each partition that it concerns (<see cref="ScatteredCommand"/>).
    /// </summary>
    public bool MayScatter => Spec is { Scattering: not Scattering.None };
}

/// <summary>
/// Finds where a command belongs. It allocates nothing for a command whose keys stand at fixed places, unless it is
/// answered with an error.
/// </summary>
public static class CommandRouting
{
    public static CommandRoute Route(CommandLine line)
    {
        if (CommandTable.Check(line, out string? error) is not { } spec)
        {
            return new(RouteKind.Error, null, default, error);
        }

        if (spec.KeysOf is { } keysOf)
        {
            return RouteByWords(spec, line, keysOf(line));
        }

        KeyWords keys = spec.Keys;
        if (keys.First == 0)
        {
            return new(RouteKind.NoKeys, spec, default, null);
        }

        Slot slot = KeyHash.SlotOf(line[keys.First]);
        int last = keys.LastIn(line);
        for (int word = keys.First + keys.Step; word <= last; word += keys.Step)
        {
            if (KeyHash.SlotOf(line[word]) != slot)
            {
                return RouteOfSeveral(spec, line, slot);
            }
        }

        return new(RouteKind.OneSlot, spec, slot, null);
    }

    private static CommandRoute RouteByWords(CommandSpec spec, CommandLine line, int[] words)
    {
        // A number of keys that is none: whoever runs the command answers with its own error.
        Slot slot = words.Length == 0 ? default : KeyHash.SlotOf(line[words[0]]);
        foreach (int word in words)
        {
            if (KeyHash.SlotOf(line[word]) != slot)
            {
                return RouteOfSeveral(spec, line, slot);
            }
        }

        return new(words.Length == 0 ? RouteKind.NoKeys : RouteKind.OneSlot, spec, slot, null);
    }

    /// <summary>
    /// Words that do not come in pairs must not fall into parts that do: the first key's partition answers all of them
    /// with the command's own error, in a transaction with the EXEC, as Redis does.
    /// </summary>
    private static CommandRoute RouteOfSeveral(CommandSpec spec, CommandLine line, Slot slot) =>
        spec.Scattering != Scattering.None && (line.Count - spec.Keys.First) % spec.Keys.Step != 0
            ? new(RouteKind.OneSlot, spec, slot, null)
            : new(RouteKind.SeveralSlots, spec, slot, null);
}
