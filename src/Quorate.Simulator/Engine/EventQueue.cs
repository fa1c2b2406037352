using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Simulator.Engine;

/// <summary>
/// What will happen, by time in microseconds; events of one time come in the order in which they were scheduled.
/// A four-way heap of small keys over a slab of events, so that sifting moves 24 bytes a step and nothing is
/// allocated for an event once the slab has grown.
/// </summary>
internal sealed class EventQueue
{
    private const int InitialCapacity = 256;

    private Key[] _heap = new Key[InitialCapacity];
    private SimEvent[] _events = new SimEvent[InitialCapacity];
    private int[] _free = new int[InitialCapacity];
    private int _freeCount;
    private int _used;
    private int _count;
    private ulong _sequence;

    public int Count => _count;

    /// <summary>The time of the next event; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextTime => _count == 0 ? long.MaxValue : _heap[0].Time;

    public void Add(long time, in SimEvent happening)
    {
        int slot = _freeCount > 0 ? _free[--_freeCount] : _used++;
        if (slot == _events.Length)
        {
            Array.Resize(ref _events, slot * 2);
            Array.Resize(ref _free, slot * 2);
        }

        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, _count * 2);
        }

        _events[slot] = happening;
        SiftUp(_count++, new Key(time, _sequence++, slot));
    }

    /// <summary>Takes the next event out; there must be one.</summary>
    public long Take(out SimEvent happening)
    {
        Invariant.Check(_count > 0, "an event is taken from a queue that holds one");
        Key first = _heap[0];
        ref SimEvent slot = ref _events[first.Slot];
        happening = slot;
        slot.Payload = null;
        _free[_freeCount++] = first.Slot;
        Key last = _heap[--_count];
        if (_count > 0)
        {
            SiftDown(last);
        }

        return first.Time;
    }

    private void SiftUp(int at, Key key)
    {
        Key[] heap = _heap;
        while (at > 0)
        {
            int parent = (at - 1) >> 2;
            if (heap[parent].IsBefore(key))
            {
                break;
            }

            heap[at] = heap[parent];
            at = parent;
        }

        heap[at] = key;
    }

    private void SiftDown(Key key)
    {
        Key[] heap = _heap;
        int at = 0;
        while (true)
        {
            int child = (at << 2) + 1;
            if (child >= _count)
            {
                break;
            }

            int end = Math.Min(child + 4, _count);
            int least = child;
            for (int i = child + 1; i < end; i++)
            {
                if (heap[i].IsBefore(heap[least]))
                {
                    least = i;
                }
            }

            if (key.IsBefore(heap[least]))
            {
                break;
            }

            heap[at] = heap[least];
            at = least;
        }

        heap[at] = key;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Key(long time, ulong sequence, int slot)
    {
        public readonly long Time = time;
        public readonly int Slot = slot;
        private readonly ulong _sequence = sequence;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsBefore(in Key other) => Time < other.Time || (Time == other.Time && _sequence < other._sequence);
    }
}
