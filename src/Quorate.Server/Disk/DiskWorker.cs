using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// Does operations, each on the thread that calls.
/// <para>Invariant: after a sync has failed, every later one fails as well: the system may take the lost bytes for
/// clean by then, and a second try would lie (Rebello and others, "Can Applications Recover from fsync Failures?",
/// ATC 2020; pitfall R11).</para>
/// </summary>
internal sealed class DiskWorker : IDisposable
{
    private readonly string _folder;
    private readonly FileHandle _names;
    private readonly OpenFiles _files;
    private readonly DirectWriter? _direct;
    private readonly FreeSpace _space;
    private volatile bool _syncFailed;

    /// <exception cref="IOException">The folder cannot be opened.</exception>
    public DiskWorker(string folder, RealDiskSettings settings)
    {
        _folder = folder;
        _names = FileHandle.Open(folder, NativeFile.ReadOnly | NativeFile.Directory, out FileHandle? names)
            == DiskStatus.Done
            ? names!
            : throw new IOException($"The folder {folder} cannot be opened. Check that it exists and who owns it.");
        _files = new OpenFiles(folder, settings.OpenFilesMax, NativeFile.ReadWrite);
        _direct = settings.DirectWrites ? new DirectWriter(folder, settings) : null;
        _space = new FreeSpace(folder, settings);
    }

    /// <summary>While true, files may grow into the reserve of free space.</summary>
    public bool IsReserveOpen
    {
        get => _space.IsReserveOpen;
        set => _space.IsReserveOpen = value;
    }

    public DiskCompletion Run(in DiskOperation operation) => operation.Kind switch
    {
        DiskOperationKind.List => List(operation),
        DiskOperationKind.Read => Read(operation),
        _ => new DiskCompletion(operation.Ticket, Change(operation)),
    };

    public void Dispose()
    {
        _direct?.Dispose();
        _files.Dispose();
        _names.Dispose();
    }

    private DiskStatus Change(in DiskOperation operation)
    {
        switch (operation.Kind)
        {
            case DiskOperationKind.Write:
                return OnFile(operation, create: true, static (disk, file, what) => disk.Write(file, what));
            case DiskOperationKind.WriteDurable:
                return WriteDurable(operation);
            case DiskOperationKind.Truncate:
                return OnFile(operation, create: false, static (_, file, what) => file.Truncate(what.Offset));
            case DiskOperationKind.Sync:
                return OnFile(operation, create: false, static (disk, file, _) => disk.Sync(file, isFolder: false));
            case DiskOperationKind.Allocate:
                return OnFile(operation, create: true, static (disk, file, what) => disk.Allocate(file, what.Length));
            case DiskOperationKind.SyncFolder:
                return Sync(_names, isFolder: true);
            case DiskOperationKind.Rename:
                Invariant.Check(operation.NewName is not null, "a rename names the new name");
                return Rename(operation.File, operation.NewName);
            default:
                int result = Unlink(PathOf(operation.File));
                DiskStatus removed = Judge(result);
                _files.Forget(operation.File);
                _direct?.Forget(operation.File);
                return removed == DiskStatus.NotFound ? DiskStatus.Done : removed;
        }
    }

    private static DiskStatus Judge(int result) =>
        result == 0 ? DiskStatus.Done : FileHandle.StatusOf(NativeFile.LastError);

    private static int Unlink(string path) => NativeFile.Retry(() => NativeFile.Unlink(path));

    private DiskStatus Rename(string name, string newName)
    {
        DiskStatus status = Judge(NativeFile.Retry(() => NativeFile.Rename(PathOf(name), PathOf(newName))));
        if (status == DiskStatus.Done)
        {
            _files.Rename(name, newName);
            _direct?.Forget(name);
            _direct?.Forget(newName);
        }

        return status;
    }

    private DiskCompletion List(in DiskOperation operation)
    {
        try
        {
            string[] names = [.. Directory.EnumerateFiles(_folder).Select(path => Path.GetFileName(path)!)];
            Array.Sort(names, StringComparer.Ordinal);
            return new DiskCompletion(operation.Ticket, DiskStatus.Done, Names: names);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new DiskCompletion(operation.Ticket, DiskStatus.Failed);
        }
    }

    private DiskCompletion Read(in DiskOperation operation)
    {
        DiskStatus status = _files.Take(operation.File, create: false, out OpenFiles.Entry? entry);
        if (status != DiskStatus.Done)
        {
            return new DiskCompletion(operation.Ticket, status);
        }

        try
        {
            long length = entry!.Handle.Length();
            if (length < 0)
            {
                return new DiskCompletion(operation.Ticket, DiskStatus.Failed);
            }

            int wanted = (int)Math.Clamp(length - operation.Offset, 0, operation.Length);
            byte[] bytes = GC.AllocateUninitializedArray<byte>(wanted);
            status = entry.Handle.Read(bytes, operation.Offset, out int count);
            return new DiskCompletion(
                operation.Ticket, status, status == DiskStatus.Done ? bytes.AsMemory(0, count) : default);
        }
        finally
        {
            _files.GiveBack(entry!);
        }
    }

    private DiskStatus OnFile(
        in DiskOperation operation, bool create, Func<DiskWorker, FileHandle, DiskOperation, DiskStatus> action)
    {
        DiskStatus status = _files.Take(operation.File, create, out OpenFiles.Entry? entry);
        if (status != DiskStatus.Done)
        {
            return status;
        }

        status = action(this, entry!.Handle, operation);
        _files.GiveBack(entry);
        return status;
    }

    private DiskStatus Write(FileHandle file, in DiskOperation operation)
    {
        long length = file.Length();
        if (length < 0)
        {
            return DiskStatus.Failed;
        }

        DiskStatus room = _space.Take(operation.Offset + operation.Data.Length - length);
        return room == DiskStatus.Done ? file.Write(operation.Data.Span, operation.Offset) : room;
    }

    private DiskStatus WriteDurable(in DiskOperation operation) =>
        OnFile(operation, create: true, static (disk, file, what) => disk.WriteDurable(file, what));

    /// <summary>
    /// Past the page cache only what lies within the file, in whole blocks, and when nothing else of the file waits for
    /// a sync: such a write makes itself durable and nothing besides.
    /// </summary>
    private DiskStatus WriteDurable(FileHandle file, in DiskOperation operation)
    {
        ReadOnlySpan<byte> data = operation.Data.Span;
        bool isDirect = operation.Offset % DirectWriter.BlockBytes == 0
            && data.Length % DirectWriter.BlockBytes == 0
            && !file.IsUnsynced
            && operation.Offset + data.Length <= file.Length();
        DiskStatus status = DiskStatus.Done;
        if (isDirect && _direct?.TryWrite(operation.File, data, operation.Offset, out status) == true)
        {
            _syncFailed |= status != DiskStatus.Done;
            return Later(status);
        }

        status = Write(file, operation);
        return status == DiskStatus.Done ? Sync(file, isFolder: false) : status;
    }

    private DiskStatus Allocate(FileHandle file, long length)
    {
        long before = file.Length();
        DiskStatus room = before < 0 ? DiskStatus.Failed : _space.Take(length - before);
        return room == DiskStatus.Done ? file.Allocate(length) : room;
    }

    private DiskStatus Sync(FileHandle file, bool isFolder)
    {
        DiskStatus status = isFolder ? file.Sync() : file.SyncData();
        _syncFailed |= status != DiskStatus.Done;
        return Later(status);
    }

    /// <summary>How a sync ends that may have come after one that failed.</summary>
    private DiskStatus Later(DiskStatus status) =>
        _syncFailed && Guards.FailedNativeSyncIsFinal ? DiskStatus.Failed : status;

    private string PathOf(string name) => Path.Combine(_folder, name);
}
