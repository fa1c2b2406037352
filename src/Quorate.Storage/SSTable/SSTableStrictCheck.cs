using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Walks a whole open file and checks that it is what it says: every block can be read, every row matches its hash, row
/// keys rise through the file, the index parts the blocks, the filter holds every row key, the properties are true. A
/// machine like <see cref="SSTableOpening"/>: submit what is <see cref="Wanted"/>, hand over its end.
/// </summary>
public sealed class SSTableStrictCheck
{
    /// <summary>After so many problems it goes no further.</summary>
    public const int ProblemsMax = 20;

    private readonly SSTableReader _reader;
    private readonly BlockCursor _cursor = new();
    private readonly List<string> _problems = [];
    private byte[] _last = [];
    private int _block;
    private long _rows;
    private long _tombstones;
    private long _rowBytes;
    private RowVersion _versionMin = new(ulong.MaxValue);
    private RowVersion _versionMax;
    private long _expiryMin = long.MaxValue;

    public SSTableStrictCheck(SSTableReader reader)
    {
        _reader = reader;
        Wanted = reader.ReadBlock(0);
    }

    /// <summary>The operation to submit; null when the check has ended.</summary>
    public DiskOperation? Wanted { get; private set; }

    /// <summary>Sentences; none when all is as it must be.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Takes the end of the operation that was wanted.</summary>
    public void Take(in DiskCompletion completion)
    {
        Invariant.Check(Wanted is not null, "a check takes what it wanted");
        Block? block = _reader.Decode(_block, completion, out string sentence);
        if (block is null)
        {
            _problems.Add(sentence);
        }
        else
        {
            Walk(block);
        }

        _block++;
        bool goesOn = _block < _reader.BlockCount && _problems.Count < ProblemsMax;
        Wanted = goesOn ? _reader.ReadBlock(_block) : null;
        if (Wanted is null && _problems.Count == 0)
        {
            CheckProperties();
        }
    }

    private void Walk(Block block)
    {
        _cursor.Enter(block);
        _cursor.First();
        if (_cursor.RowKey.SequenceCompareTo(_reader.Index.Key(_block)) < 0
            || _last.AsSpan().SequenceCompareTo(_reader.Index.Key(_block)) >= 0)
        {
            Report("the index does not part it from the block before");
        }

        for (; _cursor.IsAtRow && _problems.Count < ProblemsMax; _cursor.Next())
        {
            Row row = _cursor.Row;
            if (!_reader.MayHold(_cursor.RowKey))
            {
                Report("the filter or the bounds leave out one of its rows");
            }

            _rows++;
            _tombstones += row.IsTombstone ? 1 : 0;
            _rowBytes += _cursor.RowKey.Length + row.Value.Length;
            _versionMin = row.Version < _versionMin ? row.Version : _versionMin;
            _versionMax = row.Version > _versionMax ? row.Version : _versionMax;
            _expiryMin = row.Expiry == 0 ? _expiryMin : Math.Min(_expiryMin, row.Expiry);
        }

        _last = _cursor.RowKey.ToArray();
    }

    private void CheckProperties()
    {
        SSTableInfo info = _reader.Info;
        CheckProperty("rows", info.Rows, _rows);
        CheckProperty("tombstones", info.Tombstones, _tombstones);
        CheckProperty("bytes of rows", info.RowBytes, _rowBytes);
        CheckProperty("least version", (long)info.VersionMin.Packed, (long)_versionMin.Packed);
        CheckProperty("greatest version", (long)info.VersionMax.Packed, (long)_versionMax.Packed);
        CheckProperty("least expiry", info.ExpiryMin, _expiryMin == long.MaxValue ? 0 : _expiryMin);
        if (!info.Largest.Span.SequenceEqual(_last))
        {
            _problems.Add(SSTableSentences.Untrue(_reader.File, "last row key"));
        }
    }

    private void CheckProperty(string name, long said, long counted)
    {
        if (said != counted)
        {
            _problems.Add(SSTableSentences.Untrue(_reader.File, name));
        }
    }

    private void Report(string problem) =>
        _problems.Add(SSTableSentences.Damaged(_reader.File, _reader.Index.Offset(_block), $"block {_block}", problem));
}
