using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Blocks;

/// <summary>
/// A data block in memory: rows in the order of their row keys, as they are encoded in the file (see
/// <see cref="EncodedRow"/>), then the restart points (offsets of rows whose row key is written whole; 4 bytes each,
/// little-endian), then their number (4 bytes). Row keys are searched from one restart point to the next, as in
/// LevelDB's table format.
/// <para>Invariants: every row was verified when the block was made: its bounds, its place in the order, its hash. So
/// looking at it cannot fail. It is never changed, so spans of it stay valid as long as somebody holds it.</para>
/// </summary>
public sealed class Block
{
    /// <summary>What a block takes in memory beyond its body, about, in bytes.</summary>
    internal const int OverheadBytes = 80;

    private readonly byte[] _body;
    private readonly int _rowsEnd;
    private readonly int _restartCount;

    private Block(byte[] body, int rowsEnd, int restartCount, int rowCount)
    {
        _body = body;
        _rowsEnd = rowsEnd;
        _restartCount = restartCount;
        RowCount = rowCount;
    }

    public int RowCount { get; }

    /// <summary>What it takes in memory.</summary>
    public int MemoryBytes => _body.Length + OverheadBytes;

    internal ReadOnlySpan<byte> Rows => _body.AsSpan(0, _rowsEnd);

    internal int RestartCount => _restartCount;

    /// <summary>
    /// Makes a block of a decoded body, which it keeps, and verifies every row. Null with a problem, worded to follow
    /// "the block is damaged: ", when anything is not as it must be.
    /// </summary>
    public static Block? TryMake(byte[] body, out string problem)
    {
        int restartCount = body.Length < sizeof(int)
            ? 0
            : BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(body.Length - sizeof(int)));
        long rowsEnd = body.Length - (sizeof(int) * ((long)restartCount + 1));
        if (restartCount <= 0 || rowsEnd <= 0)
        {
            problem = "it has no restart points";
            return null;
        }

        var block = new Block(body, (int)rowsEnd, restartCount, 0);
        problem = block.Verify(out int rows);
        return problem.Length == 0 ? new(body, (int)rowsEnd, restartCount, rows) : null;
    }

    /// <summary>Looks a row up, tombstones too. The row's value is the block's own memory.</summary>
    public bool TryGet(ReadOnlySpan<byte> rowKey, out Row row)
    {
        ReadOnlySpan<byte> rows = Rows;
        int restart = FindRestart(rowKey);
        row = default;
        if (restart < 0)
        {
            return false;
        }

        // How much of the row key is matched by the row looked at last, which stands before it in the order.
        int matched = 0;
        for (int at = Restart(restart); at < _rowsEnd;)
        {
            EncodedRow encoded = RowAt(at);
            if (encoded.Shared < matched)
            {
                return false;
            }

            // A row that shares more than is matched differs where the one before it did.
            if (encoded.Shared == matched)
            {
                ReadOnlySpan<byte> further = rows.Slice(encoded.KeyAt, encoded.KeyLength);
                ReadOnlySpan<byte> wanted = rowKey[matched..];
                int common = further.CommonPrefixLength(wanted);
                matched += common;
                if (common == further.Length && common == wanted.Length)
                {
                    row = encoded.Read(rows);
                    return true;
                }

                if (common == wanted.Length || (common < further.Length && further[common] > wanted[common]))
                {
                    return false;
                }
            }

            at = encoded.End;
        }

        return false;
    }

    /// <summary>Whether its first row key begins with these bytes.</summary>
    internal bool First(ReadOnlySpan<byte> beginning)
    {
        EncodedRow row = RowAt(0);
        return Rows.Slice(row.KeyAt, row.KeyLength).StartsWith(beginning);
    }

    /// <summary>Where the rows of a restart point begin.</summary>
    internal int Restart(int number) =>
        BinaryPrimitives.ReadInt32LittleEndian(_body.AsSpan(_rowsEnd + (sizeof(int) * number)));

    internal EncodedRow RowAt(int at)
    {
        bool isRow = EncodedRow.TryParse(Rows, at, out EncodedRow row);
        Invariant.Check(isRow, "a block in memory was verified and never changed");
        return row;
    }

    /// <summary>The last restart point whose row key is not above the given one; -1 when all are.</summary>
    internal int FindRestart(ReadOnlySpan<byte> rowKey)
    {
        int low = 0;
        int high = _restartCount;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            EncodedRow row = RowAt(Restart(middle));
            if (Rows.Slice(row.KeyAt, row.KeyLength).SequenceCompareTo(rowKey) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    /// <summary>The last restart point at or before an offset of a row.</summary>
    internal int RestartBefore(int offset)
    {
        int low = 0;
        int high = _restartCount;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            bool isBefore = Restart(middle) <= offset;
            low = isBefore ? middle + 1 : low;
            high = isBefore ? high : middle;
        }

        return low - 1;
    }

    /// <summary>Walks all rows; what is wrong, or nothing.</summary>
    private string Verify(out int rowCount)
    {
        var walk = new BlockWalk(this);
        rowCount = 0;
        int restart = 0;
        int at = 0;
        while (at < _rowsEnd)
        {
            bool isRestart = restart < _restartCount && Restart(restart) == at;
            restart += isRestart ? 1 : 0;
            if (!EncodedRow.TryParse(Rows, at, out EncodedRow encoded))
            {
                return "a row does not fit";
            }

            if (encoded.Shared > walk.KeyLength || (isRestart && encoded.Shared != 0) || (at == 0 && !isRestart))
            {
                return "a row key has no beginning";
            }

            if (walk.Take(encoded, isRestart) is { Length: > 0 } problem)
            {
                return problem;
            }

            rowCount++;
            at = encoded.End;
        }

        return restart == _restartCount ? "" : "a restart point leads to no row";
    }

    /// <summary>Puts row keys together and verifies one row after the other.</summary>
    [StructLayout(LayoutKind.Auto)]
    private ref struct BlockWalk(Block block)
    {
        private byte[] _key = new byte[256];
        private bool _hasKey;

        public int KeyLength { get; private set; }

        public string Take(in EncodedRow encoded, bool isRestart)
        {
            ReadOnlySpan<byte> further = block.Rows.Slice(encoded.KeyAt, encoded.KeyLength);
            ReadOnlySpan<byte> replaced = _key.AsSpan(encoded.Shared, KeyLength - encoded.Shared);
            if (_hasKey && further.SequenceCompareTo(replaced) <= 0)
            {
                return "two rows are out of order";
            }

            // The search in a block relies on it.
            if (!isRestart && !replaced.IsEmpty && replaced[0] == further[0])
            {
                return "a row key shares more than it says";
            }

            _hasKey = true;
            KeyLength = encoded.Shared + further.Length;
            if (KeyLength > RowLimits.RowKeyBytesMax)
            {
                return "a row key is too long";
            }

            if (KeyLength > _key.Length)
            {
                Array.Resize(ref _key, KeyLength * 2);
            }

            further.CopyTo(_key.AsSpan(encoded.Shared));
            Row row = encoded.Read(block.Rows);
            bool isWhole = !Guards.RowHashVerifiedOnLoad
                || row.Hash == Row.HashOf(_key.AsSpan(0, KeyLength), row.Value);
            return isWhole ? "" : "a row does not match its hash";
        }
    }
}
