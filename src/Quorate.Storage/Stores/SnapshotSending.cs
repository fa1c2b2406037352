using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Stores;

/// <summary>
/// Sends a checkpoint as one stream of bytes: its manifest as it stands in a file (with its length and checksum), then
/// the tables that it names, in its order, as they are on disk, encrypted ones too: every replica has the same data
/// keys.
/// <para>Invariants: a transfer's bytes do not change while it is under way, whatever becomes of the store: its tables
/// are held. Beyond the limit the oldest transfer is given up, and its receiver begins again with the newest; one that
/// has sent its last byte is kept until the next checkpoint.</para>
/// </summary>
internal sealed class SnapshotSending(StoreContext context)
{
    private readonly DiskJobs _reads = new(context.Disk, context.Settings.JobsWaitingMax);

    /// <summary>Ascending by index.</summary>
    private readonly List<Transfer> _transfers = [];

    public void Read(ulong tag, LogIndex snapshot, long offset, int bytesMax) =>
        _reads.Add(ReadJob(tag, snapshot, offset, Math.Min(bytesMax, context.Settings.SnapshotPieceBytesMax)));

    /// <summary>
    /// There is a newer checkpoint: transfers that are done go, and those of which nothing was read since so many.
    /// </summary>
    public void CheckpointCame()
    {
        _transfers.ForEach(transfer => transfer.IdleCheckpoints++);
        Drop(_transfers.FindAll(transfer =>
            transfer.IsDone || transfer.IdleCheckpoints > context.Settings.TransferIdleCheckpointsMax));
    }

    public void Stop() => _reads.Stop();

    private IEnumerable<DiskStep> ReadJob(ulong tag, LogIndex snapshot, long offset, int bytesMax)
    {
        Transfer? transfer = Find(snapshot, offset, out long from);
        ReadOnlyMemory<byte> chunk = default;
        if (transfer is null || from < transfer.Manifest.Length)
        {
            // The answer is an input, never given inside the call that asked.
            yield return context.Nothing;

            if (transfer is null)
            {
                context.Client.SnapshotRead(tag, null, 0, default, true);
                yield break;
            }

            chunk = transfer.Manifest.AsMemory((int)from);
            chunk = chunk[..Math.Min(bytesMax, chunk.Length)];
        }
        else if (from < transfer.Bytes)
        {
            (StoreTable table, long at) = transfer.At(from);
            int length = (int)Math.Min(bytesMax, table.Entry.Bytes - at);
            yield return new DiskOperation(0, DiskOperationKind.Read, table.File, at, Length: length);

            if (context.EndOf(_reads.Completion, table.File) != StepEnd.Done)
            {
                yield break;
            }

            chunk = _reads.Completion.Data;
            if (chunk.Length != length)
            {
                context.Fail($"The file {table.File} is shorter than it was. Check the disk, then start again.");
                yield break;
            }
        }

        if (!context.IsDead)
        {
            bool isDone = from + chunk.Length == transfer.Bytes;
            transfer.IsDone = isDone;
            context.Client.SnapshotRead(tag, transfer.Set.Manifest.Meta, from, chunk, isDone);
        }
    }

    /// <summary>The transfer of a snapshot, or else, from the beginning, that of the newest checkpoint.</summary>
    private Transfer? Find(LogIndex snapshot, long offset, out long from)
    {
        from = offset;
        if (_transfers.Find(each => each.Set.Manifest.Meta.Index == snapshot) is Transfer known
            && offset < known.Bytes)
        {
            return Begin(known);
        }

        from = 0;
        if (context.Durable is not TableSet newest)
        {
            return null;
        }

        Transfer? last = _transfers.LastOrDefault();
        if (last is null || last.Set.Manifest.Meta.Index != newest.Manifest.Meta.Index)
        {
            context.Tables.Hold(newest);
            last = new(newest);
            Drop(_transfers.FindAll(each => each.IsDone));
            Drop(_transfers.GetRange(0, Math.Max(0, _transfers.Count - context.Settings.SnapshotsKeptMax)));
            _transfers.Add(last);
        }

        return Begin(last);
    }

    /// <summary>It is being read, so no checkpoint drops it.</summary>
    private static Transfer Begin(Transfer transfer)
    {
        transfer.IsDone = false;
        transfer.IdleCheckpoints = 0;
        return transfer;
    }

    private void Drop(List<Transfer> transfers)
    {
        foreach (Transfer transfer in transfers)
        {
            _transfers.Remove(transfer);
            context.Tables.Release(transfer.Set);
        }
    }

    private sealed class Transfer(TableSet set)
    {
        public TableSet Set => set;

        public byte[] Manifest { get; } = set.Manifest.Encode();

        /// <summary>Of the whole stream.</summary>
        public long Bytes => Manifest.Length + set.Manifest.TablesBytes;

        /// <summary>Its last byte was sent.</summary>
        public bool IsDone { get; set; }

        /// <summary>Checkpoints since a piece of it was read last.</summary>
        public int IdleCheckpoints { get; set; }

        /// <summary>The table at an offset of the stream, and where in its file.</summary>
        public (StoreTable Table, long At) At(long offset)
        {
            long at = offset - Manifest.Length;
            int table = 0;
            while (at >= set.Tables[table].Entry.Bytes)
            {
                at -= set.Tables[table++].Entry.Bytes;
            }

            return (set.Tables[table], at);
        }
    }
}
