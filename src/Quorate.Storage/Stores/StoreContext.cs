using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>How the steps of a job know that an operation ended.</summary>
internal enum StepEnd : byte
{
    Done,

    /// <summary>No space: what was begun is given up.</summary>
    Full,

    /// <summary>The store is closed, or has failed and said so.</summary>
    Dead,
}

/// <summary>
/// What the parts of one store share: the disk through its jobs, settings, the numbers of files, the two sets of
/// tables (the one that is durable and the one that is served; they differ between receiving a snapshot and taking it),
/// and the word to the owner.
/// <para>Invariant: after a failure nothing more is reported.</para>
/// </summary>
internal sealed class StoreContext
{
    private readonly List<StoreWork> _works = [];
    private ulong _numbers;
    private bool _isFullTold;

    public StoreContext(
        IDisk disk, PartitionStoreSettings settings, IPartitionStoreClient client, BlockCache cache,
        MemoryBudget budget, StoreEncryption? encryption)
    {
        Settings = settings;
        long share = Math.Max(SSTableSettings.BuildBytesMin, budget.TotalBytes / settings.BuildMemoryDivisor);
        TableSettings = settings.Tables with
        {
            BuildBytesMax = (int)Math.Min(settings.Tables.BuildBytesMax, share),
        };
        Client = client;
        Cache = cache;
        Budget = budget;
        Encryption = encryption;
        Disk = disk;
        Jobs = new(disk, Nothing, settings.JobsWaitingMax);
        Deletions = new(disk, settings.JobsWaitingMax);
        Tables = new(this);
    }

    /// <summary>
    /// Something so large is about to be put together, which cannot be refused: the host makes room for it, if it can.
    /// </summary>
    public void MakeHeapRoom(long bytes)
    {
        if (bytes > Settings.Tables.WritePieceBytes)
        {
            Budget.HeapHasRoom(bytes);
        }
    }

    public IDisk Disk { get; }

    public PartitionStoreSettings Settings { get; }

    /// <summary>
    /// How tables are written: what is held for the making of one is a small share of all memory, since every partition
    /// may be at it.
    /// </summary>
    public SSTableSettings TableSettings { get; }

    public IPartitionStoreClient Client { get; }

    public BlockCache Cache { get; }

    public MemoryBudget Budget { get; }

    public StoreEncryption? Encryption { get; }

    public StoreJobs Jobs { get; }

    public StoreTables Tables { get; }

    /// <summary>What readers outside of the lock see.</summary>
    public ConcurrentRows Concurrent { get; } = new();

    /// <summary>What the newest durable manifest names; null before the first checkpoint.</summary>
    public TableSet? Durable { get; private set; }

    /// <summary>What is looked at; null before the first checkpoint.</summary>
    public TableSet? Served { get; private set; }

    /// <summary>The number of the newest durable manifest.</summary>
    public ulong ManifestNumber { get; private set; }

    public bool IsDead { get; private set; }

    /// <summary>Rises when the rows are exchanged as a whole: what was begun before is of no more use.</summary>
    public int Exchanges { get; private set; }

    /// <summary>
    /// An operation that only ends. What follows it runs as an input of its own, so the owner may be told something.
    /// </summary>
    public DiskOperation Nothing => new(0, DiskOperationKind.Read, Settings.Prefix + "nothing");

    private DiskJobs Deletions { get; }

    public ulong NextNumber() => ++_numbers;

    /// <summary>Work of this store that begins when there is memory for it.</summary>
    public StoreWork NewWork(WorkKind kind, Action again)
    {
        var work = new StoreWork(this, kind, again);
        _works.Add(work);
        return work;
    }

    /// <summary>Numbers up to this are never given again.</summary>
    public void SkipNumbers(ulong upTo) => _numbers = Math.Max(_numbers, upTo);

    /// <summary>A set is durable. It is served too, unless it was received and has yet to be taken.</summary>
    public void SetDurable(TableSet set, ulong manifestNumber, bool isServed)
    {
        TableSet? former = Durable;
        Tables.Hold(set);
        Durable = set;
        ManifestNumber = manifestNumber;
        if (isServed)
        {
            Serve(set);
        }

        Tables.Release(former);
    }

    /// <summary>The received set takes the place of the served one.</summary>
    public void TakeDurable()
    {
        Invariant.Check(Durable is not null, "what is taken was received");
        Exchanges++;
        Serve(Durable);
    }

    public BlockCipher? NewCipher() => Encryption?.NewCipher();

    /// <summary>Looks at how an operation on a file ended.</summary>
    public StepEnd EndOf(in DiskCompletion completion, string file)
    {
        if (IsDead)
        {
            return StepEnd.Dead;
        }

        switch (completion.Status)
        {
            case DiskStatus.Done:
                return StepEnd.Done;
            case DiskStatus.Full:
                TellFull(file);
                return StepEnd.Full;
            case DiskStatus.NotFound:
                Fail($"The file {file} is missing. Nothing else may change the data folder of a node. "
                    + FolderAdvice.Sentence);
                return StepEnd.Dead;
            default:
                Fail($"The disk failed on {file}, so what was written last may be lost. Check the disk, then start "
                    + "again.");
                return StepEnd.Dead;
        }
    }

    /// <summary>Of the operation that the job before ended with.</summary>
    public StepEnd LastEnd(string file) => EndOf(Jobs.Completion, file);

    /// <summary>
    /// There was room for a whole checkpoint, compaction or snapshot: the next want of it is told again.
    /// </summary>
    public void NoteRoom() => _isFullTold = false;

    public void Fail(string sentence)
    {
        if (!IsDead)
        {
            Stop();
            Client.StoreFailed(sentence);
        }
    }

    /// <summary>Nothing more is done or told.</summary>
    public void Stop()
    {
        IsDead = true;
        Jobs.Stop();
        Deletions.Stop();
        foreach (StoreWork work in _works)
        {
            work.End();
        }
    }

    /// <summary>
    /// Tables that were found without a manifest that could name them: deleted once there is a manifest.
    /// </summary>
    public List<string> UnnamedTables { get; } = [];

    /// <summary>Deletes a file some time; what is not deleted by then goes when the store is opened.</summary>
    public void Delete(string file) => Deletions.Add(DeleteJob(file));

    private void Serve(TableSet set)
    {
        TableSet? former = Served;
        Tables.Hold(set);
        Served = set;
        Concurrent.NoteTables(set.Tables.Count > 0);
        Tables.Release(former);
    }

    private IEnumerable<DiskStep> DeleteJob(string file)
    {
        yield return new DiskOperation(0, DiskOperationKind.Delete, file);

        _ = EndOf(Deletions.Completion, file);
    }

    private void TellFull(string file)
    {
        if (!_isFullTold)
        {
            _isFullTold = true;
            Client.StoreFull(
                $"The disk is full: {file} could not be written, and what goes to it is tried again later. Free some "
                + "space.");
        }
    }
}
