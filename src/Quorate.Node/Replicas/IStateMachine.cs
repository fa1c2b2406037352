using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// What a group's committed entries act on, where the whole state fits into bytes; see
/// <see cref="CheckpointedMachine"/>.
/// <para>Invariants: the state depends on the entries applied so far and on nothing else, so that replicas which
/// applied the same prefix hold the same state; entries come in order, each once.</para>
/// </summary>
public interface IStateMachine
{
    /// <summary>A hash over the whole state: equal for replicas that have applied the same prefix.</summary>
    ulong StateHash { get; }

    /// <summary>
    /// Why this machine can not go on, in a sentence: an entry that its build does not know, a state that it can not
    /// read. Null while it can. Whoever passed over such an entry would differ from the others from then on.
    /// </summary>
    string? Problem { get; }

    /// <summary>
    /// Applies one committed entry; those that are not Data change nothing. The result is made only when
    /// <paramref name="resultWanted"/>: a client of this replica waits for it.
    /// </summary>
    ReadOnlyMemory<byte> Apply(Entry entry, bool resultWanted);

    /// <summary>The whole state as bytes for a checkpoint; the caller keeps them.</summary>
    byte[] Snapshot();

    /// <summary>
    /// Takes the state of a checkpoint in the place of its own; empty bytes stand for the first state.
    /// </summary>
    void Load(ReadOnlyMemory<byte> state);
}
