using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Log;

/// <summary>
/// The segments that count, ascending, the last being written, and how many entries that some stream still needs lie in
/// each. Everything else that a segment says is said again by the beginning of the next one.
/// <para>Invariant: a segment is free when all streams have released what it holds, and no older one is
/// kept. As long as it counts, a segment refers to the data keys that its entries are sealed with (pitfall S9), whether
/// or not these entries are still needed.</para>
/// </summary>
internal sealed class LogSegments(KeyRing? keys = null)
{
    private readonly List<Segment> _segments = [];
    private readonly KeyRing? _keys = keys;

    public int Count => _segments.Count;

    /// <summary>Entries that some stream still needs: each has a place in memory.</summary>
    public long Entries { get; private set; }

    /// <summary>What the records of these entries take, in bytes.</summary>
    public long LiveBytes { get; private set; }

    public ulong Oldest => _segments[0].Sequence;

    /// <summary>The segment being written.</summary>
    public ulong Current => _segments[^1].Sequence;

    /// <summary>The one behind which it was begun; zero when there is none.</summary>
    public ulong BeforeCurrent => _segments.Count > 1 ? _segments[^2].Sequence : 0;

    public IEnumerable<ulong> Sequences => _segments.Select(segment => segment.Sequence);

    /// <summary>Nothing in the oldest segment is needed, and it is not the one being written.</summary>
    public bool OldestIsFree => _segments.Count > 1
        && (_segments[0].Live == 0 || (_segments[0].HasReleased && !Guards.RecycledOnlyWhenReleased));

    public void Add(ulong sequence)
    {
        Invariant.Check(_segments.Count == 0 || Current < sequence, $"segment {sequence} follows {Oldest}");
        _segments.Add(new(sequence));
    }

    public ulong RemoveOldest()
    {
        ulong oldest = Oldest;
        Remove(0);
        return oldest;
    }

    /// <summary>The newest segment does not count any more.</summary>
    public void RemoveCurrent()
    {
        Invariant.Check(_segments[^1].Live == 0, $"no entry lies in segment {Current}");
        Remove(_segments.Count - 1);
    }

    /// <summary>
    /// The newest of the segments by which there are more than <paramref name="kept"/>; zero when there are not.
    /// </summary>
    public ulong NewestBeyond(int kept) => Count > kept ? _segments[Count - kept - 1].Sequence : 0;

    /// <summary>An entry lies in a segment, sealed with this data key or none.</summary>
    public void Gain(in LogPosition position, uint keyId)
    {
        Segment segment = Find(position.Segment);
        segment.Live++;
        Entries++;
        LiveBytes += position.Length;
        if (keyId != DataKey.NoId && _keys is not null && !segment.KeyIds.Contains(keyId))
        {
            segment.KeyIds.Add(keyId);
            _keys.Register(keyId);
        }
    }

    /// <summary>An entry that lies in a segment is no longer needed.</summary>
    public void Lose(in LogPosition position)
    {
        Segment segment = Find(position.Segment);
        segment.Live--;
        Entries--;
        LiveBytes -= position.Length;
        segment.HasReleased = true;
    }

    private void Remove(int at)
    {
        foreach (uint keyId in _segments[at].KeyIds)
        {
            _keys!.Unregister(keyId);
        }

        _segments.RemoveAt(at);
    }

    private Segment Find(ulong sequence)
    {
        // Entries are gained at the end and lost at the front.
        if (_segments[^1].Sequence == sequence)
        {
            return _segments[^1];
        }

        int low = 0;
        int high = _segments.Count - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_segments[middle].Sequence < sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        Invariant.Check(
            _segments[low].Sequence == sequence || !Guards.RecycledOnlyWhenReleased, $"segment {sequence} is kept");
        return _segments[low];
    }

    private sealed class Segment(ulong sequence)
    {
        public ulong Sequence { get; } = sequence;

        public long Live { get; set; }

        public bool HasReleased { get; set; }

        /// <summary>A few: there are as many in use as keyspaces, and for a while those that were retired.</summary>
        public List<uint> KeyIds { get; } = [];
    }
}
