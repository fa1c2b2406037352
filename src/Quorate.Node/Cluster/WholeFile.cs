using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Node.Cluster;

/// <summary>
/// A small file of the data folder that is read and replaced whole.
/// <para>Invariants: there is always one that can be read: it is written under another name, synced, renamed, and its
/// folder synced; it counts as replaced only after that, and what is read is durable before it is told.</para>
/// </summary>
internal sealed class WholeFile(IDisk disk, string file, int bytesMax, Action<string> failed) : IDiskClient
{
    private readonly string _temporary = file + ".new";
    private readonly Queue<DiskOperation> _steps = new();
    private ReadOnlyMemory<byte>? _content;
    private Action? _ended;
    private DiskOperation _current;
    private ulong _ticket;
    private bool _isFull;
    private bool _isDead;

    /// <summary>It is being read or replaced.</summary>
    public bool IsBusy => _ended is not null;

    /// <summary>Reads it; null when there is none. Longer than may be is told as it is, one byte too long.</summary>
    public void Read(Action<ReadOnlyMemory<byte>?> done)
    {
        Begin(() => done(_content));
        _steps.Enqueue(new(0, DiskOperationKind.Delete, _temporary));
        _steps.Enqueue(new(0, DiskOperationKind.Read, file, Length: bytesMax + 1));
        // The former process may have died between the rename and the sync of the folder.
        _steps.Enqueue(new(0, DiskOperationKind.Sync, file));
        _steps.Enqueue(new(0, DiskOperationKind.SyncFolder, ""));
        Next();
    }

    /// <summary>Replaces it; told whether it did, which it does not on a full disk.</summary>
    public void Replace(ReadOnlyMemory<byte> content, Action<bool> done)
    {
        Invariant.Check(content.Length <= bytesMax, $"{file} has at most {bytesMax} bytes");
        Begin(() => done(!_isFull));
        _steps.Enqueue(new(0, DiskOperationKind.Delete, _temporary));
        _steps.Enqueue(new(0, DiskOperationKind.Write, _temporary, 0, content));
        _steps.Enqueue(new(0, DiskOperationKind.Sync, _temporary));
        _steps.Enqueue(new(0, DiskOperationKind.Rename, _temporary, NewName: file));
        _steps.Enqueue(new(0, DiskOperationKind.SyncFolder, ""));
        Next();
    }

    /// <summary>Takes nothing more.</summary>
    public void Close() => _isDead = true;

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_isDead || completion.Ticket != _ticket)
        {
            return;
        }

        switch (completion.Status)
        {
            case DiskStatus.Done:
                _content = _current.Kind == DiskOperationKind.Read ? completion.Data : _content;
                break;
            case DiskStatus.NotFound when _current.File == file:
                break;
            case DiskStatus.Full:
                _isFull = true;
                _steps.Clear();
                break;
            default:
                _isDead = true;
                failed($"The disk failed on {file}. Check the disk, then start again.");
                return;
        }

        Next();
    }

    private void Begin(Action ended)
    {
        Invariant.Check(_ended is null, $"{file} is read or replaced once at a time");
        _ended = ended;
        _content = null;
        _isFull = false;
    }

    private void Next()
    {
        if (_steps.TryDequeue(out _current))
        {
            disk.Submit(_current with { Ticket = ++_ticket }, this);
            return;
        }

        Action ended = _ended!;
        _ended = null;
        ended();
    }
}
