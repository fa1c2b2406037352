using Quorate.Storage.Disk;

namespace Quorate.Storage.Encryption;

/// <summary>
/// The owner of a file of data keys. Its members are called as inputs, never inside a call to the file.
/// </summary>
public interface IKeyRingClient
{
    /// <summary>The data keys are read, and durable.</summary>
    void KeysOpened(KeyRing ring);

    /// <summary>All keys that the ring held at the call of <see cref="KeyRingFile.Save"/> are durable.</summary>
    void KeysSaved();

    /// <summary>The keys can not be read or not be saved: the process must end with this sentence.</summary>
    void KeysFailed(string sentence);
}

/// <summary>
/// Keeps a ring of data keys in a file of the data folder, wrapped by the master key.
/// <para>Invariants: the file is replaced whole: written under another name, synced, renamed, its folder synced; so
/// there is always one that can be read. A key counts as saved only after that.</para>
/// </summary>
public sealed class KeyRingFile(
    IDisk disk, MasterKey? master, IEntropy entropy, IKeyRingClient client, string file = KeyRingFile.Name)
{
    /// <summary>Its name in the data folder.</summary>
    public const string Name = "keys";

    private const int JobsMax = 16;
    private const string Lost = "Restore it from a copy; without it nothing that is encrypted can be read.";

    private readonly DiskJobs _jobs = new(disk, JobsMax);
    private readonly string _temporary = file + ".new";
    private KeyRing? _ring;
    private bool _isDead;

    /// <summary>
    /// Reads the file. When there is none: an empty ring if <paramref name="mayCreate"/> says that nothing encrypted
    /// can be there yet, a failure if not.
    /// </summary>
    public void Open(bool mayCreate) => _jobs.Add(OpenJob(mayCreate));

    /// <summary>Makes the ring's keys durable as they are now. One at a time suffices; more wait.</summary>
    public void Save() => _jobs.Add(SaveJob());

    private IEnumerable<DiskStep> OpenJob(bool mayCreate)
    {
        yield return new DiskOperation(0, DiskOperationKind.Read, file, Length: KeyRingFormat.BytesMax + 1);
        DiskCompletion completion = _jobs.Completion;
        bool exists = completion.Status != DiskStatus.NotFound;
        if (exists && !Succeeded())
        {
            yield break;
        }

        if (Problem(exists, mayCreate) is string problem)
        {
            Fail(problem);
            yield break;
        }

        var ring = new KeyRing(isKept: true);
        if (exists)
        {
            KeyRingReading reading = KeyRingFormat.TryDecode(completion.Data.Span, master!, ring);
            if (reading != KeyRingReading.Read)
            {
                Fail(SentenceFor(reading));
                yield break;
            }

            // The former process may have died between the rename and the sync of the folder.
            yield return new DiskOperation(0, DiskOperationKind.Sync, file);
            if (!Succeeded())
            {
                yield break;
            }
        }

        yield return new DiskOperation(0, DiskOperationKind.Delete, _temporary);
        if (!Succeeded())
        {
            yield break;
        }

        yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");
        if (Succeeded())
        {
            _ring = ring;
            client.KeysOpened(ring);
        }
    }

    private IEnumerable<DiskStep> SaveJob()
    {
        if (_ring is null || master is null)
        {
            yield return new DiskOperation(0, DiskOperationKind.List, "");
            Fail($"The data keys of {file} can not be saved without a master key. Name one, then start again.");
            yield break;
        }

        uint[] ids = [.. _ring.Ids];
        byte[] bytes = KeyRingFormat.Encode(_ring, master, entropy);
        DiskOperation[] operations =
        [
            new(0, DiskOperationKind.Delete, _temporary),
            new(0, DiskOperationKind.Write, _temporary, 0, bytes),
            new(0, DiskOperationKind.Sync, _temporary),
            new(0, DiskOperationKind.Rename, _temporary, NewName: file),
            new(0, DiskOperationKind.SyncFolder, ""),
        ];
        foreach (DiskOperation operation in operations)
        {
            yield return operation;
            if (!Succeeded())
            {
                yield break;
            }
        }

        foreach (uint id in ids)
        {
            _ring.MarkSaved(id);
        }

        client.KeysSaved();
    }

    private string? Problem(bool exists, bool mayCreate) => (exists, master) switch
    {
        (true, null) => $"The data keys in {file} are wrapped by a master key, and none was given. "
            + "Name the file that holds it, then start again.",
        (false, _) when !mayCreate => $"The file {file}, which holds the data keys, is missing. {Lost}",
        _ => null,
    };

    private string SentenceFor(KeyRingReading reading) => reading switch
    {
        KeyRingReading.WrongMasterKey => $"The master key in {master!.Source} does not open the data keys in {file}: "
            + "they were wrapped by another one. Name the file that holds the right master key, then start again.",
        KeyRingReading.OtherVersion => $"The file {file}, which holds the data keys, is of a format that this version "
            + "does not know. Start the version that wrote it, or a newer one.",
        _ => $"The file {file}, which holds the data keys, is damaged. {Lost}",
    };

    private bool Succeeded()
    {
        if (_jobs.Completion.Status is DiskStatus.Done)
        {
            return true;
        }

        Fail(_jobs.Completion.Status == DiskStatus.Full
            ? $"The disk is full: the data keys could not be written to {file}. Free some space, then start again."
            : $"The disk failed on {file}, which holds the data keys. Check the disk, then start again.");
        return false;
    }

    private void Fail(string sentence)
    {
        if (!_isDead)
        {
            _isDead = true;
            _jobs.Stop();
            client.KeysFailed(sentence);
        }
    }
}
