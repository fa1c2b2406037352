using System.Runtime.InteropServices;

namespace Quorate.Bench.RocksDb;

/// <summary>
/// A RocksDB database set up as the partition store is: the same block size, filter bits and cache, one background job,
/// no write-ahead log (the store has none of its own either).
/// </summary>
internal sealed unsafe class RocksStore : IDisposable
{
    private const int NoCompression = 0;
    private const int Snappy = 1;

    private readonly nint _database;
    private readonly nint _writes;
    private readonly nint _reads;

    public RocksStore(string folder, RocksSettings settings)
    {
        nint table = RocksNative.TableOptionsCreate();
        RocksNative.TableOptionsSetBlockSize(table, (nuint)settings.BlockBytes);
        RocksNative.TableOptionsSetFilter(table, RocksNative.BloomCreate(settings.FilterBitsPerKey));
        RocksNative.TableOptionsSetCache(table, RocksNative.CacheCreate((nuint)settings.CacheBytes));
        nint options = RocksNative.OptionsCreate();
        RocksNative.OptionsSetCreateIfMissing(options, 1);
        RocksNative.OptionsSetWriteBufferSize(options, (nuint)settings.MemtableBytes);
        RocksNative.OptionsSetCompression(options, settings.Compress ? Snappy : NoCompression);
        RocksNative.OptionsSetBackgroundJobsMax(options, 1);
        RocksNative.OptionsSetDisableAutoCompactions(options, settings.CompactByItself ? 0 : 1);
        RocksNative.OptionsSetTableFactory(options, table);
        _database = RocksNative.Open(options, folder, out nint error);
        Check(error);
        RocksNative.OptionsDestroy(options);
        _writes = RocksNative.WriteOptionsCreate();
        RocksNative.WriteOptionsDisableLog(_writes, 1);
        _reads = RocksNative.ReadOptionsCreate();
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyStart = key, valueStart = value)
        {
            RocksNative.Put(
                _database, _writes, keyStart, (nuint)key.Length, valueStart, (nuint)value.Length, out nint error);
            Check(error);
        }
    }

    /// <summary>The length of the value; -1 when there is none.</summary>
    public int Get(ReadOnlySpan<byte> key)
    {
        fixed (byte* keyStart = key)
        {
            nint slice = RocksNative.GetPinned(_database, _reads, keyStart, (nuint)key.Length, out nint error);
            Check(error);
            if (slice == 0)
            {
                return -1;
            }

            RocksNative.SliceValue(slice, out nuint length);
            RocksNative.SliceDestroy(slice);
            return (int)length;
        }
    }

    /// <summary>Reads everything in order; the rows.</summary>
    public long Scan()
    {
        nint iterator = RocksNative.IteratorCreate(_database, _reads);
        RocksNative.IteratorSeekToFirst(iterator);
        long rows = 0;
        while (RocksNative.IteratorIsValid(iterator) != 0)
        {
            RocksNative.IteratorValue(iterator, out _);
            rows++;
            RocksNative.IteratorNext(iterator);
        }

        RocksNative.IteratorDestroy(iterator);
        return rows;
    }

    public void Flush()
    {
        RocksNative.Flush(_database, RocksNative.FlushOptionsCreate(), out nint error);
        Check(error);
    }

    public void Compact() => RocksNative.Compact(_database, null, 0, null, 0);

    public void Dispose() => RocksNative.Close(_database);

    private static void Check(nint error)
    {
        if (error != 0)
        {
            string text = Marshal.PtrToStringUTF8(error) ?? "unknown";
            RocksNative.Free(error);
            throw new InvalidOperationException($"RocksDB says: {text}");
        }
    }
}

/// <summary>What is the same on both sides of the comparison.</summary>
internal sealed record RocksSettings
{
    public int BlockBytes { get; init; } = 8 * 1024;

    public double FilterBitsPerKey { get; init; } = 10;

    public long CacheBytes { get; init; } = 64 * 1024 * 1024;

    public long MemtableBytes { get; init; } = 64 * 1024 * 1024;

    public bool Compress { get; init; }

    public bool CompactByItself { get; init; } = true;
}
