using Quorate.Core.Checking;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Simulator.Model;
using Quorate.Simulator.Workload;
using Quorate.Storage.Rows;

namespace Quorate.Simulator.Checks;

/// <summary>
/// What a cache lets go of. The log says what: the changes at the beginning of an entry, of which the leader has told
/// how many they are. The model deletes the same keys, so that every later answer is judged as exactly as without a
/// cache; and each key is held against the policy.
/// </summary>
/// <param name="policy">Null when the group is no cache.</param>
/// <param name="now">True time in microseconds.</param>
internal sealed class ValueEvictions(EvictionPolicy? policy, Func<long> now)
{
    /// <summary>No client has this number.</summary>
    private const int NoClient = -1;

    private readonly Dictionary<ReadToken, (int Changes, long At)> _proposed = [];
    private readonly List<Operation> _operations = [];

    /// <summary>Keys may vanish one by one.</summary>
    public bool IsCache => policy is not null;

    /// <summary>Keys that were let go.</summary>
    public int Keys { get; private set; }

    /// <summary>Registers that were let go, as writes of "absent" for the checker of linearizability.</summary>
    public IReadOnlyList<Operation> Operations => _operations;

    /// <summary>A leader has put an entry into its log that begins with so many evictions.</summary>
    public void Proposed(ReadToken place, int changes) => _proposed[place] = (changes, now());

    /// <summary>The keys as they are after what a committed entry evicts.</summary>
    /// <param name="time">The entry's, in milliseconds since 1970.</param>
    public ModelKeys Apply(
        ModelKeys before, ReadToken place, ReadOnlySpan<byte> changes, long time, CommittedHistory history)
    {
        if (!_proposed.Remove(place, out (int Changes, long At) evicted))
        {
            return before;
        }

        ModelKeys keys = before;
        RowChangeReader reader = RowChanges.Read(changes);
        for (int i = 0; i < evicted.Changes; i++)
        {
            bool isGone = reader.TryNext(out RowChange change)
                && change.Type == RowType.Tombstone
                && RowKey.SpaceOf(change.RowKey) == RowSpace.User;
            if (!isGone || !IsCache)
            {
                Break($"the entry {place} evicts what is no user's row");
            }

            if (RowKey.ElementStart(change.RowKey) == change.RowKey.Length)
            {
                keys = LetGo(keys, ValueRequest.Text(RowKey.KeyOf(change.RowKey)), place, time, evicted.At, history);
            }
        }

        return keys;
    }

    /// <summary>A command was answered that the cache is full.</summary>
    public void CheckFull(Attempt attempt)
    {
        string[] never = ["DEL", "GETDEL", "HDEL", "SREM", "ZREM", "LPOP", "RPOP", "LTRIM", "PEXPIRE", "FLUSHDB"];
        bool onlyShrinks = attempt.Values!.Lines.All(line => never.Contains(line[0]));
        if (!IsCache || onlyShrinks || policy is EvictionPolicy.AllKeysLru or EvictionPolicy.AllKeysRandom)
        {
            Break($"{attempt} is refused because the cache is full ({policy})");
        }
    }

    private ModelKeys LetGo(
        ModelKeys keys, string key, ReadToken place, long time, long at, CommittedHistory history)
    {
        if (!keys.Keys.TryGetValue(key, out ModelKey? found) || found.IsExpired(time))
        {
            return keys;
        }

        bool mayGo = policy is EvictionPolicy.AllKeysLru or EvictionPolicy.AllKeysRandom
            || (policy is EvictionPolicy.VolatileLru or EvictionPolicy.VolatileTtl && found.Expiry != 0);
        if (!mayGo)
        {
            Break($"the entry {place} evicts a key that {policy} keeps ({ValueReplay.Shown(key)})");
        }

        Keys++;
        if (ValueKeys.RegisterNumberOf(key) is { } number)
        {
            history.Write(number, 0);
            _operations.Add(Operation.Write(NoClient, number, 0, at, now()));
        }

        return keys with { Keys = keys.Keys.Remove(key) };
    }

    private static void Break(string text) => RunClaims.Break(RunClaims.WrongEviction, text);
}
