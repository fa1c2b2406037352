using System.Text;
using BenchmarkDotNet.Attributes;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Bench;

/// <summary>
/// What a block of a sorted file costs: written, decoded and verified, and looked into. Rows of a key of 16 bytes and
/// a value of 64, half of it text that repeats.
/// </summary>
[InProcess, WarmupCount(3), IterationCount(5), IterationTime(100)]
[MemoryDiagnoser]
public class BlockBenchmarks
{
    private const int Rows = 2000;

    private readonly KeyRing _keys = new();
    private byte[][] _rowKeys = [];
    private byte[][] _values = [];
    private SSTableSettings _settings = new();
    private SSTableReader? _reader;
    private ReadOnlyMemory<byte> _file;
    private Block? _block;
    private byte[] _lookedFor = [];

    [Params(BlockCompression.None, BlockCompression.Snappy)]
    public BlockCompression Compression { get; set; }

    [Params(false, true)]
    public bool IsEncrypted { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(1);
        _keys.Add(new(1, new byte[DataKey.KeyBytes]));
        _settings = new() { Compression = Compression };
        _rowKeys = [.. Enumerable.Range(0, Rows).Select(i => RowKey.Of(Encoding.ASCII.GetBytes($"user:{i:d11}")))];
        Array.Sort(_rowKeys, (a, b) => a.AsSpan().SequenceCompareTo(b));
        _values = [.. _rowKeys.Select(_ => Value(random))];
        _file = Write();
        var opening = new SSTableOpening("bench", _file.Length, new(new(1), 1), _settings, _keys);
        while (opening.Wanted is DiskOperation wanted)
        {
            opening.Take(new(0, DiskStatus.Done, _file.Slice((int)wanted.Offset, wanted.Length)));
        }

        _reader = opening.Reader ?? throw new InvalidOperationException(opening.Failure);
        _block = Decode();
        _lookedFor = _rowKeys.First(key => _reader.FindBlock(key) == 1).ToArray();
        Console.WriteLine(
            $"// {_reader.BlockCount} blocks, {_reader.StoredBytes(1)} bytes stored, {_block!.MemoryBytes} in memory, "
            + $"{_block.RowCount} rows");
    }

    /// <summary>A whole file of 2000 rows; divide by its blocks.</summary>
    [Benchmark]
    public int WriteFile() => Write().Length;

    /// <summary>Checksum, decryption, decompression, and every row's place and hash.</summary>
    [Benchmark]
    public Block? Decode() =>
        _reader!.Decode(1, _file.Span.Slice((int)_reader.ReadBlock(1).Offset, _reader.StoredBytes(1)), out _);

    /// <summary>One row in a block that is in memory.</summary>
    [Benchmark]
    public bool Look() => _block!.TryGet(_lookedFor, out _);

    /// <summary>Filter and index of an open file.</summary>
    [Benchmark]
    public int Find() => _reader!.MayHold(_lookedFor) ? _reader.FindBlock(_lookedFor) : -1;

    private static byte[] Value(SeededRandom random)
    {
        byte[] value = new byte[64];
        "{\"name\":\"somebody\",\"city\":\"here\"}"u8[..32].CopyTo(value);
        foreach (ref byte each in value.AsSpan(32))
        {
            each = (byte)random.Next(256);
        }

        return value;
    }

    private byte[] Write()
    {
        using BlockCipher? cipher = IsEncrypted ? _keys.NewCipher(1, new ZeroEntropy()) : null;
        var writer = new SSTableWriter(_settings, new(new(1), 1), new(1), cipher);
        for (int i = 0; i < Rows; i++)
        {
            ulong hash = Row.HashOf(_rowKeys[i], _values[i]);
            writer.Add(_rowKeys[i], new(RowType.Text, RowVersion.At(new(1), i), 0, hash, _values[i]));
        }

        writer.Finish();
        return writer.Take().Bytes.ToArray();
    }

    private sealed class ZeroEntropy : IEntropy
    {
        public void Fill(Span<byte> bytes) => bytes.Clear();
    }
}
