using System.Runtime.InteropServices;

namespace Quorate.Bench.RocksDb;

/// <summary>
/// What the comparison needs of RocksDB's C interface (`rocksdb/c.h`, Debian's librocksdb). The product itself has no
/// native dependency; this one is of the benchmark project alone.
/// </summary>
internal static partial class RocksNative
{
    private const string Library = "librocksdb.so.7.8";

    [LibraryImport(Library, EntryPoint = "rocksdb_options_create")]
    public static partial nint OptionsCreate();

    [LibraryImport(Library, EntryPoint = "rocksdb_options_destroy")]
    public static partial void OptionsDestroy(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_create_if_missing")]
    public static partial void OptionsSetCreateIfMissing(nint options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_write_buffer_size")]
    public static partial void OptionsSetWriteBufferSize(nint options, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_compression")]
    public static partial void OptionsSetCompression(nint options, int kind);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_block_based_table_factory")]
    public static partial void OptionsSetTableFactory(nint options, nint tableOptions);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_background_jobs")]
    public static partial void OptionsSetBackgroundJobsMax(nint options, int jobs);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_disable_auto_compactions")]
    public static partial void OptionsSetDisableAutoCompactions(nint options, int disable);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_create")]
    public static partial nint TableOptionsCreate();

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_size")]
    public static partial void TableOptionsSetBlockSize(nint tableOptions, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_filter_policy")]
    public static partial void TableOptionsSetFilter(nint tableOptions, nint filter);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_cache")]
    public static partial void TableOptionsSetCache(nint tableOptions, nint cache);

    [LibraryImport(Library, EntryPoint = "rocksdb_filterpolicy_create_bloom_full")]
    public static partial nint BloomCreate(double bitsPerKey);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_create_lru")]
    public static partial nint CacheCreate(nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Open(nint options, string folder, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_close")]
    public static partial void Close(nint database);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_create")]
    public static partial nint WriteOptionsCreate();

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_disable_WAL")]
    public static partial void WriteOptionsDisableLog(nint writeOptions, int disable);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_set_sync")]
    public static partial void WriteOptionsSetSync(nint writeOptions, byte sync);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_create")]
    public static partial nint ReadOptionsCreate();

    [LibraryImport(Library, EntryPoint = "rocksdb_put")]
    public static unsafe partial void Put(
        nint database, nint writeOptions, byte* key, nuint keyLength, byte* value, nuint valueLength, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_get_pinned")]
    public static unsafe partial nint GetPinned(
        nint database, nint readOptions, byte* key, nuint keyLength, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_value")]
    public static unsafe partial byte* SliceValue(nint slice, out nuint length);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_destroy")]
    public static partial void SliceDestroy(nint slice);

    [LibraryImport(Library, EntryPoint = "rocksdb_create_iterator")]
    public static partial nint IteratorCreate(nint database, nint readOptions);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_destroy")]
    public static partial void IteratorDestroy(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek_to_first")]
    public static partial void IteratorSeekToFirst(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_valid")]
    public static partial byte IteratorIsValid(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_next")]
    public static partial void IteratorNext(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_value")]
    public static unsafe partial byte* IteratorValue(nint iterator, out nuint length);

    [LibraryImport(Library, EntryPoint = "rocksdb_flushoptions_create")]
    public static partial nint FlushOptionsCreate();

    [LibraryImport(Library, EntryPoint = "rocksdb_flush")]
    public static partial void Flush(nint database, nint flushOptions, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_compact_range")]
    public static unsafe partial void Compact(
        nint database, byte* first, nuint firstLength, byte* last, nuint lastLength);

    [LibraryImport(Library, EntryPoint = "rocksdb_free")]
    public static partial void Free(nint memory);
}
