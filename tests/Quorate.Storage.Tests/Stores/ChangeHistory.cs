using System.Buffers;
using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>One entry of a history: what a store is told to apply.</summary>
internal sealed record HistoryEntry(LogIndex Index, HybridTime Time, byte[] Changes);

/// <summary>
/// Draws entries such as leaders propose: strings, collections with generations, deletions, expiries, clears, rows of
/// sessions. An element is only written under a header that lives and bears its generation.
/// </summary>
internal sealed class ChangeHistory(ulong seed, int keys = 40, int valueBytesMax = 120, int clearPpm = 4000)
{
    private readonly SeededRandom _random = new(seed);
    private readonly SortedDictionary<int, Collection> _collections = [];
    private ulong _index;
    private ulong _time = 1000UL << 16;
    private ArrayBufferWriter<byte> _writer = new();
    private int _ordinal;

    public List<HistoryEntry> Entries { get; } = [];

    /// <summary>The row keys that were ever written, in order.</summary>
    public SortedSet<string> RowKeys { get; } = new(StringComparer.Ordinal);

    public HistoryEntry Next()
    {
        _index += (ulong)_random.Between(1, 3);
        _time += (ulong)_random.Between(1, 3 << 16);
        _writer = new();
        _ordinal = 0;
        int commands = (int)_random.Next(5);
        for (int i = 0; i < commands; i++)
        {
            Draw();
        }

        var entry = new HistoryEntry(new(_index), new(_time), _writer.WrittenSpan.ToArray());
        Entries.Add(entry);
        return entry;
    }

    private void Draw()
    {
        int key = (int)_random.Next(keys);
        if (_random.Chance(clearPpm))
        {
            Write(RowKey.Clear, RowType.Clear, 0, []);
            _collections.Clear();
            return;
        }

        switch (_random.Next(10))
        {
            case 0 or 1 or 2:
                _collections.Remove(key);
                RowType type = _random.Chance(300_000) ? RowType.Integer : RowType.Text;
                Write(RowKey.Of(KeyOf(key)), type, Expiry(), Bytes(_random.Next(valueBytesMax)));
                break;
            case 3 or 4:
                _collections.Remove(key);
                Write(RowKey.Of(KeyOf(key)), RowType.Tombstone, 0, []);
                break;
            case 5:
                byte[] session = RowKey.Of(KeyOf(key), Bytes(_random.Next(3)), RowSpace.Sessions);
                bool isGone = _random.Chance(300_000);
                Write(session, isGone ? RowType.Tombstone : RowType.Session, 0, isGone ? [] : Bytes(20));
                break;
            default:
                ChangeCollection(key);
                break;
        }
    }

    private void ChangeCollection(int key)
    {
        bool lives = _collections.TryGetValue(key, out Collection? collection)
            && !LiveRows.IsExpired(collection.Expiry, new(_time));
        if (!lives)
        {
            var type = (RowType)_random.Between((int)RowType.Hash, (int)RowType.SortedSet);
            collection = new(type, RowVersion.At(new(_index), _ordinal).Packed) { Expiry = Expiry() };
            _collections[key] = collection;
        }

        // As EXPIRE and PERSIST do, by the header alone.
        bool isProlonged = lives && _random.Chance(200_000);
        if (isProlonged)
        {
            collection!.Expiry = Expiry();
        }

        byte[] header = new byte[12];
        BinaryPrimitives.WriteUInt64BigEndian(header, collection!.Generation);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), ++collection.Changes);
        Write(RowKey.Of(KeyOf(key)), collection.Type, collection.Expiry, header);
        for (long i = isProlonged ? 0 : _random.Between(1, 5); i > 0; i--)
        {
            byte[] element = [.. header.AsSpan(0, 8), (byte)_random.Next(20), .. Bytes(_random.Next(3))];
            bool isGone = _random.Chance(250_000);
            byte[] value = isGone ? [] : Bytes(_random.Next(valueBytesMax));
            Write(RowKey.Of(KeyOf(key), element), isGone ? RowType.Tombstone : RowType.Element, 0, value);
        }
    }

    private void Write(ReadOnlySpan<byte> rowKey, RowType type, long expiry, byte[] value)
    {
        RowChanges.Write(_writer, new(rowKey, type, expiry, value));
        RowKeys.Add(Convert.ToHexString(rowKey));
        _ordinal++;
    }

    private long Expiry() => _random.Chance(250_000) ? (long)(_time >> 16) + _random.Between(1, 60) : 0;

    /// <summary>Some keys share a hash tag, some hold zeros, some are the beginning of others.</summary>
    private static byte[] KeyOf(int key) => (key % 4) switch
    {
        0 => [.. "{tag}"u8, (byte)key],
        1 => [0, (byte)key, 0],
        2 => [.. "key"u8, (byte)(key / 8), .. new byte[key % 3]],
        _ => [(byte)key, (byte)'k'],
    };

    private byte[] Bytes(long length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(_random.Chance(500_000) ? 'a' : _random.Next(256));
        }

        return bytes;
    }

    private sealed record Collection(RowType Type, ulong Generation)
    {
        public long Expiry { get; set; }

        public int Changes { get; set; }
    }
}
