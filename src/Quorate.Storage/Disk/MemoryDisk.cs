using Quorate.Core.Model;

namespace Quorate.Storage.Disk;

/// <summary>
/// A disk in memory that tells no lies: operations take effect and complete in the order of their submission, when
/// <see cref="RunOne"/> or <see cref="RunAll"/> is called, and all that is written is durable at once. For unit
/// tests; the one that breaks is the simulator's.
/// </summary>
public sealed class MemoryDisk : IDisk
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Queue<(DiskOperation Operation, IDiskClient Client)> _waiting = new();

    /// <summary>The names of all files, ascending by ordinal.</summary>
    public IReadOnlyList<string> Names => [.. _files.Keys];

    /// <summary>Operations submitted and not yet run.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Operations run so far, by kind.</summary>
    public int[] Counts { get; } = new int[(int)DiskOperationKind.Allocate + 1];

    /// <summary>
    /// Decides how the operations of a test end; null lets all of them end well. One that does not end well has no
    /// effect.
    /// </summary>
    public Func<DiskOperation, DiskStatus>? Fate { get; set; }

    public void Submit(in DiskOperation operation, IDiskClient client) => _waiting.Enqueue((operation, client));

    /// <summary>Runs the oldest waiting operation; false when there is none.</summary>
    public bool RunOne()
    {
        if (!_waiting.TryDequeue(out (DiskOperation Operation, IDiskClient Client) next))
        {
            return false;
        }

        Counts[(int)next.Operation.Kind]++;
        DiskStatus fate = Fate?.Invoke(next.Operation) ?? DiskStatus.Done;
        DiskCompletion completion = fate == DiskStatus.Done
            ? Run(next.Operation)
            : new DiskCompletion(next.Operation.Ticket, fate);
        next.Client.Complete(completion);
        return true;
    }

    public void RunAll()
    {
        while (RunOne())
        {
        }
    }

    /// <summary>A file's bytes, for a test to look at or to damage; they are the file's own, not a copy.</summary>
    public byte[] Content(string file) => _files[file];

    public bool Exists(string file) => _files.ContainsKey(file);

    /// <summary>Puts a file there, or removes it when <paramref name="content"/> is null.</summary>
    public void Put(string file, byte[]? content)
    {
        if (content is null)
        {
            _files.Remove(file);
        }
        else
        {
            _files[file] = content;
        }
    }

    private DiskCompletion Run(in DiskOperation operation)
    {
        bool found = _files.TryGetValue(operation.File, out byte[]? content);
        content ??= [];
        switch (operation.Kind)
        {
            case DiskOperationKind.List:
                return new(operation.Ticket, DiskStatus.Done, Names: Names);
            case DiskOperationKind.Allocate:
                Array.Resize(ref content, Math.Max(operation.Length, content.Length));
                _files[operation.File] = content;
                break;
            case DiskOperationKind.Write or DiskOperationKind.WriteDurable:
                int end = checked((int)operation.Offset + operation.Data.Length);
                if (end > content.Length || !found)
                {
                    Array.Resize(ref content, Math.Max(end, content.Length));
                    _files[operation.File] = content;
                }

                operation.Data.Span.CopyTo(content.AsSpan((int)operation.Offset));
                break;
            case DiskOperationKind.Delete:
                _files.Remove(operation.File);
                break;
            case DiskOperationKind.SyncFolder:
                break;
            case var _ when !found:
                return new(operation.Ticket, DiskStatus.NotFound);
            case DiskOperationKind.Read:
                int start = (int)Math.Min(operation.Offset, content.Length);
                int length = Math.Min(operation.Length, content.Length - start);
                return new(operation.Ticket, DiskStatus.Done, content.AsSpan(start, length).ToArray());
            case DiskOperationKind.Truncate:
                _files[operation.File] = content[..(int)Math.Min(operation.Offset, content.Length)];
                break;
            case DiskOperationKind.Rename:
                Invariant.Check(operation.NewName is not null, "a rename names the new name");
                _files.Remove(operation.File);
                _files[operation.NewName] = content;
                break;
            default:
                break;
        }

        return new(operation.Ticket, DiskStatus.Done);
    }
}
