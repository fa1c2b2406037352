using System.Runtime.InteropServices;

namespace Quorate.Storage.Stores;

/// <summary>
/// Lets a store in memory behave as if its rows were on disk: a place, a row key or a range of them, is cold until it
/// was looked at and then fetched.
/// </summary>
internal sealed class ColdPlaces
{
    private readonly SortedDictionary<ulong, List<Place>> _held = [];
    private List<Place> _wanted = [];

    /// <summary>Remembers that the place is wanted, unless it is held.</summary>
    public bool IsCold(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        foreach (List<Place> places in _held.Values)
        {
            foreach (Place place in places)
            {
                if (from.SequenceCompareTo(place.From) >= 0 && to.SequenceCompareTo(place.To) <= 0)
                {
                    return false;
                }
            }
        }

        _wanted.Add(new(from.ToArray(), to.ToArray()));
        return true;
    }

    public bool IsCold(ReadOnlySpan<byte> rowKey)
    {
        Span<byte> after = stackalloc byte[256];
        after = rowKey.Length < after.Length ? after[..(rowKey.Length + 1)] : new byte[rowKey.Length + 1];
        rowKey.CopyTo(after);
        after[^1] = 0;
        return IsCold(rowKey, after);
    }

    /// <summary>What is wanted is held from now on.</summary>
    public void Hold(ulong tag)
    {
        _held[tag] = _wanted;
        _wanted = [];
    }

    public void Forget() => _wanted.Clear();

    public void Release(ulong tag) => _held.Remove(tag);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Place(byte[] From, byte[] To);
}
