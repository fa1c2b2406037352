using System.Buffers.Binary;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;
using Quorate.Simulator.Tracing;

namespace Quorate.Simulator.Workload;

/// <summary>
/// The simulated groups' state machine: numbered registers, each with the index of the entry that last wrote it.
/// A register of value zero is absent.
/// <para>Invariant: the state hash is the sum over all registers of a hash of key, value and version, so it is kept
/// up with each write and does not depend on their order.</para>
/// </summary>
internal sealed class RegisterStore : IStateMachine
{
    private const int RegisterBytes = 24;

    private readonly SortedDictionary<long, Register> _sorted = [];
    private readonly Dictionary<long, Register> _registers = [];

    public ulong StateHash { get; private set; }

    public string? Problem => null;

    public ReadOnlyMemory<byte> Apply(Entry entry, bool resultWanted)
    {
        if (entry.Kind != EntryKind.Data)
        {
            return default;
        }

        ReadOnlySpan<byte> batch = entry.Payload.Span;
        int count = CommandBatch.Count(batch);
        byte[]? results = resultWanted ? CommandBatch.NewResults(count) : null;
        for (int i = 0; i < count; i++)
        {
            CommandResult result = Do(CommandBatch.CommandAt(batch, i), entry.Index);
            if (results is not null)
            {
                CommandBatch.SetResult(results, i, result);
            }
        }

        return results;
    }

    /// <summary>Queries are batches of reads.</summary>
    public ReadOnlyMemory<byte> Query(ReadOnlyMemory<byte> query)
    {
        ReadOnlySpan<byte> batch = query.Span;
        int count = CommandBatch.Count(batch);
        byte[] results = CommandBatch.NewResults(count);
        for (int i = 0; i < count; i++)
        {
            Register? register = Find(CommandBatch.CommandAt(batch, i).Key);
            CommandBatch.SetResult(results, i, new CommandResult(register?.Value ?? 0, register?.VisibleVersion ?? 0));
        }

        return results;
    }

    public byte[] Snapshot()
    {
        byte[] bytes = new byte[_sorted.Count * RegisterBytes];
        Span<byte> rest = bytes;
        foreach (Register register in _sorted.Values)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, register.Key);
            BinaryPrimitives.WriteInt64LittleEndian(rest[8..], register.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[16..], register.Version);
            rest = rest[RegisterBytes..];
        }

        return bytes;
    }

    public void Load(ReadOnlyMemory<byte> state)
    {
        _sorted.Clear();
        _registers.Clear();
        StateHash = 0;
        ReadOnlySpan<byte> rest = state.Span;
        Invariant.Check(rest.Length % RegisterBytes == 0, "a snapshot holds whole registers");
        while (!rest.IsEmpty)
        {
            Set(
                BinaryPrimitives.ReadInt64LittleEndian(rest),
                BinaryPrimitives.ReadInt64LittleEndian(rest[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]));
            rest = rest[RegisterBytes..];
        }
    }

    public Register? Find(long key) => _registers.GetValueOrDefault(key);

    private CommandResult Do(in Command command, LogIndex index)
    {
        long value = Find(command.Key)?.Value ?? 0;
        switch (command.Kind)
        {
            case OperationKind.Write:
                Set(command.Key, command.Argument, index.Value);
                return new CommandResult(0, index.Value);
            case OperationKind.CompareAndSet when value == command.Expected:
                Set(command.Key, command.Argument, index.Value);
                return new CommandResult(1, index.Value);
            case OperationKind.Add:
                long sum = unchecked(value + command.Argument);
                Set(command.Key, sum, index.Value);
                return new CommandResult(sum, index.Value);
            default:
                return new CommandResult(0, 0);
        }
    }

    private void Set(long key, long value, ulong version)
    {
        if (!_registers.TryGetValue(key, out Register? register))
        {
            register = new Register(key);
            _registers.Add(key, register);
            _sorted.Add(key, register);
        }
        else
        {
            StateHash -= register.Hash;
        }

        register.Value = value;
        register.Version = version;
        StateHash += register.Hash;
    }

    /// <summary>One key's value and the index of the entry that wrote it.</summary>
    internal sealed class Register(long key)
    {
        public long Key { get; } = key;

        public long Value { get; set; }

        public ulong Version { get; set; }

        /// <summary>What clients see: an absent key shows no version.</summary>
        public ulong VisibleVersion => Value == 0 ? 0 : Version;

        public ulong Hash => TraceHash.Mix(TraceHash.Mix((ulong)Key + 1, (ulong)Value), Version);
    }
}
