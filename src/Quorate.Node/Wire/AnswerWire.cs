using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Rows;

namespace Quorate.Node.Wire;

/// <summary>The answer to a request that was handed on.</summary>
/// <param name="Boot">As the request had it.</param>
/// <param name="IsOfPlace">
/// Refused only because this node could not decide over it: it does not lead, has no replica, has another row of the
/// map. Someone else may.
/// </param>
/// <param name="LeaderHint">Who may lead; zero when that is not known.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AnswerMessage(
    ulong Boot,
    ulong Id,
    Outcome Outcome,
    DropReason Reason,
    bool IsOfPlace,
    NodeId LeaderHint,
    ReadToken Token,
    RowVersion Version,
    ReadOnlyMemory<byte> Reply);

/// <summary>
/// Answers, version 1, little-endian: boot, id (8 each), outcome (1), reason (1), whether it is of place (1), leader's
/// node (4), token's term and index (8 each), row version (8), counted reply.
/// </summary>
internal static class AnswerWire
{
    private const byte Version = 1;

    public static void Write(WireWriter writer, in AnswerMessage answer)
    {
        writer.Begin(PeerMessageKind.Answer, Version);
        writer.UInt64(answer.Boot);
        writer.UInt64(answer.Id);
        writer.Byte((byte)answer.Outcome);
        writer.Byte((byte)answer.Reason);
        writer.Flag(answer.IsOfPlace);
        writer.UInt32(answer.LeaderHint.Value);
        writer.UInt64(answer.Token.Term.Value);
        writer.UInt64(answer.Token.Index.Value);
        writer.UInt64(answer.Version.Packed);
        writer.CountedTail(answer.Reply);
    }

    /// <summary>The reply is a part of these bytes.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, out AnswerMessage answer, out string problem)
    {
        var reader = new WireReader(bytes);
        reader.Byte();
        if (reader.Byte() != Version)
        {
            reader.Fail("an answer has a version that this build does not know");
        }

        answer = new(
            reader.UInt64(), reader.UInt64(), (Outcome)reader.Byte(), (DropReason)reader.Byte(), reader.Flag(),
            new(reader.UInt32()), new(new(reader.UInt64()), new(reader.UInt64())), new(reader.UInt64()),
            reader.Memory());
        if (answer.Outcome > Outcome.Unknown || (answer.IsOfPlace && answer.Outcome != Outcome.Refused))
        {
            reader.Fail($"an answer has no outcome {(int)answer.Outcome}");
        }

        problem = reader.Problem ?? "bytes follow an answer";
        return reader.IsWhole;
    }
}
