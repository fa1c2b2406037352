using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;

namespace Quorate.Node.Wire;

/// <summary>What a request that is handed on carries beside what the client asked.</summary>
/// <param name="Boot">Of the node that hands it on, so that the answer finds no other life of it.</param>
/// <param name="Id">Unique in that life.</param>
/// <param name="Epoch">Of the partition's row that the sender has.</param>
/// <param name="Round">
/// Counts, for this sender and partition, how often requests were to be asked again: once one of a round was refused
/// for a reason of place, all later ones of that round are, so that none overtakes it.
/// </param>
/// <param name="Left">Until the deadline, since clocks of two nodes are not compared.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CallHeader(
    ulong Boot, ulong Id, GroupId Group, ulong Epoch, uint Round, Duration Left);

/// <summary>A request as it arrives.</summary>
internal sealed record CallMessage(
    CallHeader Header,
    Slot Slot,
    bool IsBatch,
    WriteLevel WriteLevel,
    ReadLevel ReadLevel,
    ReadToken Token,
    SessionRequest? Session,
    CommandLine[] Lines);

/// <summary>
/// Requests that are handed on, version 1, little-endian: boot, id (8 each), group (4), epoch (8), round (4), time left
/// (8), slot (2), flags (1), write level (1) and its number (4), read level (1), token's term and index (8 each); with
/// a session its id, number and acknowledged number (8 each); number of lines (4), each with the number of its words
/// (4), each counted.
/// </summary>
internal static class CallWire
{
    private const byte Version = 1;
    private const byte IsBatch = 1;
    private const byte HasSession = 2;
    private const int LineBytesMin = 4;
    private const int WordBytesMin = 4;

    public static void Write(WireWriter writer, in CallHeader header, ClientCall call)
    {
        writer.Begin(PeerMessageKind.Call, Version);
        writer.UInt64(header.Boot);
        writer.UInt64(header.Id);
        writer.UInt32(header.Group.Value);
        writer.UInt64(header.Epoch);
        writer.UInt32(header.Round);
        writer.Int64(header.Left.Microseconds);
        writer.UInt16(call.Slot.Value);
        writer.Byte((byte)((call.IsBatch ? IsBatch : 0) | (call.Session is null ? 0 : HasSession)));
        writer.Byte((byte)call.WriteLevel.Kind);
        writer.UInt32((uint)call.WriteLevel.Replicas);
        writer.Byte((byte)call.ReadLevel);
        writer.UInt64(call.Token.Term.Value);
        writer.UInt64(call.Token.Index.Value);
        if (call.Session is { } session)
        {
            writer.UInt64(session.Session);
            writer.UInt64(session.Number);
            writer.UInt64(session.Acknowledged);
        }

        writer.UInt32((uint)call.Lines.Length);
        foreach (CommandLine line in call.Lines)
        {
            writer.UInt32((uint)line.Count);
            for (int word = 0; word < line.Count; word++)
            {
                if (line == call.Lines[^1] && word == line.Count - 1)
                {
                    writer.CountedCopy(line[word]);
                }
                else
                {
                    writer.Counted(line[word]);
                }
            }
        }
    }

    /// <summary>The words are parts of these bytes.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, out CallMessage message, out string problem)
    {
        var reader = new WireReader(bytes);
        reader.Byte();
        if (reader.Byte() != Version)
        {
            reader.Fail("a request has a version that this build does not know");
        }

        var header = new CallHeader(
            reader.UInt64(), reader.UInt64(), new(reader.UInt32()), reader.UInt64(), reader.UInt32(),
            new(reader.Int64()));
        ushort slot = reader.UInt16();
        byte flags = reader.Byte();
        var write = new WriteLevel((WriteLevelKind)reader.Byte(), (int)Math.Min(int.MaxValue, reader.UInt32()));
        var read = (ReadLevel)reader.Byte();
        if (slot >= Slot.Count || flags > (IsBatch | HasSession) || write.Kind > WriteLevelKind.All
            || read > ReadLevel.Eventual || header.Left < Duration.Zero)
        {
            reader.Fail(
                $"a request has slot {slot}, flags {flags}, levels {write.Kind} and {read}, time {header.Left}");
        }

        var token = new ReadToken(new(reader.UInt64()), new(reader.UInt64()));
        SessionRequest? session = (flags & HasSession) != 0
            ? new SessionRequest(reader.UInt64(), reader.UInt64(), reader.UInt64())
            : null;
        message = new(
            header, new(slot), (flags & IsBatch) != 0, write, read, token, session, ReadLines(ref reader));
        problem = reader.Problem ?? "bytes follow a request";
        return reader.IsWhole;
    }

    private static CommandLine[] ReadLines(ref WireReader reader)
    {
        CommandLine[] lines = new CommandLine[reader.Count(LineBytesMin, WireLimits.LinesMax)];
        for (int i = 0; i < lines.Length; i++)
        {
            ReadOnlyMemory<byte>[] words = new ReadOnlyMemory<byte>[reader.Count(WordBytesMin, WireLimits.WordsMax)];
            for (int word = 0; word < words.Length; word++)
            {
                words[word] = reader.Memory();
            }

            lines[i] = new(words);
        }

        return lines;
    }
}
