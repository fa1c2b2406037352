using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Wire;

/// <summary>A command for the metadata group's leader.</summary>
internal sealed record MetadataCallMessage(ulong Boot, ulong Id, Duration Left, MetadataCommand Command);

/// <summary>What came of it.</summary>
/// <param name="IsOfPlace">Refused because this node does not lead the group.</param>
/// <param name="Result">Done: what the state machine says.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct MetadataAnswerMessage(
    ulong Boot, ulong Id, Outcome Outcome, bool IsOfPlace, NodeId LeaderHint, MetadataResult? Result);

/// <summary>
/// Commands for the metadata group, version 1, little-endian: boot, id (8 each), time left (8), the counted command
/// (protobuf). Answers: boot, id (8 each), outcome (1), whether it is of place (1), leader's node (4), the counted
/// result (protobuf).
/// </summary>
internal static class MetadataWire
{
    private const byte Version = 1;

    public static void Write(WireWriter writer, MetadataCallMessage message)
    {
        writer.Begin(PeerMessageKind.MetadataCall, Version);
        writer.UInt64(message.Boot);
        writer.UInt64(message.Id);
        writer.Int64(message.Left.Microseconds);
        writer.Counted(message.Command.ToByteArray());
    }

    public static void Write(WireWriter writer, in MetadataAnswerMessage answer)
    {
        writer.Begin(PeerMessageKind.MetadataAnswer, Version);
        writer.UInt64(answer.Boot);
        writer.UInt64(answer.Id);
        writer.Byte((byte)answer.Outcome);
        writer.Flag(answer.IsOfPlace);
        writer.UInt32(answer.LeaderHint.Value);
        writer.Counted(answer.Result?.ToByteArray() ?? []);
    }

    public static bool TryRead(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MetadataCallMessage? message, out string problem)
    {
        var reader = new WireReader(bytes);
        reader.Byte();
        if (reader.Byte() != Version)
        {
            reader.Fail("a metadata call has a version that this build does not know");
        }

        ulong boot = reader.UInt64();
        ulong id = reader.UInt64();
        var left = new Duration(reader.Int64());
        MetadataCommand? command = Parse(MetadataCommand.Parser, reader.Counted());
        message = command is null ? null : new(boot, id, left, command);
        problem = reader.Problem ?? "a metadata call is malformed";
        return reader.IsWhole && message is not null && left >= Duration.Zero;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out MetadataAnswerMessage answer, out string problem)
    {
        var reader = new WireReader(bytes);
        reader.Byte();
        if (reader.Byte() != Version)
        {
            reader.Fail("a metadata answer has a version that this build does not know");
        }

        ulong boot = reader.UInt64();
        ulong id = reader.UInt64();
        var outcome = (Outcome)reader.Byte();
        bool isOfPlace = reader.Flag();
        var hint = new NodeId(reader.UInt32());
        MetadataResult? result = Parse(MetadataResult.Parser, reader.Counted());
        answer = new(boot, id, outcome, isOfPlace, hint, outcome == Outcome.Done ? result : null);
        problem = reader.Problem ?? "a metadata answer is malformed";
        return reader.IsWhole && result is not null && outcome <= Outcome.Unknown;
    }

    private static T? Parse<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
