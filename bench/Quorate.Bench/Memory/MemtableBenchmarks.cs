using BenchmarkDotNet.Attributes;
using Quorate.Core.Model;

namespace Quorate.Bench.Memory;

/// <summary>Single operations on a memtable and on a ConcurrentDictionary with as many rows.</summary>
[MemoryDiagnoser]
public class MemtableBenchmarks : IDisposable
{
    private readonly MemtableRows _memtable = new();
    private readonly DictionaryRows _dictionary = new();
    private readonly SeededRandom _random = new(1);
    private readonly byte[] _value = new byte[IRows.ValueBytes];

    [Params(10_000, 1_000_000)]
    public long Rows { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _value[0] = 1;
        for (long i = 0; i < Rows; i++)
        {
            _memtable.Put(i, _value);
            _dictionary.Put(i, _value);
        }
    }

    [Benchmark]
    public int MemtableRead() => _memtable.Get(_random.Next(Rows));

    [Benchmark]
    public int MemtableGetAsWriter() => _memtable.GetAsWriter(_random.Next(Rows));

    [Benchmark]
    public int DictionaryGet() => _dictionary.Get(_random.Next(Rows));

    [Benchmark]
    public void MemtablePut() => _memtable.Put(_random.Next(Rows), _value);

    [Benchmark]
    public void DictionaryPut() => _dictionary.Put(_random.Next(Rows), _value);

    [GlobalCleanup]
    public void Dispose()
    {
        _memtable.Dispose();
        _dictionary.Dispose();
        GC.SuppressFinalize(this);
    }
}
