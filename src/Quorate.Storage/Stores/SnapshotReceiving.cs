using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Stores;

/// <summary>
/// Receives a checkpoint that another replica sends (<see cref="SnapshotSending"/>). Its tables get numbers of this
/// store and names that do not count; when all is there and every block was read and verified they are synced and
/// named, and a manifest makes them what the next start opens (pitfalls R16, R17, S8).
/// </summary>
internal sealed class SnapshotReceiving(StoreContext context)
{
    private Reception? _reception;

    /// <summary>What the steps of the piece at hand came to; its owner tells.</summary>
    private StepEnd _end;

    /// <summary>What was wrong with the tables of a refused snapshot, such as a key that is not here.</summary>
    public string? Problem { get; private set; }

    public IEnumerable<StoreStep> Steps(InstallSnapshot piece)
    {
        yield return context.Nothing;

        if (context.IsDead)
        {
            yield break;
        }

        if (piece.Offset == 0)
        {
            // A former unfinished one is dropped.
            Drop();
            _reception = new(piece.Meta);
            Problem = null;
        }

        bool fits = _reception is not null
            && piece.Offset == _reception.Bytes
            && CheckpointFormat.IsSame(piece.Meta, _reception.Meta);
        if (!fits)
        {
            Refuse(piece.Meta);
            yield break;
        }

        Reception reception = _reception!;
        ReadOnlyMemory<byte> rest = reception.TakeManifest(piece.Chunk, context.Settings.ManifestBytesMax);
        while (rest.Length > 0 && IsAcceptable(reception) && reception.Open(context) is { } target)
        {
            ReadOnlyMemory<byte> part = rest[..(int)Math.Min(rest.Length, target.Room)];
            yield return new DiskOperation(0, DiskOperationKind.Write, target.File, target.Offset, part);

            _end = context.LastEnd(target.File);
            if (_end != StepEnd.Done)
            {
                break;
            }

            reception.Written(part.Length);
            rest = rest[part.Length..];
        }

        if (_end == StepEnd.Done && rest.IsEmpty && piece.Done && reception.IsWhole && IsAcceptable(reception))
        {
            yield return StoreStep.All(InstallSteps(reception));
        }
        else if (_end != StepEnd.Dead && (_end == StepEnd.Full || piece.Done || !rest.IsEmpty))
        {
            Refuse(piece.Meta);
        }
    }

    private bool IsAcceptable(Reception reception) =>
        reception.Manifest is Manifest manifest
        && manifest.Partition == context.Settings.Partition
        && manifest.Slots == context.Settings.Slots
        && CheckpointFormat.IsSame(manifest.Meta, reception.Meta)
        && manifest.Tables.All(table => table.Bytes > 0)
        && manifest.Tables.Length <= context.Settings.SnapshotTablesMax
        && manifest.Tables.Sum(table => (decimal)table.Bytes) <= context.Settings.SnapshotBytesMax
        && (context.Durable is not TableSet durable || durable.Manifest.Meta.Index <= manifest.Meta.Index);

    private IEnumerable<StoreStep> InstallSteps(Reception reception)
    {
        var tables = new List<StoreTable>();
        foreach ((ManifestTable entry, string file) in reception.Files)
        {
            var check = new TableCheck(context, entry, file);
            yield return StoreStep.All(check.Steps());

            yield return context.Nothing;

            if (context.IsDead)
            {
                yield break;
            }

            if (check.Problem is not null)
            {
                Problem = check.Problem;
                Refuse(reception.Meta);
                yield break;
            }
        }

        foreach ((ManifestTable entry, string file) in reception.Files)
        {
            yield return new DiskOperation(0, DiskOperationKind.Sync, file);

            if (Ended(file, reception, tables))
            {
                yield break;
            }

            string name = StoreFileName.OfTable(context.Settings.Prefix, entry.Number);
            yield return new DiskOperation(0, DiskOperationKind.Rename, file, NewName: name);

            if (Ended(file, reception, tables))
            {
                yield break;
            }

            // Open under its name: it is a table of this store now.
            var opening = new TableOpening(context, entry, name);
            yield return StoreStep.All(opening.Steps());

            if (opening.Table is null)
            {
                yield break;
            }

            tables.Add(opening.Table);
        }

        yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");

        if (Ended(context.Settings.Prefix, reception, tables))
        {
            yield break;
        }

        _reception = null;
        yield return StoreStep.All(CommitSteps(reception, [.. tables]));
    }

    /// <summary>Whether the installation ends here; without space the sender is told to begin again.</summary>
    private bool Ended(string file, Reception reception, List<StoreTable> tables)
    {
        StepEnd end = context.LastEnd(file);
        if (end == StepEnd.Full)
        {
            // Nobody holds them yet, so their files go.
            tables.ForEach(table => context.Tables.Release(context.Tables.Hold(table)));
            Refuse(reception.Meta);
        }

        return end != StepEnd.Done;
    }

    private IEnumerable<StoreStep> CommitSteps(Reception reception, StoreTable[] tables)
    {
        Manifest manifest = reception.Manifest! with { Tables = [.. tables.Select(table => table.Entry)] };
        var set = new TableSet(manifest, tables);
        context.Tables.Hold(set);
        var commit = new ManifestCommit(context, set, isServed: false);
        bool isOlder = context.Durable is TableSet durable && durable.Manifest.Meta.Index > manifest.Meta.Index;
        if (!isOlder)
        {
            yield return StoreStep.All(commit.Steps());
        }

        if (context.IsDead)
        {
            yield break;
        }

        context.Tables.Release(set);
        if (isOlder || commit.End != StepEnd.Done)
        {
            Refuse(reception.Meta);
        }
        else
        {
            context.Client.SnapshotReceived(manifest.Meta);
        }
    }

    private void Refuse(SnapshotMeta meta)
    {
        Drop();
        context.Client.SnapshotRefused(meta);
    }

    private void Drop()
    {
        foreach ((_, string file) in _reception?.Files ?? [])
        {
            context.Delete(file);
        }

        _reception = null;
        _end = StepEnd.Done;
    }

    /// <summary>How much of a snapshot has arrived.</summary>
    private sealed class Reception(SnapshotMeta meta)
    {
        private readonly List<byte> _manifestBytes = [];
        private readonly List<(ManifestTable Entry, string File)> _files = [];
        private long _room;

        public SnapshotMeta Meta => meta;

        /// <summary>Of the stream.</summary>
        public long Bytes { get; private set; }

        /// <summary>Null until it is whole, or when it is damaged.</summary>
        public Manifest? Manifest { get; private set; }

        /// <summary>The tables that were begun, under their numbers in this store.</summary>
        public IReadOnlyList<(ManifestTable Entry, string File)> Files => _files;

        public bool IsWhole => Manifest is not null && _files.Count == Manifest.Tables.Length && _room == 0;

        /// <summary>Takes what of a chunk belongs to the manifest; the rest.</summary>
        public ReadOnlyMemory<byte> TakeManifest(ReadOnlyMemory<byte> chunk, int bytesMax)
        {
            while (Manifest is null && chunk.Length > 0)
            {
                bool isLengthKnown = _manifestBytes.Count >= Stores.Manifest.LengthPrefixBytes;
                int wanted = isLengthKnown
                    ? Stores.Manifest.LengthOf(_manifestBytes.ToArray())
                    : Stores.Manifest.LengthPrefixBytes;
                if (wanted > bytesMax || wanted <= _manifestBytes.Count)
                {
                    return chunk;
                }

                int count = Math.Min(chunk.Length, wanted - _manifestBytes.Count);
                _manifestBytes.AddRange(chunk.Span[..count]);
                chunk = chunk[count..];
                Bytes += count;
                if (isLengthKnown && _manifestBytes.Count == wanted)
                {
                    Manifest = Stores.Manifest.TryDecode(_manifestBytes.ToArray());
                    if (Manifest is null)
                    {
                        return chunk;
                    }
                }
            }

            return chunk;
        }

        /// <summary>Where the next bytes go; null when all tables are full.</summary>
        public (string File, long Offset, long Room)? Open(StoreContext context)
        {
            if (_room == 0)
            {
                if (_files.Count == Manifest!.Tables.Length)
                {
                    return null;
                }

                ManifestTable entry = Manifest.Tables[_files.Count] with { Number = context.NextNumber() };
                _files.Add((entry, StoreFileName.OfReceiving(context.Settings.Prefix, entry.Number)));
                _room = entry.Bytes;
            }

            (ManifestTable table, string file) = _files[^1];
            return (file, table.Bytes - _room, _room);
        }

        public void Written(int bytes)
        {
            _room -= bytes;
            Bytes += bytes;
        }
    }
}
