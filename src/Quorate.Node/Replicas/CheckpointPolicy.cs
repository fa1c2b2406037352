using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// Counts what was applied since the last checkpoint and says when the next is due.
/// <para>Invariant: one checkpoint is being saved at a time.</para>
/// </summary>
internal sealed class CheckpointPolicy(ReplicaSettings settings)
{
    private ulong _entries;
    private long _bytes;
    private bool _saving;

    public void Applied(Entry entry)
    {
        _entries++;
        _bytes += entry.Bytes;
    }

    /// <summary>True when a checkpoint must be saved now; counting starts over.</summary>
    public bool TakeIfDue()
    {
        if (_saving || (_entries < settings.CheckpointEntries && _bytes < settings.CheckpointBytes))
        {
            return false;
        }

        _saving = true;
        _entries = 0;
        _bytes = 0;
        return true;
    }

    /// <summary>A checkpoint of this replica's own is durable.</summary>
    public void Saved() => _saving = false;

    /// <summary>A snapshot took the place of the state: it is a checkpoint of its own.</summary>
    public void Replaced()
    {
        _entries = 0;
        _bytes = 0;
    }
}
