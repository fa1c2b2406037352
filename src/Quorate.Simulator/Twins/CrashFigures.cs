using Quorate.Storage.Disk;

namespace Quorate.Simulator.Twins;

/// <summary>
/// What the starts of a <see cref="CrashedNode"/> met, so that a test can demand that nothing is missing.
/// </summary>
public sealed class CrashFigures
{
    private readonly SortedSet<DiskOperationKind> _kinds = [];
    private readonly SortedSet<ulong> _checkpoints = [];

    /// <summary>Starts of the whole node.</summary>
    public int Starts { get; set; }

    /// <summary>Replicas whose log had entries behind the checkpoint that were applied.</summary>
    public int Replayed { get; private set; }

    /// <summary>Replicas whose checkpoint, a received snapshot, the log had yet to be brought to.</summary>
    public int Resets { get; private set; }

    /// <summary>Replicas whose log began behind entries that it had released.</summary>
    public int Released { get; private set; }

    /// <summary>The kinds of operations behind which the node was cut off.</summary>
    public IReadOnlyCollection<DiskOperationKind> Kinds => _kinds;

    /// <summary>Checkpoints that were found.</summary>
    public int Checkpoints => _checkpoints.Count;

    internal void See(in DiskOperation operation) => _kinds.Add(operation.Kind);

    internal void Note(ulong checkpoint, ulong applied, bool isReset, ulong logBase)
    {
        _checkpoints.Add(checkpoint);
        Replayed += applied > 0 ? 1 : 0;
        Resets += isReset ? 1 : 0;
        Released += logBase > 0 ? 1 : 0;
    }
}
