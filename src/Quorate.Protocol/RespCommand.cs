using System.Buffers;

namespace Quorate.Protocol;

/// <summary>
/// The words of one command, in one buffer that is used again for the next. A <see cref="RespReader"/> fills it.
/// <para>Invariant: memory is at most four times the bytes that have arrived, whatever a client says will
/// come.</para>
/// </summary>
public sealed class RespCommand(RespBudget? budget = null)
{
    /// <summary>What a word costs beside its bytes, in bytes.</summary>
    public const int WordCostBytes = 24;

    /// <summary>A buffer of up to this many bytes is kept for the next command; a larger one is given back.</summary>
    private const int KeptBytesMax = 4096;

    /// <summary>A buffer of up to this many bytes comes from the shared pool, which rounds sizes up.</summary>
    private const int PooledBytesMax = 1024 * 1024;

    private const int KeptWordsMax = 64;

    private byte[] _bytes = new byte[128];
    private int[] _ends = new int[4];
    private int _length;
    private long _taken;

    /// <summary>Of what was taken, what the buffer of now stands for.</summary>
    private long _bufferTaken;

    /// <summary>What its words need next and did not get.</summary>
    private (long Size, long Bytes) _wanted;
    private bool _isFinished;

    /// <summary>What large buffers are taken from; to be set while the command is empty.</summary>
    public RespBudget? Budget { get; set; } = budget;

    /// <summary>Words, the name included.</summary>
    public int Count { get; private set; }

    /// <summary>Of the words, with what each costs.</summary>
    public long Bytes => _length + ((long)Count * WordCostBytes);

    /// <summary>Why the command is refused, as the text of an error; null for one that is whole.</summary>
    public string? Problem { get; private set; }

    /// <summary>What it takes of the budget, in bytes.</summary>
    public long Held => _taken;

    /// <summary>After <see cref="RespRead.NeedsRoom"/>: there is room now.</summary>
    public bool HasRoom => Budget is null || Budget.MayGrow(this, _wanted.Size, _wanted.Bytes);

    public ReadOnlySpan<byte> this[int word] => Word(word).Span;

    /// <summary>It holds until the next <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Word(int word)
    {
        int start = word == 0 ? 0 : _ends[word - 1];
        return _bytes.AsMemory(start, _ends[word] - start);
    }

    /// <summary>Forgets the words, and large buffers.</summary>
    public void Clear()
    {
        Count = 0;
        _length = 0;
        Problem = null;
        if (_bytes.Length > KeptBytesMax)
        {
            GiveBack(_bytes);
            _bytes = new byte[128];
        }

        if (_ends.Length > KeptWordsMax)
        {
            _ends = new int[4];
        }

        if (_taken > 0)
        {
            Budget?.Leave(this);
            Budget?.Give(_taken, _isFinished);
            (_taken, _bufferTaken) = (0, 0);
        }

        _isFinished = false;
    }

    /// <summary>All of it has come: what it takes is no longer anything unfinished.</summary>
    public void Finish()
    {
        if (_taken > 0 && !_isFinished)
        {
            Budget?.Leave(this);
            Budget?.Finish(_taken);
            _isFinished = true;
        }
    }

    /// <summary>It has waited for room too long: it is refused.</summary>
    public void RefuseForRoom() => Refuse(
        ErrorCodes.OutOfMemory
        + " too many large commands are arriving at this node, nothing was done; send it again later");

    /// <summary>The command is refused; what has come of it is forgotten, and what comes will not be kept.</summary>
    internal void Refuse(string problem)
    {
        Clear();
        Problem = problem;
    }

    /// <summary>Adds bytes to the word that has not ended; false when they have to wait for room.</summary>
    /// <param name="toCome">How many bytes the word says are still to come behind these.</param>
    internal bool TryAppend(ReadOnlySpan<byte> bytes, long toCome)
    {
        if (Problem is not null)
        {
            return true;
        }

        int needed = _length + bytes.Length;
        if (needed > _bytes.Length && !TryGrow(needed, toCome))
        {
            return false;
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length = needed;
        return true;
    }

    /// <summary>The same where nothing can wait: what there is no room for refuses the command.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        if (!TryAppend(bytes, 0))
        {
            RefuseForRoom();
        }
    }

    /// <summary>Counts what a line takes that is not cut into words yet; false when it has to wait.</summary>
    /// <param name="size">Its buffer, in bytes.</param>
    /// <param name="more">How much larger than the one before.</param>
    internal bool TryHoldLine(int size, int more) => size <= KeptBytesMax || TryTakeRoom(size, more);

    internal void EndWord()
    {
        if (Problem is not null)
        {
            return;
        }

        if (Count == _ends.Length)
        {
            long more = (long)Count * WordCostBytes;
            if (Count >= KeptWordsMax && Budget is not null && !Budget.TryTake(more))
            {
                RefuseForRoom();
                return;
            }

            _taken += Count >= KeptWordsMax ? more : 0;

            Array.Resize(ref _ends, Count * 2);
        }

        _ends[Count++] = _length;
    }

    /// <summary>
    /// Grows by as much again, or, when it is large, to what the word that is arriving needs, up to four times what has
    /// come: each copy is as large as the command, and only the collector takes the smaller ones away.
    /// </summary>
    private bool TryGrow(int needed, long toCome)
    {
        long spare = needed < PooledBytesMax ? needed : toCome > 0 ? 3L * needed : needed / 4;
        int size = (int)Math.Max(needed + (toCome > 0 ? Math.Min(spare, toCome) : spare), 256);
        // While it is copied both are there, for that moment alone.
        if (size > KeptBytesMax && !TryTakeRoom(size, size - _bufferTaken))
        {
            return false;
        }

        byte[] larger = size switch
        {
            <= KeptBytesMax => new byte[size],
            <= PooledBytesMax => ArrayPool<byte>.Shared.Rent(size),
            _ => GC.AllocateUninitializedArray<byte>(size),
        };
        _bytes.AsSpan(0, _length).CopyTo(larger);
        GiveBack(_bytes);
        _bytes = larger;
        _bufferTaken = size > KeptBytesMax ? size : 0;
        return true;
    }

    private static void GiveBack(byte[] bytes)
    {
        if (bytes.Length is > KeptBytesMax and <= PooledBytesMax)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private bool TryTakeRoom(long size, long bytes)
    {
        if (Budget is not null && !Budget.TryGrow(this, size, bytes))
        {
            _wanted = (size, bytes);
            return false;
        }

        _taken += bytes;
        return true;
    }
}
