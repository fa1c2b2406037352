using Quorate.Core.Raft;
using Quorate.Simulator.Disk;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// A run of changes, checkpoints, compactions and a received snapshot on the lying disk, which can be cut off after any
/// number of disk operations, and what a store that is opened afterwards may show.
/// </summary>
internal sealed class StoreCrashRun
{
    public const string Prefix = "p7-";

    private const int EntriesPerCheckpoint = 6;
    private const int CheckpointsBefore = 6;
    private const int CheckpointsAfter = 3;

    public static PartitionStoreSettings Settings { get; } = new()
    {
        Prefix = Prefix,
        Partition = new(7),
        Tables = new() { BlockBytes = 300, WritePieceBytes = 1200, RestartInterval = 4, BuildBytesMax = 400 },
        PassReadBytes = 2000,
        TierTablesMin = 2,
        TierGrowthPercent = 300,
        SnapshotPieceBytesMax = 2000,
        WorksBeforeRetry = 4,
    };

    private static readonly ChangeHistory History = Draw();
    private static readonly SortedDictionary<ulong, ulong> Hashes = HashAll();
    private static readonly List<InstallSnapshot> Snapshot = MakeSnapshot();

    private readonly SimulatedDisk _disk;
    private readonly int _operationsMax;
    private readonly StoreOwner _owner = new();

    private StoreCrashRun(SimulatedDisk disk, int operationsMax)
    {
        _disk = disk;
        _operationsMax = operationsMax;
        _owner.Store = MakeStore(disk, _owner);
    }

    /// <summary>Called before each operation.</summary>
    public Action<int>? Before { get; init; }

    public StoreOwner Owner => _owner;

    /// <summary>Disk operations that took place.</summary>
    public int Operations { get; private set; }

    /// <summary>The whole run was done.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The newest checkpoint that was reported durable; zero for none.</summary>
    public ulong Reported => Math.Max(_owner.Saved.LastOrDefault(), _owner.Received.LastOrDefault());

    public static StoreCrashRun Start(SimulatedDisk disk, int operationsMax, Action<int>? before = null)
    {
        var run = new StoreCrashRun(disk, operationsMax) { Before = before };
        run.IsOver = run.Go();

        // Nothing is written by it; memory that no collector knows goes back.
        run._owner.Call(store => store.Close());
        return run;
    }

    /// <summary>Opens what is there and demands that it is a checkpoint, whole, at or after the given one.</summary>
    public static ulong OpenAndCheck(SimulatedDisk disk, ulong atLeast)
    {
        StoreOwner owner = Open(disk);
        ulong index = owner.Opened?.Index.Value ?? 0;
        Assert.True(index >= atLeast, $"checkpoint {atLeast} was reported, {index} was found");
        Assert.Equal(Hashes[index], new StoreLook(owner, () => RunAll(disk)).StateHash());
        Assert.Empty(StoreStrictCheck.Check(Settings, disk.Names, disk.Content));

        // Nothing else is left, so that crashes do not fill the disk; tables without a manifest wait for the next one.
        bool isNamed = owner.Opened is not null;
        Assert.Equal(
            StoreInspector.FilesInUse(Prefix, disk.Names, disk.Content).Order(StringComparer.Ordinal),
            disk.Names.Where(name => isNamed || !name.EndsWith(".sst", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
        owner.Call(store => store.Close());
        return index;
    }

    /// <summary>A store on what is there.</summary>
    public static StoreOwner Open(SimulatedDisk disk)
    {
        var owner = new StoreOwner();
        owner.Store = MakeStore(disk, owner);
        owner.Call(store => store.Open());
        RunAll(disk);
        Assert.Null(owner.Failure);
        Assert.True(owner.IsOpened);
        return owner;
    }

    /// <summary>The run again, to the end, on what is there already.</summary>
    public static void RunAll(SimulatedDisk disk)
    {
        while (disk.Pending.Count > 0)
        {
            disk.Execute(disk.Pending[0]);
        }
    }

    private static PartitionStore MakeStore(IDisk disk, StoreOwner owner) =>
        new(disk, Settings, owner, new(30_000), new MemoryBudget(1 << 20));

    private bool Go()
    {
        _owner.Call(store => store.Open());
        return Run() && RunCheckpoints(0, CheckpointsBefore) && ReceiveSnapshot()
            && RunCheckpoints(CheckpointsBefore + 2, CheckpointsAfter);
    }

    private bool RunCheckpoints(int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            foreach (HistoryEntry entry in History.Entries.Skip(i * EntriesPerCheckpoint).Take(EntriesPerCheckpoint))
            {
                _owner.Call(store => store.Apply(entry.Index, entry.Time, entry.Changes));
            }

            ulong index = IndexOf(i);
            int given = _owner.GivenUp.Count;
            _owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(index)));
            if (!Run())
            {
                return false;
            }

            // When the disk was full, the owner asks again, of the rows as they are then.
            for (int again = 0; _owner.GivenUp.Count > given && again < 3; again++)
            {
                given = _owner.GivenUp.Count;
                _owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(index)));
                if (!Run())
                {
                    return false;
                }
            }
        }

        return true;
    }

    private bool ReceiveSnapshot()
    {
        int attempts = 0;
        do
        {
            foreach (InstallSnapshot piece in Snapshot)
            {
                _owner.Call(store => store.Receive(piece));
            }

            if (!Run())
            {
                return false;
            }
        }
        while (_owner.Received.Count == 0 && ++attempts < 3);

        // A snapshot that was refused for want of space would be sent again; here its entries come as a log.
        if (_owner.Received.Count > 0)
        {
            _owner.Call(store => store.TakeReceived(Snapshot[0].Meta));
            return Run();
        }

        return RunCheckpoints(CheckpointsBefore, 2);
    }

    /// <summary>Lets disk and background work go on until neither has anything to do, or the run is cut off.</summary>
    private bool Run()
    {
        bool isBusy = true;
        int idle = 0;
        while (isBusy || _disk.Pending.Count > 0 || idle++ < 6)
        {
            while (_disk.Pending.Count > 0)
            {
                if (Operations == _operationsMax)
                {
                    return false;
                }

                Before?.Invoke(Operations);
                Operations++;
                _disk.Execute(_disk.Pending[0]);
                if (_owner.Failure is not null)
                {
                    return false;
                }
            }

            _owner.Call(store => isBusy = store.Work(4000));
        }

        return true;
    }

    private static ulong IndexOf(int checkpoint) =>
        History.Entries[((checkpoint + 1) * EntriesPerCheckpoint) - 1].Index.Value;

    private static ChangeHistory Draw()
    {
        var history = new ChangeHistory(11, keys: 25, valueBytesMax: 60);
        for (int i = 0; i < EntriesPerCheckpoint * (CheckpointsBefore + 2 + CheckpointsAfter); i++)
        {
            history.Next();
        }

        return history;
    }

    /// <summary>What each checkpoint must show, told by the twin.</summary>
    private static SortedDictionary<ulong, ulong> HashAll()
    {
        var hashes = new SortedDictionary<ulong, ulong>();
        var disk = new MemoryDisk();
        var owner = new StoreOwner();
        owner.Store = new MemoryStore(disk, "twin-", owner);
        owner.Call(store => store.Open());
        disk.RunAll();
        hashes[0] = owner.Store.StateHash()!.Value;
        foreach (HistoryEntry entry in History.Entries)
        {
            owner.Call(store => store.Apply(entry.Index, entry.Time, entry.Changes));
            hashes[entry.Index.Value] = owner.Store.StateHash()!.Value;
        }

        return hashes;
    }

    /// <summary>A snapshot of two checkpoints further on, from a store that took several.</summary>
    private static List<InstallSnapshot> MakeSnapshot()
    {
        var disk = new SimulatedDisk(_ => { }, 1);
        var run = new StoreCrashRun(disk, int.MaxValue);
        run._owner.Call(store => store.Open());
        run.Run();
        run.RunCheckpoints(0, CheckpointsBefore + 2);
        return run._owner.TakeSnapshot(() => run.Run(), 900);
    }
}
