using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Checkpoints;

/// <summary>
/// A group's checkpoints, a file each. What is asked for is done in the order of asking, one disk operation at a
/// time; a job is written as the sequence of its operations, each taken up when the one before it has ended.
/// <para>Invariants: a file has a checkpoint's name only when all its bytes are durable, and is announced only when
/// its name is durable too (pitfall S1); older ones go only after that, and clearing up spares newer ones and those
/// that are being received (pitfall R17). The newest by index counts; when it is damaged nothing does, because the
/// log may have been released up to it. After a failure nothing more is reported.</para>
/// </summary>
public sealed class CheckpointFiles : ICheckpoints
{
    private readonly string _prefix;
    private readonly ICheckpointsClient _client;
    private readonly CheckpointSettings _settings;
    private readonly DiskJobs _jobs;
    private bool _isDead;

    private SnapshotMeta? _newest;
    private long _newestBytes;
    private Reception _reception;

    /// <summary>The bytes of the file that <see cref="LoadFile"/> read last.</summary>
    private byte[] _loaded = [];

    public CheckpointFiles(IDisk disk, string prefix, ICheckpointsClient client, CheckpointSettings? settings = null)
    {
        _prefix = prefix;
        _client = client;
        _settings = settings ?? new();
        _jobs = new(disk, _settings.JobsWaitingMax);
    }

    public void Open() => _jobs.Add(OpenJob());

    public void Save(SnapshotMeta meta, ReadOnlyMemory<byte> state) => _jobs.Add(SaveJob(meta, state));

    public void Read(ulong tag, LogIndex snapshot, long offset, int maxBytes) =>
        _jobs.Add(ReadJob(tag, snapshot, offset, maxBytes));

    public void Receive(InstallSnapshot piece) => _jobs.Add(ReceiveJob(piece));

    private IEnumerable<DiskStep> OpenJob()
    {
        yield return new DiskOperation(0, DiskOperationKind.List, "");
        if (!Succeeded("the data folder"))
        {
            yield break;
        }

        List<CheckpointName> names = CheckpointName.Among(_prefix, _jobs.Completion.Names ?? []);
        CheckpointName newest =
            names.Where(name => name.IsWhole).OrderBy(name => name.Index).ThenBy(name => name.Term).LastOrDefault();
        SnapshotMeta? meta = null;
        ReadOnlyMemory<byte> state = default;
        if (newest.File is not null)
        {
            yield return DiskStep.All(LoadFile(newest.File));

            if (_isDead)
            {
                yield break;
            }

            if (!CheckpointFormat.TryDecode(_loaded, out meta, out state)
                || meta?.Index != newest.Index
                || meta?.Term != newest.Term)
            {
                Fail($"The checkpoint {newest.File} is damaged, and the log before it may be gone. "
                    + FolderAdvice.Sentence);
                yield break;
            }

            // The former process may have died between the rename and the sync of the folder.
            yield return DiskStep.All(MakeNamed(newest.File));

            if (_isDead)
            {
                yield break;
            }

            _newest = meta;
            _newestBytes = _loaded.Length;
            _loaded = [];
        }

        foreach (CheckpointName name in names.Where(name => name != newest))
        {
            yield return new DiskOperation(0, DiskOperationKind.Delete, name.File);
            _ = Succeeded(name.File);
        }

        if (!_isDead)
        {
            _client.CheckpointOpened(meta, state);
        }
    }

    private IEnumerable<DiskStep> SaveJob(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        int bytesMax = _settings.StateBytesMax;
        Invariant.Check(state.Length <= bytesMax, $"a state has at most {bytesMax} bytes");
        if (_newest is not null && _newest.Index >= meta.Index)
        {
            // One that covers it, a received snapshot perhaps, is durable.
            yield return Nothing();
            _client.CheckpointSaved(meta);
            yield break;
        }

        string saving = CheckpointName.Of(_prefix, meta, CheckpointName.Saving);
        byte[] header = CheckpointFormat.EncodeHeader(meta, state.Length);
        byte[] trailer = CheckpointFormat.EncodeTrailer(Crc32C.Of(state.Span, Crc32C.Of(header)));
        long offset = 0;
        foreach (ReadOnlyMemory<byte> part in new ReadOnlyMemory<byte>[] { header, state, trailer })
        {
            for (int from = 0; from < part.Length; from += _settings.PieceBytes)
            {
                ReadOnlyMemory<byte> piece = part.Slice(from, Math.Min(_settings.PieceBytes, part.Length - from));
                yield return new DiskOperation(0, DiskOperationKind.Write, saving, offset, piece);
                if (!Succeeded(saving))
                {
                    yield break;
                }

                offset += piece.Length;
            }
        }

        yield return DiskStep.All(Establish(saving, meta, offset));

        if (!_isDead)
        {
            _client.CheckpointSaved(meta);
        }

        yield return DiskStep.All(ClearOlder());
    }

    private IEnumerable<DiskStep> ReadJob(ulong tag, LogIndex snapshot, long offset, int maxBytes)
    {
        if (_newest is null)
        {
            yield return Nothing();
            _client.CheckpointRead(tag, null, 0, default, true);
            yield break;
        }

        SnapshotMeta meta = _newest;
        string file = CheckpointName.Of(_prefix, meta);
        long from = snapshot == meta.Index && offset <= _newestBytes ? offset : 0;
        int length = (int)Math.Min(Math.Min(maxBytes, _settings.PieceBytes), _newestBytes - from);
        yield return new DiskOperation(0, DiskOperationKind.Read, file, from, Length: length);
        if (Succeeded(file))
        {
            if (_jobs.Completion.Data.Length == length)
            {
                _client.CheckpointRead(tag, meta, from, _jobs.Completion.Data, from + length == _newestBytes);
            }
            else
            {
                Fail($"The checkpoint {file} is shorter than it was. Check the disk, then start again.");
            }
        }
    }

    private IEnumerable<DiskStep> ReceiveJob(InstallSnapshot piece)
    {
        if (piece.Offset == 0)
        {
            // A former unfinished one is dropped, and a left-over of this very name must not shine through.
            string begun = CheckpointName.Of(_prefix, piece.Meta, CheckpointName.Receiving);
            string former = _reception.File ?? begun;
            _reception = new(piece.Meta, begun, 0);
            yield return new DiskOperation(0, DiskOperationKind.Delete, former);
            if (!Succeeded(former))
            {
                yield break;
            }
        }

        bool fits = _reception.File is not null
            && piece.Offset == _reception.Bytes
            && CheckpointFormat.IsSame(piece.Meta, _reception.Meta)
            && piece.Offset + piece.Chunk.Length
                <= CheckpointFormat.FileBytesMax(_settings.StateBytesMax, _settings.MetaBytesMax);
        if (!fits)
        {
            yield return DiskStep.All(Refuse(piece.Meta));

            yield break;
        }

        string file = _reception.File!;
        yield return new DiskOperation(0, DiskOperationKind.Write, file, piece.Offset, piece.Chunk);
        if (!Succeeded(file))
        {
            yield break;
        }

        _reception = _reception with { Bytes = _reception.Bytes + piece.Chunk.Length };
        if (piece.Done)
        {
            yield return DiskStep.All(InstallReceived(file, piece.Meta));
        }
    }

    private IEnumerable<DiskStep> InstallReceived(string file, SnapshotMeta announced)
    {
        yield return DiskStep.All(LoadFile(file));

        if (_isDead)
        {
            yield break;
        }

        byte[] loaded = _loaded;
        _loaded = [];
        bool isOlder = _newest is not null && announced.Index < _newest.Index;
        if (isOlder
            || !CheckpointFormat.TryDecode(loaded, out SnapshotMeta? meta, out ReadOnlyMemory<byte> state)
            || !CheckpointFormat.IsSame(meta, announced))
        {
            yield return DiskStep.All(Refuse(announced));

            yield break;
        }

        yield return DiskStep.All(Establish(file, meta!, loaded.Length));

        _reception = default;
        if (!_isDead)
        {
            _client.SnapshotReceived(meta!, state);
        }

        yield return DiskStep.All(ClearOlder());
    }

    private IEnumerable<DiskStep> Refuse(SnapshotMeta meta)
    {
        if (_reception.File is null)
        {
            yield return Nothing();
        }
        else
        {
            yield return new DiskOperation(0, DiskOperationKind.Delete, _reception.File);
            _ = Succeeded(_reception.File);
            _reception = default;
        }

        if (!_isDead)
        {
            _client.SnapshotRefused(meta);
        }
    }

    /// <summary>
    /// Makes a written file durable and gives it its checkpoint's name, durably; it is then the newest.
    /// </summary>
    private IEnumerable<DiskStep> Establish(string written, SnapshotMeta meta, long bytes)
    {
        if (Guards.CheckpointSyncedBeforeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.Sync, written);
            if (!Succeeded(written))
            {
                yield break;
            }
        }

        if (!Guards.OldCheckpointOutlivesNew && _newest is not null)
        {
            yield return new DiskOperation(0, DiskOperationKind.Delete, CheckpointName.Of(_prefix, _newest));
        }

        string file = CheckpointName.Of(_prefix, meta);
        yield return new DiskOperation(0, DiskOperationKind.Rename, written, NewName: file);
        if (!Succeeded(written))
        {
            yield break;
        }

        yield return DiskStep.All(MakeNamed(file));

        _newest = meta;
        _newestBytes = bytes;
    }

    private IEnumerable<DiskStep> MakeNamed(string file)
    {
        if (Guards.NewFilesAreMadeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");
            _ = Succeeded(file);
        }
    }

    /// <summary>
    /// Deletes the checkpoints before the newest. What is newer, or not whole yet, belongs to others.
    /// </summary>
    private IEnumerable<DiskStep> ClearOlder()
    {
        if (_isDead || _newest is null)
        {
            yield break;
        }

        yield return new DiskOperation(0, DiskOperationKind.List, "");
        if (!Succeeded("the data folder"))
        {
            yield break;
        }

        string newest = CheckpointName.Of(_prefix, _newest);
        foreach (CheckpointName name in CheckpointName.Among(_prefix, _jobs.Completion.Names ?? []))
        {
            bool isDone = Guards.ClearingSparesOtherSnapshots
                ? name.IsWhole && name.IsBefore(_newest)
                : !string.Equals(name.File, newest, StringComparison.Ordinal);
            if (isDone)
            {
                yield return new DiskOperation(0, DiskOperationKind.Delete, name.File);
                _ = Succeeded(name.File);
            }
        }
    }

    /// <summary>Reads a file whole, in pieces, into <see cref="_loaded"/>.</summary>
    private IEnumerable<DiskStep> LoadFile(string file)
    {
        var reader = new DiskFileReader(file, _settings.PieceBytes);
        bool isWhole;
        do
        {
            yield return reader.Next();
            if (!Succeeded(file))
            {
                yield break;
            }

            isWhole = reader.Take(_jobs.Completion.Data);
        }
        while (!isWhole);

        _loaded = reader.Content.ToArray();
    }

    /// <summary>An operation that only ends: answers are given as inputs, never inside the call that asked.</summary>
    private DiskOperation Nothing() => new(0, DiskOperationKind.Delete, _prefix + "checkpoint-nothing");

    private bool Succeeded(string file)
    {
        if (_isDead)
        {
            return false;
        }

        if (_jobs.Completion.Status == DiskStatus.Done)
        {
            return true;
        }

        Fail(_jobs.Completion.Status switch
        {
            DiskStatus.Full => $"The disk is full: {file} could not be written. Free some space, then start again.",
            DiskStatus.NotFound => $"The file {file} is missing. Nothing else may change the data folder of a node.",
            _ => $"The disk failed on {file}, so what was written last may be lost. Check the disk, then start again.",
        });
        return false;
    }

    private void Fail(string sentence)
    {
        _isDead = true;
        _jobs.Stop();
        _client.CheckpointsFailed(sentence);
    }

    /// <summary>The snapshot that is being received; no file when there is none.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Reception(SnapshotMeta? Meta, string? File, long Bytes);
}
