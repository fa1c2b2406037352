using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Checking;

namespace Quorate.Simulator.Workload;

/// <summary>One command of a batch: the same four kinds that the checkers know.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Command(OperationKind Kind, long Key, long Argument, long Expected = 0);

/// <summary>What a command came to.</summary>
/// <param name="Result">As <see cref="Operation.Result"/> says.</param>
/// <param name="Version">The index of the entry that last wrote the key; zero when it is absent.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CommandResult(long Result, ulong Version);

/// <summary>
/// The bytes of the simulator's entries, queries and results, little-endian: the attempt that an entry stems from,
/// the number of commands, then 25 bytes each, then padding. A result is 16 bytes a command.
/// </summary>
internal static class CommandBatch
{
    private const int HeadBytes = 9;
    private const int CommandBytes = 25;
    private const int ResultBytes = 16;

    public static byte[] Encode(ulong attempt, ReadOnlySpan<Command> commands, int paddingBytes)
    {
        byte[] bytes = new byte[HeadBytes + (commands.Length * CommandBytes) + paddingBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, attempt);
        bytes[8] = (byte)commands.Length;
        Span<byte> rest = bytes.AsSpan(HeadBytes);
        foreach (ref readonly Command command in commands)
        {
            rest[0] = (byte)command.Kind;
            BinaryPrimitives.WriteInt64LittleEndian(rest[1..], command.Key);
            BinaryPrimitives.WriteInt64LittleEndian(rest[9..], command.Argument);
            BinaryPrimitives.WriteInt64LittleEndian(rest[17..], command.Expected);
            rest = rest[CommandBytes..];
        }

        return bytes;
    }

    public static ulong Attempt(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadUInt64LittleEndian(batch);

    public static int Count(ReadOnlySpan<byte> batch) => batch[8];

    public static Command CommandAt(ReadOnlySpan<byte> batch, int number)
    {
        ReadOnlySpan<byte> command = batch.Slice(HeadBytes + (number * CommandBytes), CommandBytes);
        return new Command(
            (OperationKind)command[0],
            BinaryPrimitives.ReadInt64LittleEndian(command[1..]),
            BinaryPrimitives.ReadInt64LittleEndian(command[9..]),
            BinaryPrimitives.ReadInt64LittleEndian(command[17..]));
    }

    public static byte[] NewResults(int commands) => new byte[commands * ResultBytes];

    public static void SetResult(Span<byte> results, int number, CommandResult result)
    {
        Span<byte> place = results.Slice(number * ResultBytes, ResultBytes);
        BinaryPrimitives.WriteInt64LittleEndian(place, result.Result);
        BinaryPrimitives.WriteUInt64LittleEndian(place[8..], result.Version);
    }

    public static CommandResult ResultAt(ReadOnlySpan<byte> results, int number)
    {
        ReadOnlySpan<byte> place = results.Slice(number * ResultBytes, ResultBytes);
        return new CommandResult(
            BinaryPrimitives.ReadInt64LittleEndian(place), BinaryPrimitives.ReadUInt64LittleEndian(place[8..]));
    }
}
