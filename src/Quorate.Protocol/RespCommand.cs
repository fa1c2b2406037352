using System.Buffers;

namespace Quorate.Protocol;

/// <summary>
/// The words of one command, in one buffer that is used again for the next. A <see cref="RespReader"/> fills it.
/// <para>Invariant: memory grows with the bytes that have arrived, never with what a client says will come.</para>
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

    /// <summary>What large buffers are taken from; to be set while the command is empty.</summary>
    public RespBudget? Budget { get; set; } = budget;

    /// <summary>Words, the name included.</summary>
    public int Count { get; private set; }

    /// <summary>Of the words, with what each costs.</summary>
    public long Bytes => _length + ((long)Count * WordCostBytes);

    /// <summary>Why the command is refused, as the text of an error; null for one that is whole.</summary>
    public string? Problem { get; private set; }

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
            Budget?.Give(_taken);
            (_taken, _bufferTaken) = (0, 0);
        }
    }

    /// <summary>The command is refused; what has come of it is forgotten, and what comes will not be kept.</summary>
    internal void Refuse(string problem)
    {
        Clear();
        Problem = problem;
    }

    /// <summary>Adds bytes to the word that has not ended. What the budget does not allow refuses the
    /// command.</summary>
    /// <param name="toCome">How many bytes the word says are still to come behind these.</param>
    internal void Append(ReadOnlySpan<byte> bytes, long toCome)
    {
        if (Problem is not null)
        {
            return;
        }

        int needed = _length + bytes.Length;
        if (needed > _bytes.Length && !TryGrow(needed, toCome))
        {
            return;
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length = needed;
    }

    internal void EndWord()
    {
        if (Problem is not null)
        {
            return;
        }

        if (Count == _ends.Length)
        {
            if (Count >= KeptWordsMax && !TryTake((long)Count * WordCostBytes))
            {
                return;
            }

            Array.Resize(ref _ends, Count * 2);
        }

        _ends[Count++] = _length;
    }

    /// <summary>
    /// Grows by as much again, a quarter when it is large; yet takes no more than the word that is arriving needs.
    /// </summary>
    private bool TryGrow(int needed, long toCome)
    {
        long spare = needed < PooledBytesMax ? needed : needed / 4;
        int size = (int)Math.Max(needed + (toCome > 0 ? Math.Min(spare, toCome) : spare), 256);
        if (size > KeptBytesMax && !TryTake(size))
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
        if (size > KeptBytesMax)
        {
            // The smaller one that it was before is gone.
            Budget?.Give(_bufferTaken);
            _taken -= _bufferTaken;
            _bufferTaken = size;
        }

        return true;
    }

    private static void GiveBack(byte[] bytes)
    {
        if (bytes.Length is > KeptBytesMax and <= PooledBytesMax)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private bool TryTake(long bytes)
    {
        if (Budget is null || Budget.TryTake(bytes))
        {
            _taken += bytes;
            return true;
        }

        Refuse(ErrorCodes.OutOfMemory
            + " too many large commands are arriving at this node, nothing was done; send it again later");
        return false;
    }
}
