using System.Globalization;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Node.Cluster;

/// <summary>
/// Looks at the data folder before anything of it is opened, and deletes the files of partitions that are no longer
/// here: a crash while one was dropped leaves them.
/// </summary>
internal sealed class StartFiles(IDisk disk, Action<string> failed) : IDiskClient
{
    private readonly Queue<string> _doomed = new();
    private Action<IReadOnlyList<string>>? _listed;
    private Action? _cleared;
    private ulong _ticket;
    private bool _isSynced = true;
    private bool _isDead;

    /// <summary>The names of all files.</summary>
    public void List(Action<IReadOnlyList<string>> listed)
    {
        _listed = listed;
        disk.Submit(new(++_ticket, DiskOperationKind.List, ""), this);
    }

    /// <summary>Deletes files, durably.</summary>
    public void Delete(IEnumerable<string> files, Action cleared)
    {
        _cleared = cleared;
        foreach (string file in files)
        {
            _doomed.Enqueue(file);
        }

        Next();
    }

    public void Close() => _isDead = true;

    /// <summary>The names of a partition's files begin so.</summary>
    public static string PrefixOf(GroupId group, ReplicaId replica) =>
        string.Create(CultureInfo.InvariantCulture, $"g{group.Value}.{replica.Incarnation}-");

    /// <summary>Whether a file belongs to a partition, and to which replica here.</summary>
    public static bool TryParse(string file, out GroupId group, out uint incarnation)
    {
        group = default;
        incarnation = 0;
        int dot = file.IndexOf('.', StringComparison.Ordinal);
        int dash = file.IndexOf('-', StringComparison.Ordinal);
        bool isOne = file.StartsWith('g') && dot > 1 && dash > dot + 1
            && uint.TryParse(file.AsSpan(1, dot - 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
            && uint.TryParse(
                file.AsSpan(dot + 1, dash - dot - 1), NumberStyles.None, CultureInfo.InvariantCulture, out incarnation)
            && (group = new(number)).Value > MetadataGroup.Group.Value;
        return isOne;
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_isDead || completion.Ticket != _ticket)
        {
            return;
        }

        if (completion.Status != DiskStatus.Done)
        {
            _isDead = true;
            failed("The disk failed on the data folder. Check the disk, then start again.");
        }
        else if (_listed is { } listed)
        {
            _listed = null;
            listed(completion.Names ?? []);
        }
        else
        {
            Next();
        }
    }

    private void Next()
    {
        if (_doomed.TryDequeue(out string? file))
        {
            _isSynced = false;
            disk.Submit(new(++_ticket, DiskOperationKind.Delete, file), this);
        }
        else if (!_isSynced)
        {
            _isSynced = true;
            disk.Submit(new(++_ticket, DiskOperationKind.SyncFolder, ""), this);
        }
        else
        {
            _cleared!();
        }
    }
}
