using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Node.Partitions;

/// <summary>
/// Chooses what a cache lets go, as Redis does: of a few rows drawn at random and the best of former draws, the one
/// that the policy ranks first. The leader chooses and logs deletes, so that every replica lets go of the same
/// (pitfall R25).
/// <para>What nobody can see any more (expired rows, elements of a collection that is gone) goes before all
/// else.</para>
/// </summary>
/// <param name="rows">The applied rows with the pending changes over them.</param>
internal sealed class CacheEviction(PartitionParts parts, CacheSettings settings, IRowSource rows, ulong seed)
{
    /// <summary>Redis's, to the letter.</summary>
    public const string FullError = "OOM command not allowed when used memory > 'maxmemory'.";

    /// <summary>What a row takes beside its key and value, in bytes; about.</summary>
    private const int RowBytes = 24;

    private readonly ulong[] _uses = new ulong[Math.Max(1, settings.UsesMax)];
    private readonly List<Candidate> _candidates = [];
    private readonly Queue<(LogIndex Index, long Bytes)> _underWay = new();
    private ulong _draws = seed;
    private ulong _lastUse;
    private long _underWayBytes;
    private long _chosenBytes;

    /// <summary>
    /// The rows exceed their bound, and the policy lets nothing go. Where every key may go this never holds: then what
    /// is left of the rows in memory is going already.
    /// </summary>
    public bool IsFull { get; private set; }

    private bool IsVolatile => settings.Policy is EvictionPolicy.VolatileLru or EvictionPolicy.VolatileTtl;

    private bool IsLru => settings.Policy is EvictionPolicy.AllKeysLru or EvictionPolicy.VolatileLru;

    /// <summary>The keys, by their hashes, are used now.</summary>
    public void Used(ulong[] keys)
    {
        foreach (ulong key in keys)
        {
            _uses[key % (ulong)_uses.Length] = ++_lastUse;
        }
    }

    /// <summary>The reply to a command that may take more memory.</summary>
    public static byte[] FullReply()
    {
        var reply = new Reply();
        reply.Error(FullError);
        return reply.ToArray();
    }

    /// <summary>Adds deletes to an entry that has just begun, as long as the rows exceed their bound.</summary>
    public void AddTo(EntryBuilder entry, HybridTime time)
    {
        long over = parts.Machine.Rows.LiveBytes - _underWayBytes - settings.BytesMax;
        _chosenBytes = 0;
        int keys = 0;
        while (over > _chosenBytes
            && keys < settings.KeysPerEntryMax
            && entry.Count < settings.RowsPerEntryMax
            && entry.Bytes < parts.Settings.ProposalBytesMax
            && TryChoose(time, out Candidate chosen))
        {
            LetGo(entry, chosen.RowKey);
            keys++;
        }

        // What it looked at and found cold it does without.
        parts.Machine.Rows.Forget();
        IsFull = over > 0 && keys == 0 && (IsVolatile || settings.Policy == EvictionPolicy.NoEviction);
    }

    /// <summary>The deletes that were last chosen are logged at this place.</summary>
    public void Proposed(LogIndex index)
    {
        if (_chosenBytes > 0)
        {
            _underWay.Enqueue((index, _chosenBytes));
            _underWayBytes += _chosenBytes;
            _chosenBytes = 0;
        }
    }

    /// <summary>The deletes that were last chosen are not logged.</summary>
    public void Cut() => _chosenBytes = 0;

    public void Applied(LogIndex index)
    {
        while (_underWay.TryPeek(out (LogIndex Index, long Bytes) first) && first.Index <= index)
        {
            _underWay.Dequeue();
            _underWayBytes -= first.Bytes;
        }
    }

    /// <summary>Nothing is under way any more.</summary>
    public void Clear()
    {
        _underWay.Clear();
        _underWayBytes = 0;
        _candidates.Clear();
    }

    private bool TryChoose(HybridTime time, out Candidate chosen)
    {
        chosen = default;
        if (settings.Policy == EvictionPolicy.NoEviction)
        {
            return false;
        }

        for (int draws = 0; draws < settings.SamplesMax; draws += settings.Samples)
        {
            for (int i = 0; i < settings.Samples; i++)
            {
                Draw(time);
            }

            while (_candidates.Count > 0)
            {
                chosen = _candidates[0];
                _candidates.RemoveAt(0);
                if (TryRank(chosen.RowKey, time, out Candidate now) && now == chosen)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void Draw(HybridTime time)
    {
        ulong draw = SeededRandom.SplitMix64(ref _draws);
        if (!parts.Machine.Rows.TrySample(draw, out ReadOnlySpan<byte> rowKey, out _))
        {
            return;
        }

        byte[] drawn = rowKey.ToArray();
        int element = RowKey.ElementStart(drawn);
        if (element < drawn.Length && IsVisible(drawn, element, time))
        {
            drawn = drawn[..element];
        }

        bool isKnown = _candidates.Exists(other => other.RowKey.AsSpan().SequenceEqual(drawn));
        if (!isKnown && TryRank(drawn, time, out Candidate candidate))
        {
            int at = _candidates.FindIndex(other => candidate.IsBefore(other));
            _candidates.Insert(at < 0 ? _candidates.Count : at, candidate);
            if (_candidates.Count > settings.CandidatesMax)
            {
                _candidates.RemoveAt(_candidates.Count - 1);
            }
        }
    }

    /// <summary>Whether an element is one of the collection that stands under its key now.</summary>
    private bool IsVisible(ReadOnlySpan<byte> rowKey, int element, HybridTime time)
    {
        Lookup lookup = rows.Get(rowKey[..element], out Row header);
        return lookup == Lookup.Cold
            || (lookup == Lookup.Found
                && !LiveRows.IsExpired(header.Expiry, time)
                && LiveRows.IsCollection(header.Type)
                && LiveRows.GenerationOf(header.Value) == LiveRows.GenerationOf(rowKey[element..]));
    }

    /// <summary>False for what is not there any more and for what the policy does not let go.</summary>
    private bool TryRank(byte[] rowKey, HybridTime time, out Candidate candidate)
    {
        candidate = default;
        if (rows.Get(rowKey, out Row row) != Lookup.Found)
        {
            return false;
        }

        bool isGarbage = LiveRows.IsExpired(row.Expiry, time) || RowKey.ElementStart(rowKey) < rowKey.Length;
        if (!isGarbage && IsVolatile && row.Expiry == 0)
        {
            return false;
        }

        ulong rank = 0;
        if (!isGarbage)
        {
            rank = IsLru ? _uses[KeyHash.Of(RowKey.KeyOf(rowKey)) % (ulong)_uses.Length]
                : IsVolatile ? (ulong)row.Expiry
                : 0;
        }

        // Of those that were not used since this leader leads, the one that was written first.
        candidate = new(rowKey, isGarbage, rank, IsLru ? row.Version : default);
        return true;
    }

    /// <summary>A collection's elements go with its header as far as there is room for them.</summary>
    private void LetGo(EntryBuilder entry, byte[] rowKey)
    {
        Lookup lookup = rows.Get(rowKey, out Row row);
        Invariant.Check(lookup == Lookup.Found, "what is chosen was looked at just now");
        _chosenBytes += RowBytes + rowKey.Length + row.Value.Length;
        var gone = new GoneRows(settings.RowsPerEntryMax - entry.Count, parts.Settings.ProposalBytesMax);
        if (LiveRows.IsCollection(row.Type))
        {
            // The end mark is 00 00, and no key goes on with 00 01.
            byte[] end = [.. rowKey];
            end[^1] = 1;

            // Where rows are cold, those that were shown go all the same; others are drawn later.
            rows.Scan(new RowRange([.. rowKey, 0], end), gone);
        }

        entry.Add(new RowChange(rowKey, RowType.Tombstone, 0, []));
        foreach (byte[] each in gone.RowKeys)
        {
            entry.Add(new RowChange(each, RowType.Tombstone, 0, []));
        }

        _chosenBytes += gone.Bytes;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Candidate(byte[] RowKey, bool IsGarbage, ulong Rank, RowVersion Version)
    {
        public bool IsBefore(in Candidate other) => IsGarbage != other.IsGarbage
            ? IsGarbage
            : Rank != other.Rank ? Rank < other.Rank : Version < other.Version;
    }

    private sealed class GoneRows(int rowsMax, long keyBytesMax) : IRowVisitor
    {
        private long _keyBytes;

        public List<byte[]> RowKeys { get; } = [];

        public long Bytes { get; private set; }

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            RowKeys.Add(rowKey.ToArray());
            Bytes += RowBytes + rowKey.Length + row.Value.Length;
            _keyBytes += rowKey.Length;
            return RowKeys.Count < rowsMax && _keyBytes < keyBytesMax;
        }
    }
}
