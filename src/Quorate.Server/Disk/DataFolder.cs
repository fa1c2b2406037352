using System.Globalization;
using System.Text;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// A node's data folder: a lock that one process holds while it lives (flock), the identity of the node, and the folder
/// of the files that the <see cref="RealDisk"/> keeps.
/// <para>Invariant: the lock is held from opening to disposal; the system lets go of it when the process dies in any
/// way, so a lock file that is left behind means nothing.</para>
/// </summary>
public sealed class DataFolder : IDisposable
{
    /// <summary>The file that is locked, in the folder; it holds the number of the process that had it last.</summary>
    public const string LockName = "lock";

    /// <summary>The file that says whose process has the folder, for people and scripts.</summary>
    public const string ProcessIdName = "pid";

    private const string FilesName = "files";
    private const string UnnamedSuffix = ".new";

    private readonly FileHandle _lock;

    private DataFolder(string path, FileHandle held)
    {
        Root = path;
        _lock = held;
    }

    public string Root { get; }

    /// <summary>The folder for a <see cref="RealDisk"/>.</summary>
    public string Files => Path.Combine(Root, FilesName);

    /// <summary>Whose folder it is; null in a new one, until <see cref="TryName"/>.</summary>
    public NodeIdentity? Identity { get; private set; }

    private string IdentityPath => Path.Combine(Root, NodeIdentity.FileName);

    /// <summary>
    /// Opens a data folder, which is created when absent, and locks it. Null when it cannot be used;
    /// <paramref name="problem"/> is then one sentence for the operator.
    /// </summary>
    /// <param name="cluster">The cluster that the node belongs to, if that is known already.</param>
    public static DataFolder? TryOpen(string path, Guid? cluster, out string problem) =>
        TryOpen(path, cluster, out problem, out _);

    /// <inheritdoc cref="TryOpen(string, Guid?, out string)"/>
    /// <param name="isData">The folder was opened and locked, and what it holds cannot be used.</param>
    public static DataFolder? TryOpen(string path, Guid? cluster, out string problem, out bool isData)
    {
        isData = false;
        if (!NativeFile.IsSupported)
        {
            problem = "Quorate keeps data on Linux with glibc (x64 or arm64) only.";
            return null;
        }

        string root = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(Path.Combine(root, FilesName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"The data folder {root} cannot be made: {e.Message}";
            return null;
        }

        FileHandle? held = TryLock(root, out problem);
        if (held is null)
        {
            return null;
        }

        var folder = new DataFolder(root, held);
        if (!folder.TryIdentify(cluster, out problem))
        {
            isData = true;
            folder.Dispose();
            return null;
        }

        return folder;
    }

    /// <summary>
    /// Gives a folder its identity, durably: written aside, synced, renamed, and the name synced. That of a node which
    /// belongs to a cluster is given once. False, with one sentence, when the disk refuses; the process must then
    /// end.
    /// </summary>
    public bool TryName(NodeIdentity identity, out string problem)
    {
        Invariant.Check(Identity is not { IsFormed: true }, "a data folder is given its identity once");
        string aside = IdentityPath + UnnamedSuffix;
        DiskStatus status = WriteAside(aside, identity.Encode());
        if (status == DiskStatus.Done)
        {
            int result = NativeFile.Retry(() => NativeFile.Rename(aside, IdentityPath));
            status = result == 0 ? SyncNames(Root) : FileHandle.StatusOf(NativeFile.LastError);
        }

        // The folder itself has a name in the one above it.
        if (status == DiskStatus.Done && Path.GetDirectoryName(Root) is string above)
        {
            status = SyncNames(above);
        }

        Identity = status == DiskStatus.Done ? identity : null;
        problem = status switch
        {
            DiskStatus.Done => "",
            DiskStatus.Full => $"There is no space for the file {IdentityPath}: make some, then start again.",
            _ => $"The disk refused the file {IdentityPath}: check the disk, then start again.",
        };
        return status == DiskStatus.Done;
    }

    /// <summary>Lets go of the lock.</summary>
    public void Dispose()
    {
        // Closing would not do: a child that is just being started may still have the descriptor, and so the lock.
        _ = NativeFile.Retry(() => NativeFile.Lock(_lock.Descriptor, NativeFile.Unlock));
        _lock.Dispose();
    }

    private static FileHandle? TryLock(string root, out string problem)
    {
        string path = Path.Combine(root, LockName);
        DiskStatus status = FileHandle.Open(path, NativeFile.ReadWrite | NativeFile.Create, out FileHandle? held);
        if (status != DiskStatus.Done)
        {
            problem = $"The file {path} cannot be opened: check who owns the folder and whether it can be written.";
            return null;
        }

        int result = NativeFile.Retry(
            () => NativeFile.Lock(held!.Descriptor, NativeFile.LockExclusive | NativeFile.LockNonBlocking));
        int error = NativeFile.LastError;
        if (result != 0 && Guards.DataFolderIsLocked)
        {
            problem = error == NativeFile.WouldBlock
                ? $"The data folder {root} is in use by process {Holder(held!)}: stop that process, or give this "
                    + "node a folder of its own."
                : $"The file {path} cannot be locked: put the data folder on a file system that knows flock.";
            held!.Dispose();
            return null;
        }

        status = held!.Truncate(0);
        status = status == DiskStatus.Done ? held.Write(ProcessText(), 0) : status;
        problem = status == DiskStatus.Done
            ? ""
            : $"The file {path} cannot be written: check the disk and its free space, then start again.";
        if (status != DiskStatus.Done)
        {
            held.Dispose();
            return null;
        }

        return held;
    }

    private static byte[] ProcessText() =>
        Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");

    private static string Holder(FileHandle held)
    {
        byte[] text = new byte[32];
        DiskStatus status = held.Read(text, 0, out int count);
        string holder = Encoding.ASCII.GetString(text, 0, count).Trim();
        return status == DiskStatus.Done && holder.Length > 0 ? holder : "(unknown)";
    }

    private static DiskStatus WriteAside(string path, byte[] bytes)
    {
        DiskStatus status = FileHandle.Open(path, NativeFile.ReadWrite | NativeFile.Create, out FileHandle? file);
        if (status != DiskStatus.Done)
        {
            return status;
        }

        using (file)
        {
            // A death may have left a longer one.
            status = file!.Truncate(0);
            status = status == DiskStatus.Done ? file.Write(bytes, 0) : status;
            return status == DiskStatus.Done ? file.Sync() : status;
        }
    }

    private static DiskStatus SyncNames(string path)
    {
        DiskStatus status = FileHandle.Open(path, NativeFile.ReadOnly | NativeFile.Directory, out FileHandle? folder);
        if (status != DiskStatus.Done)
        {
            return status;
        }

        using (folder)
        {
            return folder!.Sync();
        }
    }

    private bool TryIdentify(Guid? cluster, out string problem)
    {
        problem = "";
        DiskStatus status = FileHandle.Open(IdentityPath, NativeFile.ReadOnly, out FileHandle? file);
        if (status == DiskStatus.NotFound)
        {
            // Files without an identity are somebody's data: to take such a folder for new would lose them unseen.
            bool isNew = !Directory.EnumerateFileSystemEntries(Files).Any();
            problem = isNew
                ? ""
                : $"The identity file {IdentityPath} is missing, but {Files} holds data. " + FolderAdvice.Sentence;
            return isNew;
        }

        byte[] bytes = new byte[4096];
        int count = 0;
        using (file)
        {
            status = status == DiskStatus.Done ? file!.Read(bytes, 0, out count) : status;
        }

        if (status != DiskStatus.Done)
        {
            problem = $"The file {IdentityPath} cannot be read: check the disk, then start again.";
            return false;
        }

        Identity = NodeIdentity.Decode(bytes.AsSpan(0, count), IdentityPath, out problem);
        if (Identity is { IsFormed: true } && cluster is Guid wanted && Identity.Cluster != wanted)
        {
            problem = $"The data folder {Root} belongs to cluster {Identity.Cluster:N}, not to {wanted:N}: give this "
                + "node a folder of its own.";
            return false;
        }

        // The process that named the folder may have died before the name was durable (pitfall R28).
        if (Identity is not null && SyncNames(Root) != DiskStatus.Done)
        {
            problem = $"The disk refused to sync {Root}: check the disk, then start again.";
            return false;
        }

        return Identity is not null;
    }
}
