using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Server.Tests.Resp;

/// <summary>A partition in memory: commands are really evaluated, and their changes applied at once.</summary>
internal sealed class FakePartition(GroupId group)
{
    private readonly Lock _gate = new();
    private readonly CommandEvaluation _evaluation = new(new EvaluationLimits());
    private readonly DictionaryRows _rows = new();
    private ulong _index = 1;

    public CallResult Run(ClientCall call)
    {
        lock (_gate)
        {
            RowVersion first = RowVersion.At(new LogIndex(_index + 1), 0);
            HybridTime time = HybridTime.FromMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            _evaluation.Run(_rows, call.Lines, call.IsBatch, time, first, seed: _index);
            if (_evaluation.ChangeCount > 0)
            {
                _index++;
                _rows.Apply(_evaluation.Changes, first);
            }

            return new CallResult(
                Outcome.Done,
                default,
                group,
                new ReadToken(new Term(1), new LogIndex(_index)),
                _evaluation.LastVersion,
                _evaluation.Reply.ToArray());
        }
    }
}

/// <summary>Rows in a dictionary, in order when someone asks for it.</summary>
internal sealed class DictionaryRows : IRowSource
{
    private readonly Dictionary<byte[], Held> _rows = new(new BytesComparer());
    private readonly Dictionary<byte[], Held>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;
    private readonly SortedSet<byte[]> _order = new(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));

    public DictionaryRows() => _bySpan = _rows.GetAlternateLookup<ReadOnlySpan<byte>>();

    public void Apply(ReadOnlySpan<byte> changes, RowVersion first)
    {
        RowChangeReader reader = RowChanges.Read(changes);
        while (reader.TryNext(out RowChange change))
        {
            Change(change, first);
            first = new RowVersion(first.Packed + 1);
        }
    }

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        bool found = _bySpan.TryGetValue(rowKey, out byte[]? key, out Held? held);
        row = found ? held!.ToRow(key!) : default;
        return found ? Lookup.Found : Lookup.Absent;
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor)
    {
        byte[] from = range.From.ToArray();
        byte[] to = range.To.ToArray();
        if (from.AsSpan().SequenceCompareTo(to) >= 0)
        {
            return Lookup.Found;
        }

        IEnumerable<byte[]> keys = _order.GetViewBetween(from, to).Where(key => !key.AsSpan().SequenceEqual(to));
        foreach (byte[] key in range.Descending ? keys.Reverse() : keys)
        {
            if (!visitor.Visit(key, _rows[key].ToRow(key)))
            {
                break;
            }
        }

        return Lookup.Found;
    }

    private void Change(in RowChange change, RowVersion version)
    {
        if (change.Type == RowType.Clear)
        {
            foreach (byte[] key in _rows.Keys.Where(key => RowKey.SpaceOf(key) == RowSpace.User).ToArray())
            {
                _rows.Remove(key);
                _order.Remove(key);
            }
        }
        else if (change.Type == RowType.Tombstone)
        {
            byte[] key = change.RowKey.ToArray();
            _rows.Remove(key);
            _order.Remove(key);
        }
        else
        {
            var held = new Held(change.Type, version, change.Expiry, change.Value.ToArray());
            byte[] key = change.RowKey.ToArray();
            if (!_rows.TryAdd(key, held))
            {
                _rows[key] = held;
            }
            else
            {
                _order.Add(key);
            }
        }
    }

    private sealed record Held(RowType Type, RowVersion Version, long Expiry, byte[] Value)
    {
        private ulong? _hash;

        public Row ToRow(byte[] key) => new(Type, Version, Expiry, _hash ??= Row.HashOf(key, Value), Value);
    }

    private sealed class BytesComparer
        : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => (int)KeyHash.Of(obj);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)KeyHash.Of(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
