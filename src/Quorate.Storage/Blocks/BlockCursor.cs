using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Blocks;

/// <summary>
/// Goes through the rows of one block after another, up and down. Going down is the dearer way: it puts row keys
/// together again from the restart point before.
/// </summary>
internal sealed class BlockCursor
{
    private Block? _block;
    private EncodedRow _row;
    private byte[] _key = new byte[256];
    private int _keyLength;
    private int _at;

    /// <summary>Whether it stands at a row.</summary>
    public bool IsAtRow { get; private set; }

    public ReadOnlySpan<byte> RowKey => _key.AsSpan(0, _keyLength);

    public Row Row => _row.Read(Current.Rows);

    private Block Current
    {
        get
        {
            Invariant.Check(_block is not null, "a block cursor is given a block before it moves");
            return _block;
        }
    }

    /// <summary>Goes to a block; it stands at no row of it yet.</summary>
    public void Enter(Block? block)
    {
        _block = block;
        IsAtRow = false;
    }

    public bool First()
    {
        Load(0);
        return IsAtRow;
    }

    public bool Last()
    {
        Load(Current.Restart(Current.RestartCount - 1));
        while (_row.End < Current.Rows.Length)
        {
            Load(_row.End);
        }

        return IsAtRow;
    }

    /// <summary>Goes to the first row whose row key is not below the given one.</summary>
    public bool SeekFrom(ReadOnlySpan<byte> rowKey)
    {
        int restart = Math.Max(0, Current.FindRestart(rowKey));
        Load(Current.Restart(restart));
        while (IsAtRow && RowKey.SequenceCompareTo(rowKey) < 0)
        {
            Next();
        }

        return IsAtRow;
    }

    /// <summary>Goes to the last row whose row key is below the given one.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> rowKey) => SeekFrom(rowKey) ? Previous() : Last();

    public bool Next()
    {
        if (_row.End >= Current.Rows.Length)
        {
            IsAtRow = false;
        }
        else
        {
            Load(_row.End);
        }

        return IsAtRow;
    }

    public bool Previous()
    {
        int before = _at;
        if (before == 0)
        {
            IsAtRow = false;
            return false;
        }

        Load(Current.Restart(Current.RestartBefore(before - 1)));
        while (_row.End < before)
        {
            Load(_row.End);
        }

        return IsAtRow;
    }

    /// <summary>Goes to the row at an offset, which is a restart point or the row after the one it stands at.</summary>
    private void Load(int at)
    {
        _row = Current.RowAt(at);
        _at = at;
        _keyLength = _row.Shared + _row.KeyLength;
        if (_keyLength > _key.Length)
        {
            Array.Resize(ref _key, _keyLength * 2);
        }

        Current.Rows.Slice(_row.KeyAt, _row.KeyLength).CopyTo(_key.AsSpan(_row.Shared));
        IsAtRow = true;
    }
}
