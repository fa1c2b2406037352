namespace Quorate.Storage.Disk;

/// <summary>What may be asked of a disk. File names are relative to the node's data folder.</summary>
public enum DiskOperationKind : byte
{
    /// <summary>The names of all files, ascending by ordinal.</summary>
    List,

    /// <summary>Bytes of a file; fewer at its end.</summary>
    Read,

    /// <summary>
    /// Bytes into a file, which is created when absent. Not durable until a Sync of the file, and of the folder
    /// when it was created.
    /// </summary>
    Write,

    /// <summary>Cut a file to a length. Not durable until a Sync of the file.</summary>
    Truncate,

    /// <summary>
    /// Make durable what was written to a file by operations that completed before this one was submitted.
    /// </summary>
    Sync,

    /// <summary>
    /// Give a file another name, in the place of any file of that name. Not durable until SyncFolder.
    /// </summary>
    Rename,

    /// <summary>Remove a file; not an error when absent. Not durable until SyncFolder.</summary>
    Delete,

    /// <summary>Make names durable: files created, renamed and deleted.</summary>
    SyncFolder,

    /// <summary>
    /// A Write and then a Sync of the same file, as one operation with one end: what the log does for each batch. A
    /// crash before its end may leave any part of the bytes.
    /// </summary>
    WriteDurable,

    /// <summary>
    /// Make a file, created when absent, at least <see cref="DiskOperation.Length"/> bytes long and its space surely
    /// there; what it grows by is zeros that were really written, so that later writes change no metadata. Full leaves
    /// a file of any length. Not durable until a Sync, and of the folder when it was created.
    /// </summary>
    Allocate,
}

/// <summary>How an operation ended.</summary>
public enum DiskStatus : byte
{
    Done,
    NotFound,

    /// <summary>No space is left. Nothing, or a part, was written.</summary>
    Full,

    /// <summary>
    /// The device refused. After a failed Sync nothing is known of what was written before it: the process must end
    /// (pitfall R11).
    /// </summary>
    Failed,
}

/// <summary>An operation on a disk.</summary>
/// <param name="Ticket">Chosen by the client, given back in the completion.</param>
/// <param name="Length">Read: how many bytes at most. Allocate: how long the file must be.</param>
public readonly record struct DiskOperation(
    ulong Ticket,
    DiskOperationKind Kind,
    string File,
    long Offset = 0,
    ReadOnlyMemory<byte> Data = default,
    int Length = 0,
    string? NewName = null);

/// <summary>The end of an operation.</summary>
/// <param name="Data">Read: the bytes.</param>
/// <param name="Names">List: the names.</param>
public readonly record struct DiskCompletion(
    ulong Ticket,
    DiskStatus Status,
    ReadOnlyMemory<byte> Data = default,
    IReadOnlyList<string>? Names = null);

/// <summary>Is told when its operations end.</summary>
public interface IDiskClient
{
    void Complete(in DiskCompletion completion);
}

/// <summary>
/// A disk: operations are submitted and complete later, in any order, each as an input of its own; never inside
/// <see cref="Submit"/>. Two operations on the same bytes are ordered only when the first has completed before
/// the second is submitted. Data handed to Write must not change until its completion.
/// </summary>
public interface IDisk
{
    void Submit(in DiskOperation operation, IDiskClient client);
}
