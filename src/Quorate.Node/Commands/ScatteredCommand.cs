using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>A part of a command, for one partition.</summary>
/// <param name="Partition">As <see cref="ScatteredCommand.Split"/> was told.</param>
/// <param name="Places">Which keys of the whole command it has, counted from zero; rising.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct CommandPart(int Partition, CommandLine Line, int[] Places);

/// <summary>
/// A command with keys of several partitions, as parts whose replies are gathered to one.
/// <para>Invariants: each key is in one part, in which keys keep their order; an error of any part is the reply to the
/// whole, though other parts may have taken effect: where that is not good enough, the edge refuses
/// (`CROSSSLOT`).</para>
/// </summary>
public static class ScatteredCommand
{
    /// <summary>Splits a line, which has passed <see cref="CommandRouting.Route"/>, by its keys.</summary>
    public static List<CommandPart> Split(CommandSpec spec, CommandLine line, Func<Slot, int> partitionOf)
    {
        Invariant.Check(
            spec.Scattering is Scattering.KeysSum or Scattering.KeysArray or Scattering.KeysOk,
            $"{spec.Name} falls into parts of its keys");
        var places = new SortedDictionary<int, List<int>>();
        int count = (line.Count - spec.Keys.First) / spec.Keys.Step;
        for (int place = 0; place < count; place++)
        {
            Slot slot = KeyHash.SlotOf(line[spec.Keys.First + (place * spec.Keys.Step)]);
            int partition = partitionOf(slot);
            if (!places.TryGetValue(partition, out List<int>? own))
            {
                places.Add(partition, own = []);
            }

            own.Add(place);
        }

        List<CommandPart> parts = [];
        foreach ((int partition, List<int> own) in places)
        {
            parts.Add(new(partition, LineOf(spec, line, own), [.. own]));
        }

        return parts;
    }

    /// <summary>Writes the reply to the whole from the replies to the parts, in the order of the parts.</summary>
    public static void Gather(
        CommandSpec spec, List<CommandPart> parts, IReadOnlyList<ReadOnlyMemory<byte>> replies, Reply reply)
    {
        if (spec.Scattering != Scattering.KeysArray)
        {
            Gather(spec, replies, reply);
            return;
        }

        if (TryRepeatError(replies, reply))
        {
            return;
        }

        WriteArray(InPlace(spec, parts, replies), reply);
    }

    /// <summary>
    /// The elements of the reply to the whole, each where it lies in the reply to its part: a large reply need not be
    /// in memory twice. Null where the reply is another than an array of what was found under keys.
    /// </summary>
    public static ReadOnlyMemory<byte>[]? ElementsOf(
        CommandSpec spec, List<CommandPart> parts, IReadOnlyList<ReadOnlyMemory<byte>> replies) =>
        spec.Scattering == Scattering.KeysArray && !replies.Any(IsError) ? InPlace(spec, parts, replies) : null;

    private static ReadOnlyMemory<byte>[] InPlace(
        CommandSpec spec, List<CommandPart> parts, IReadOnlyList<ReadOnlyMemory<byte>> replies)
    {
        var elements = new ReadOnlyMemory<byte>[parts.Sum(part => part.Places.Length)];
        for (int i = 0; i < parts.Count; i++)
        {
            ReadOnlyMemory<byte>[] own = ReplyParts.ElementsOf(replies[i]);
            Invariant.Check(own.Length == parts[i].Places.Length, $"{spec.Name} answers each key");
            for (int place = 0; place < own.Length; place++)
            {
                elements[parts[i].Places[place]] = own[place];
            }
        }

        return elements;
    }

    private static bool IsError(ReadOnlyMemory<byte> reply) => reply.Span[0] == (byte)'-';

    /// <summary>As the other one, for a command that went whole to every partition.</summary>
    public static void Gather(CommandSpec spec, IReadOnlyList<ReadOnlyMemory<byte>> replies, Reply reply)
    {
        if (TryRepeatError(replies, reply))
        {
            return;
        }

        switch (spec.Scattering)
        {
            case Scattering.KeysSum or Scattering.PartitionsSum:
                reply.Integer(replies.Sum(each => ReplyParts.IntegerOf(each.Span)));
                break;
            case Scattering.KeysOk or Scattering.PartitionsOk:
                reply.Ok();
                break;
            case Scattering.PartitionsArray:
                WriteArray([.. replies.SelectMany(ReplyParts.ElementsOf)], reply);
                break;
            case Scattering.PartitionsFirst:
                WriteFirst(replies, reply);
                break;
            default:
                Invariant.Fail($"replies to {spec.Name} are gathered by whoever runs it");
                break;
        }
    }

    private static CommandLine LineOf(CommandSpec spec, CommandLine line, List<int> places)
    {
        var words = new List<ReadOnlyMemory<byte>>();
        for (int word = 0; word < spec.Keys.First; word++)
        {
            words.Add(line.Word(word));
        }

        foreach (int place in places)
        {
            int first = spec.Keys.First + (place * spec.Keys.Step);
            for (int word = first; word < first + spec.Keys.Step; word++)
            {
                words.Add(line.Word(word));
            }
        }

        return new([.. words]);
    }

    private static bool TryRepeatError(IReadOnlyList<ReadOnlyMemory<byte>> replies, Reply reply)
    {
        foreach (ReadOnlyMemory<byte> each in replies)
        {
            if (IsError(each))
            {
                reply.Raw(each.Span);
                return true;
            }
        }

        return false;
    }

    private static void WriteArray(ReadOnlyMemory<byte>[] elements, Reply reply)
    {
        reply.Array(elements.Length);
        foreach (ReadOnlyMemory<byte> element in elements)
        {
            reply.Raw(element.Span);
        }
    }

    private static void WriteFirst(IReadOnlyList<ReadOnlyMemory<byte>> replies, Reply reply)
    {
        foreach (ReadOnlyMemory<byte> each in replies)
        {
            if (each.Span[0] != (byte)'_')
            {
                reply.Raw(each.Span);
                return;
            }
        }

        reply.Null();
    }
}
