using Quorate.Core.Model;

namespace Quorate.Core.Checking;

/// <summary>
/// The memo of a search: which pairs of (steps taken, state) it has been at (Lowe, "Testing for linearizability",
/// section 3.2). Exact, not by hash alone: a pair mistaken for another would turn into a wrong verdict.
/// <para>Invariants: a pair is stored once. The steps are stored as the words of their bit set between the first
/// that is not full and the last that is not empty, which is short whatever the length of the history.</para>
/// </summary>
internal sealed class VisitedStates
{
    private const int SlotsMin = 1 << 10;

    private int[] _slots = new int[SlotsMin];
    private ulong[] _hashes = new ulong[SlotsMin];
    private ulong[] _words = new ulong[1 << 14];
    private int _slotCount = SlotsMin;
    private int _used;
    private int _end;

    public int Count => _used;

    public void Clear()
    {
        _slotCount = SlotsMin;
        _used = 0;
        _end = 1;
        _slots.AsSpan(0, _slotCount).Clear();
    }

    /// <summary>Stores the pair; false when it was there.</summary>
    public bool Add(TakenSteps taken, long state)
    {
        ReadOnlySpan<ulong> mandatory = taken.MandatoryWords;
        ReadOnlySpan<ulong> optional = taken.OptionalWords;
        ulong head = ((ulong)(uint)taken.FirstOpenWord << 32) | (uint)mandatory.Length;
        ulong mixed = taken.Hash ^ (ulong)state;
        mixed = SeededRandom.SplitMix64(ref mixed);
        int slot = (int)(mixed & (ulong)(_slotCount - 1));
        while (_slots[slot] != 0)
        {
            if (_hashes[slot] == mixed && Is(_slots[slot], head, mandatory, optional, state))
            {
                return false;
            }

            slot = (slot + 1) & (_slotCount - 1);
        }

        _slots[slot] = Append(head, mandatory, optional, state);
        _hashes[slot] = mixed;
        _used++;
        if (_used * 2 > _slotCount)
        {
            Grow();
        }

        return true;
    }

    private bool Is(int at, ulong head, ReadOnlySpan<ulong> mandatory, ReadOnlySpan<ulong> optional, long state)
    {
        ReadOnlySpan<ulong> entry = _words.AsSpan(at);
        return entry[0] == head
            && entry[1] == (ulong)state
            && entry.Slice(2, mandatory.Length).SequenceEqual(mandatory)
            && entry.Slice(2 + mandatory.Length, optional.Length).SequenceEqual(optional);
    }

    private int Append(ulong head, ReadOnlySpan<ulong> mandatory, ReadOnlySpan<ulong> optional, long state)
    {
        int length = 2 + mandatory.Length + optional.Length;
        if (_end + length > _words.Length)
        {
            Array.Resize(ref _words, Math.Max(_words.Length * 2, _end + length));
        }

        Span<ulong> entry = _words.AsSpan(_end, length);
        entry[0] = head;
        entry[1] = (ulong)state;
        mandatory.CopyTo(entry[2..]);
        optional.CopyTo(entry[(2 + mandatory.Length)..]);
        int at = _end;
        _end += length;
        return at;
    }

    private void Grow()
    {
        int[] slots = new int[_slotCount * 2];
        ulong[] hashes = new ulong[_slotCount * 2];
        for (int i = 0; i < _slotCount; i++)
        {
            if (_slots[i] != 0)
            {
                int slot = (int)(_hashes[i] & (ulong)(slots.Length - 1));
                while (slots[slot] != 0)
                {
                    slot = (slot + 1) & (slots.Length - 1);
                }

                slots[slot] = _slots[i];
                hashes[slot] = _hashes[i];
            }
        }

        (_slots, _hashes, _slotCount) = (slots, hashes, slots.Length);
    }
}
