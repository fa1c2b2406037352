using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// Counts what was applied since the last checkpoint and says when the next is due. The first one comes earlier than
/// the settings say, by a share that differs from replica to replica: groups that grow alike would else write all
/// their checkpoints at the same moments.
/// <para>Invariant: one checkpoint is being saved at a time.</para>
/// </summary>
/// <param name="seed">Decides by how much the first one comes early.</param>
internal sealed class CheckpointPolicy(ReplicaSettings settings, ulong seed)
{
    /// <summary>Shares of an interval that first checkpoints differ by.</summary>
    private const uint Shares = 16;

    private ulong _entries;
    private long _bytes;

    /// <summary>By how many shares of an interval the next checkpoint comes early; zero after the first.</summary>
    private uint _early = (uint)(seed % Shares);
    private bool _saving;
    private bool _wanted;

    /// <summary>The last one came to nothing.</summary>
    public bool IsGivenUp { get; private set; }

    public void Applied(Entry entry)
    {
        _entries++;
        _bytes += entry.Bytes;
    }

    /// <summary>The log needs the space that a checkpoint would let go.</summary>
    public void Want() => _wanted = true;

    /// <summary>True when a checkpoint must be saved now; counting starts over.</summary>
    /// <param name="dirtyBytes">What the store would have to write, in bytes.</param>
    public bool TakeIfDue(long dirtyBytes = 0)
    {
        bool isDue = _entries >= settings.CheckpointEntries - (settings.CheckpointEntries / Shares * _early)
            || _bytes >= settings.CheckpointBytes - (settings.CheckpointBytes / Shares * _early)
            || (_entries > 0 && (_wanted || dirtyBytes >= settings.CheckpointDirtyBytes));
        if (_saving || !isDue)
        {
            return false;
        }

        _saving = true;
        _early = 0;
        IsGivenUp = false;
        _wanted = false;
        _entries = 0;
        _bytes = 0;
        return true;
    }

    /// <summary>A checkpoint of this replica's own is durable.</summary>
    public void Saved() => _saving = false;

    /// <summary>
    /// The checkpoint came to nothing, since the disk was full: another one is due at the next occasion.
    /// </summary>
    public void GivenUp()
    {
        IsGivenUp = true;
        _saving = false;
        _wanted = true;
        _entries = Math.Max(1, _entries);
    }

    /// <summary>A snapshot took the place of the state: it is a checkpoint of its own.</summary>
    public void Replaced()
    {
        _wanted = false;
        _entries = 0;
        _bytes = 0;
    }
}
