using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>Does one operation after the other, on whichever thread calls.</summary>
internal sealed class DiskWorker : IDisposable
{
    private readonly string _folder;
    private readonly OpenFiles _files;
    private readonly DirectWriter? _direct;
    private readonly FreeSpace _space;

    public DiskWorker(string folder, RealDiskSettings settings)
    {
        _folder = folder;
        _files = new OpenFiles(folder, settings.OpenFilesMax, NativeFile.ReadWrite);
        _direct = settings.DirectWrites ? new DirectWriter(folder, settings) : null;
        _space = new FreeSpace(folder, settings);
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
                return OnFile(operation, create: false, static (_, file, _) => file.SyncData());
            case DiskOperationKind.Allocate:
                return OnFile(operation, create: true, static (disk, file, what) => disk.Allocate(file, what.Length));
            case DiskOperationKind.SyncFolder:
                return SyncFolder();
            case DiskOperationKind.Rename:
                Invariant.Check(operation.NewName is not null, "a rename names the new name");
                DiskStatus status = Judge(NativeFile.Rename(PathOf(operation.File), PathOf(operation.NewName)));
                Forget(operation.File);
                Forget(operation.NewName);
                return status;
            default:
                DiskStatus removed = Judge(NativeFile.Unlink(PathOf(operation.File)));
                Forget(operation.File);
                return removed == DiskStatus.NotFound ? DiskStatus.Done : removed;
        }
    }

    private static DiskStatus Judge(int result) =>
        result == 0 ? DiskStatus.Done : FileHandle.StatusOf(NativeFile.LastError);

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
        long end = operation.Offset + operation.Data.Length;
        return Grows(file, end) && !_space.MayTake(operation.Data.Length)
            ? DiskStatus.Full
            : file.Write(operation.Data.Span, operation.Offset);
    }

    private DiskStatus WriteDurable(in DiskOperation operation)
    {
        bool isAligned = operation.Offset % DirectWriter.BlockBytes == 0
            && operation.Data.Length % DirectWriter.BlockBytes == 0;
        if (isAligned && _direct is not null
            && _direct.TryWrite(operation.File, operation.Data.Span, operation.Offset, out DiskStatus status))
        {
            return status;
        }

        return OnFile(operation, create: true, static (disk, file, what) =>
        {
            DiskStatus written = disk.Write(file, what);
            return written == DiskStatus.Done ? file.SyncData() : written;
        });
    }

    private DiskStatus Allocate(FileHandle file, long length)
    {
        long grows = length - file.Length();
        return grows > 0 && !_space.MayTake(grows) ? DiskStatus.Full : file.Allocate(length);
    }

    private static bool Grows(FileHandle file, long end) => file.Length() < end;

    private DiskStatus SyncFolder()
    {
        DiskStatus status = FileHandle.Open(
            _folder, _folder, NativeFile.ReadOnly | NativeFile.Directory, out FileHandle? folder);
        if (status == DiskStatus.Done)
        {
            status = folder!.Sync();
            folder.Dispose();
        }

        return status;
    }

    private void Forget(string name)
    {
        _files.Forget(name);
        _direct?.Forget(name);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
