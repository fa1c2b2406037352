using System.Buffers.Binary;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>An element of a list: its bytes, and whether they were written as JSON.</summary>
internal readonly record struct ListElement(byte[] Value, RowType Type);

/// <summary>
/// The elements of a list by their index. Positions run without a gap from the header's head to its tail, so an element
/// is found by one lookup, and a push or a pop touches one element row and the header. Putting an element in or taking
/// one out elsewhere moves all those on the shorter side by one.
/// </summary>
internal readonly struct ListElements(Collection list)
{
    public long Count => list.Count;

    /// <summary>Looks at the element at an index that exists; false when it is cold.</summary>
    public bool TryGet(long index, out Row row) => list.TryGet(Element(index), out row);

    public void Set(long index, ReadOnlySpan<byte> value, RowType type = RowType.Element) =>
        list.Put(Element(index), value, type);

    public void PushHead(ReadOnlySpan<byte> value, RowType type = RowType.Element)
    {
        list.Head--;
        list.Count++;
        Set(0, value, type);
    }

    public void PushTail(ReadOnlySpan<byte> value, RowType type = RowType.Element)
    {
        list.Tail++;
        list.Count++;
        Set(Count - 1, value, type);
    }

    /// <summary>
    /// Takes off all but the elements from one index to another, both included. When one that stays is cold nothing is
    /// done.
    /// </summary>
    public void Keep(long first, long last)
    {
        long cut = Count - (last - first + 1);
        if (list.HasRoomFor(cut))
        {
            CutTail(Count - 1 - last);
            CutHead(first);
        }
        else if (Read(first, last) is { } kept)
        {
            Renew(kept);
        }
    }

    /// <summary>Takes elements off the head.</summary>
    private void CutHead(long count)
    {
        for (long index = 0; index < count; index++)
        {
            list.Delete(Element(index));
        }

        list.Head += (ulong)count;
        list.Count -= count;
    }

    /// <summary>Takes elements off the tail.</summary>
    private void CutTail(long count)
    {
        for (long index = Count - count; index < Count; index++)
        {
            list.Delete(Element(index));
        }

        list.Tail -= (ulong)count;
        list.Count -= count;
    }

    /// <summary>Shows elements from one index to another, both included; false when one is cold.</summary>
    public bool TryScan(long first, long last, bool descending, ElementSeen seen) =>
        first > last || list.TryScan(Element(first), Element(last + 1), descending, seen);

    /// <summary>As <see cref="TryScan"/>, each with its row.</summary>
    public bool TryScanRows(long first, long last, bool descending, ElementRowSeen seen) =>
        first > last || list.TryScanRows(Element(first), Element(last + 1), descending, seen);

    /// <summary>The elements from one index to another, both included; null when one is cold.</summary>
    public List<ListElement>? Read(long first, long last)
    {
        var elements = new List<ListElement>();
        bool isWarm = TryScanRows(first, last, descending: false, (_, in row) =>
        {
            elements.Add(new(row.Value.ToArray(), row.Type));
            return true;
        });
        return isWarm ? elements : null;
    }

    /// <summary>
    /// Puts an element in before the one at an index (or behind the last), moving the shorter side; false when a row is
    /// cold.
    /// </summary>
    public bool TryInsert(long index, ReadOnlySpan<byte> value)
    {
        bool toHead = index < Count - index;
        List<ListElement>? moved = toHead ? Read(0, index - 1) : Read(index, Count - 1);
        if (moved is null)
        {
            return false;
        }

        list.Count++;
        if (toHead)
        {
            list.Head--;
        }
        else
        {
            list.Tail++;
        }

        for (int i = 0; i < moved.Count; i++)
        {
            Set(toHead ? i : index + 1 + i, moved[i].Value, moved[i].Type);
        }

        Set(index, value);
        return true;
    }

    /// <summary>
    /// Takes the elements at these rising indexes out, moving what stands on the shorter side of them; false when a row
    /// is cold.
    /// </summary>
    public bool TryRemove(List<long> indexes)
    {
        if (indexes.Count == 0)
        {
            return true;
        }

        bool fromHead = indexes[^1] < Count - 1 - indexes[0];
        long first = fromHead ? 0 : indexes[0];
        long last = fromHead ? indexes[^1] : Count - 1;
        if (Read(first, last) is not { } moved)
        {
            return false;
        }

        for (int i = indexes.Count - 1; i >= 0; i--)
        {
            moved.RemoveAt((int)(indexes[i] - first));
        }

        if (!list.HasRoomFor(moved.Count + indexes.Count))
        {
            return TryLeaveOut(indexes);
        }

        long to = fromHead ? first + indexes.Count : first;
        for (int i = 0; i < moved.Count; i++)
        {
            Set(to + i, moved[i].Value, moved[i].Type);
        }

        if (fromHead)
        {
            CutHead(indexes.Count);
        }
        else
        {
            CutTail(indexes.Count);
        }

        return true;
    }

    /// <summary>Writes all others anew; false when one is cold.</summary>
    private bool TryLeaveOut(List<long> indexes)
    {
        if (Read(0, Count - 1) is not { } all)
        {
            return false;
        }

        List<ListElement> kept = [];
        int next = 0;
        for (int index = 0; index < all.Count; index++)
        {
            if (next < indexes.Count && indexes[next] == index)
            {
                next++;
            }
            else
            {
                kept.Add(all[index]);
            }
        }

        Renew(kept);
        return true;
    }

    private void Renew(List<ListElement> kept)
    {
        list.Renew();
        foreach (ListElement element in kept)
        {
            PushTail(element.Value, element.Type);
        }
    }

    private byte[] Element(long index)
    {
        byte[] position = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(position, list.Head + (ulong)index);
        return position;
    }
}
