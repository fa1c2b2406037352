using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>What an entry is for. The numbers are part of the log's format.</summary>
public enum EntryKind : byte
{
    /// <summary>A batch of the group's own state machine.</summary>
    Data = 0,

    /// <summary>
    /// A leader's first entry: it carries nothing and lets earlier terms' entries commit (Raft, section 8).
    /// </summary>
    Barrier = 1,

    /// <summary>A membership (<see cref="Raft.Membership"/>, encoded).</summary>
    Membership = 2,
}

/// <summary>One entry of a group's log. Immutable: log, wire and state machine share the same bytes.</summary>
public sealed class Entry(LogIndex index, Term term, EntryKind kind, ReadOnlyMemory<byte> payload)
{
    /// <summary>What an entry costs beside its payload, in bytes, for every bound on bytes.</summary>
    public const int OverheadBytes = 32;

    public LogIndex Index { get; } = index;

    public Term Term { get; } = term;

    public EntryKind Kind { get; } = kind;

    public ReadOnlyMemory<byte> Payload { get; } = payload;

    /// <summary>Payload and overhead, in bytes.</summary>
    public int Bytes => Payload.Length + OverheadBytes;

    public override string ToString() => $"{Index}@{Term}";
}
