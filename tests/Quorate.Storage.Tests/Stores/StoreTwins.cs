using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// A partition store and its twin, which are told the same. The store's disk and background work go on in small random
/// steps, it is opened anew, sent to another place, and evicts what it can; what it shows must never differ.
/// </summary>
internal sealed class StoreTwins : IEntropy
{
    private readonly SeededRandom _random;
    private readonly int _buildBytesMax;
    private readonly MemoryDisk _disk = new();
    private readonly MemoryDisk _twinDisk = new();
    private readonly StoreOwner _twin = new();
    private readonly StoreEncryption? _encryption;
    private readonly BlockCache _cache = new(3000);
    private StoreOwner _owner = new();
    private int _place;
    private ulong? _asked;

    public StoreTwins(ulong seed, bool isEncrypted = false, int keys = 40)
    {
        _random = new(seed);
        _buildBytesMax = seed % 2 == 0 ? 300 : 20_000;
        History = new(seed + 1000, keys);
        if (isEncrypted)
        {
            var keyRing = new KeyRing();
            keyRing.Add(new(3, new byte[DataKey.KeyBytes]));
            _encryption = new(keyRing, 3, this);
        }

        _twin.Store = new MemoryStore(_twinDisk, "twin-", _twin);
        _twin.Call(store => store.Open());
        _twinDisk.RunAll();
        Start();
    }

    public ChangeHistory History { get; }

    public PartitionStore Store => (PartitionStore)_owner.Store;

    /// <summary>How often each kind of step was taken.</summary>
    public SortedDictionary<string, int> Steps { get; } = new(StringComparer.Ordinal);

    /// <summary>The most tables that the store had.</summary>
    public int TablesMax { get; private set; }

    /// <summary>Compactions done in all places.</summary>
    public int Compactions { get; private set; }

    private string Prefix => $"p{_place}-";

    public void Step()
    {
        (PartitionStore store, int compactions) = (Store, Store.Compactions);
        long draw = _random.Next(1000);
        Action step = draw switch
        {
            < 500 => Apply,
            < 560 => Checkpoint,
            < 800 => WorkSome,
            < 840 => Evict,
            < 970 => Look,
            < 985 => Reopen,
            < 993 => Ship,
            _ => CompareAll,
        };
        Steps[step.Method.Name] = Steps.GetValueOrDefault(step.Method.Name) + 1;
        step();
        Assert.Null(_owner.Failure);
        TablesMax = Math.Max(TablesMax, Store.TableBytes.Count);
        Compactions += store.Compactions - compactions;
    }

    public void CompareAll()
    {
        Assert.Equal(LookAt(_twin).All(), LookAt(_owner).All());
        Assert.Equal(LookAt(_twin).StateHash(), LookAt(_owner).StateHash());
    }

    /// <summary>Lets everything go on until there is nothing left to do.</summary>
    public void Settle()
    {
        bool isBusy = true;
        while (isBusy || _disk.Waiting > 0)
        {
            _disk.RunAll();
            _owner.Call(store => isBusy = store.Work(100_000));
        }
    }

    private void Apply()
    {
        HistoryEntry entry = History.Next();
        _owner.Call(store => store.Apply(entry.Index, entry.Time, entry.Changes));
        _twin.Call(store => store.Apply(entry.Index, entry.Time, entry.Changes));
    }

    private void Checkpoint()
    {
        if ((_asked is null || _owner.Saved.Contains(_asked.Value)) && History.Entries.Count > 0)
        {
            ulong index = History.Entries[^1].Index.Value;
            if (_asked != index)
            {
                _asked = index;
                _owner.Call(store => store.Checkpoint(() =>
                {
                    _asked = History.Entries[^1].Index.Value;
                    return StoreOwner.Meta(_asked.Value);
                }));
            }
        }
    }

    private void WorkSome()
    {
        for (long i = _random.Next(12); i > 0; i--)
        {
            _owner.Call(store => store.Work((int)_random.Between(1, 1500)));
            for (long operations = _random.Next(4); operations > 0; operations--)
            {
                _disk.RunOne();
            }
        }
    }

    private void Evict() => Store.Memory.EvictClean(_random.Between(1, 20_000));

    private void Look()
    {
        StoreLook twin = LookAt(_twin);
        StoreLook look = LookAt(_owner);
        string[] keys = [.. History.RowKeys];
        for (int i = 0; i < 6 && keys.Length > 0; i++)
        {
            byte[] rowKey = Convert.FromHexString(keys[_random.Next(keys.Length)]);
            if (IsVisible(rowKey))
            {
                Assert.Equal(twin.Get(rowKey), look.Get(rowKey));
            }

            byte[] to = Convert.FromHexString(keys[_random.Next(keys.Length)]);
            bool descending = _random.Chance(500_000);
            Assert.Equal(Visible(twin.Scan(rowKey, to, descending)), Visible(look.Scan(rowKey, to, descending)));
        }
    }

    /// <summary>A store may have dropped elements of a collection that is gone; nobody looks for them.</summary>
    private List<string> Visible(List<string> rows) =>
        [.. rows.Where(row => IsVisible(Convert.FromHexString(row.AsSpan(0, row.IndexOf(' ')))))];

    private bool IsVisible(byte[] rowKey)
    {
        int element = RowKey.ElementStart(rowKey);
        if (element < 0 || element == rowKey.Length || RowKey.SpaceOf(rowKey) != RowSpace.User)
        {
            return true;
        }

        Lookup header = _twin.Store.Get(RowKey.HeaderOf(rowKey), out Row row);
        return header == Lookup.Found
            && LiveRows.IsCollection(row.Type)
            && !LiveRows.IsExpired(row.Expiry, _twin.Store.Time)
            && LiveRows.GenerationOf(row.Value) == LiveRows.GenerationOf(rowKey.AsSpan(element));
    }

    private void Reopen()
    {
        if (_random.Chance(500_000))
        {
            Settle();
        }

        _owner.Call(store => store.Close());
        _disk.RunAll();
        ulong newest = _owner.Saved.LastOrDefault(_owner.Opened?.Index.Value ?? 0);
        Start();
        Assert.True((_owner.Opened?.Index.Value ?? 0) >= newest, "what was reported is what is opened");
        Replay();
    }

    /// <summary>Sends the newest checkpoint to another place, and goes on with the store there.</summary>
    private void Ship()
    {
        StoreOwner sender = _owner;
        Settle();
        if (sender.Saved.Count == 0 && sender.Opened is null)
        {
            return;
        }

        List<InstallSnapshot> pieces = sender.TakeSnapshot(_disk.RunAll, (int)_random.Between(200, 3000));
        _place++;
        Start();
        foreach (InstallSnapshot piece in pieces)
        {
            _owner.Call(store => store.Receive(piece));
            WorkSome();
        }

        Settle();
        Assert.Equal([pieces[0].Meta.Index.Value], _owner.Received);
        if (_random.Chance(500_000))
        {
            _owner.Call(store => store.TakeReceived(pieces[0].Meta));
        }
        else
        {
            _owner.Call(store => store.Close());
            Start();
        }

        Replay(pieces[0].Meta.Index);
        sender.Call(store => store.Destroy());
        _disk.RunAll();
        sender.Call(store => store.Work(1));
        _disk.RunAll();
        Assert.True(sender.IsDestroyed);
        Assert.DoesNotContain(_disk.Names, name => name.StartsWith($"p{_place - 1}-", StringComparison.Ordinal));
    }

    private void Replay(LogIndex? from = null)
    {
        LogIndex after = from ?? _owner.Opened?.Index ?? default;
        foreach (HistoryEntry entry in History.Entries.Where(entry => entry.Index > after))
        {
            _owner.Call(store => store.Apply(entry.Index, entry.Time, entry.Changes));
        }
    }

    private void Start()
    {
        _owner = new();
        _asked = null;
        _owner.Store = PartitionStoreTests.MakeSmall(
            _disk, Prefix, _owner, _encryption, _cache, new MemoryBudget(60_000), _buildBytesMax);
        _owner.Call(store => store.Open());
        _disk.RunAll();
        Assert.Null(_owner.Failure);
        Assert.True(_owner.IsOpened);
    }

    private StoreLook LookAt(StoreOwner owner) => new(owner, () =>
    {
        _disk.RunAll();
        _twinDisk.RunAll();
    });

    void IEntropy.Fill(Span<byte> bytes)
    {
        foreach (ref byte next in bytes)
        {
            next = (byte)_random.Next(256);
        }
    }
}
