using System.Buffers.Binary;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Takes an element of a scan: its bytes behind the generation, and its value. False ends the scan.</summary>
internal delegate bool ElementSeen(ReadOnlySpan<byte> element, ReadOnlySpan<byte> value);

/// <summary>As <see cref="ElementSeen"/>, with the element's row.</summary>
internal delegate bool ElementRowSeen(ReadOnlySpan<byte> element, in Row row);

/// <summary>
/// A hash, set, list or sorted set as rows: this class alone knows how they are laid out.
/// <para>Header, the row of the key: type, expiry, and a value of generation (8 bytes), count of elements (8 bytes),
/// and for a list the positions of its first element and behind its last one (8 bytes each); all big-endian.</para>
/// <para>Elements, rows of type <see cref="RowType.Element"/> whose element bytes begin with the generation (8 bytes,
/// big-endian): then, for a hash, the field, with its value as the row's value; for a set, the member, and no value;
/// for a list, the position, with the element as the row's value; for a sorted set, two rows for each member: `m` and
/// the member, with the score as the value, and `s`, the score and the member, with no value. A position is 8 bytes,
/// big-endian; a score 8 bytes in the order of numbers (<see cref="SortedSet"/>). A list's element or a field's value
/// that was written as a JSON number, true, false or null is of type <see cref="RowType.JsonScalar"/> instead.</para>
/// <para>The generation is the version (<see cref="RowVersion.Packed"/>) that the next change had when the collection
/// was made, so no two collections that ever stood under a key share one. DEL deletes the header only: elements of
/// another generation than the header's are garbage that no lookup can reach.</para>
/// <para>Invariants: the count is the number of visible elements; a header with a count of zero is deleted; each change
/// of an element writes the header too, so the header's version is that of the key's last change.</para>
/// </summary>
internal sealed class Collection
{
    /// <summary>The list positions of a new list begin here, with as much room before as behind.</summary>
    public const ulong MiddlePosition = 1UL << 63;

    private const int GenerationBytes = 8;

    private readonly CommandContext _context;
    private readonly byte[] _header;
    private readonly RowType _type;
    private readonly bool _existed;
    private byte[] _prefix;
    private bool _isChanged;

    private Collection(CommandContext context, byte[] header, RowType type, in Row row, bool isNew)
    {
        _context = context;
        _header = header;
        _type = type;
        _existed = !row.IsTombstone;
        _prefix = [];
        Expiry = context.DefaultExpiry;
        if (_existed && !isNew)
        {
            ReadOnlySpan<byte> value = row.Value;
            Expiry = row.Expiry;
            Count = BinaryPrimitives.ReadInt64BigEndian(value[8..]);
            _prefix = [.. header, .. value[..GenerationBytes]];
            if (type == RowType.List)
            {
                Head = BinaryPrimitives.ReadUInt64BigEndian(value[16..]);
                Tail = BinaryPrimitives.ReadUInt64BigEndian(value[24..]);
            }
        }
    }

    public RowType Type => _type;

    /// <summary>Elements: fields, members. The commands that add and remove them count.</summary>
    public long Count { get; set; }

    /// <summary>In milliseconds since 1970; zero when never.</summary>
    public long Expiry { get; set; }

    /// <summary>A list's: the position of its first element.</summary>
    public ulong Head { get; set; } = MiddlePosition;

    /// <summary>A list's: the position behind its last element.</summary>
    public ulong Tail { get; set; } = MiddlePosition;

    /// <summary>
    /// The collection under a key, empty when there is none. Null when the row is cold, or when something else stands
    /// under the key, which has then been answered.
    /// </summary>
    public static Collection? Open(CommandContext context, ReadOnlySpan<byte> key, RowType type)
    {
        byte[] header = RowKey.Of(key);
        if (!context.TryGet(header, out Row row))
        {
            return null;
        }

        if (!row.IsTombstone && row.Type != type)
        {
            context.Reply.Error(Errors.WrongType);
            return null;
        }

        return new Collection(context, header, type, row, isNew: false);
    }

    /// <summary>
    /// A new and empty collection that takes the place of whatever stands under the key, once it is saved. Null when
    /// the row is cold.
    /// </summary>
    public static Collection? Make(CommandContext context, ReadOnlySpan<byte> key, RowType type)
    {
        byte[] header = RowKey.Of(key);
        return context.TryGet(header, out Row row)
            ? new Collection(context, header, type, row, isNew: true) { _isChanged = true }
            : null;
    }

    /// <summary>Looks an element up; false when it is cold.</summary>
    public bool TryGet(scoped ReadOnlySpan<byte> element, out Row row)
    {
        row = default;
        if (_prefix.Length == 0 || element.Length > RowLimits.RowKeyBytesMax - _prefix.Length)
        {
            return true;
        }

        byte[] rowKey = [.. _prefix, .. element];
        return _context.TryGet(rowKey, out row);
    }

    /// <summary>
    /// Looks up the element that a word of the line names; false when it is cold, and then the elements that the words
    /// behind it name have been looked at, too, so that they are fetched together.
    /// </summary>
    /// <param name="step">From one such word to the next.</param>
    /// <param name="mark">What stands before the name in its element.</param>
    public bool TryGetWord(int word, int step, out Row row, ReadOnlySpan<byte> mark = default)
    {
        if (TryGet([.. mark, .. _context.Line[word]], out row))
        {
            return true;
        }

        for (word += step; word < _context.Line.Count; word += step)
        {
            TryGet([.. mark, .. _context.Line[word]], out _);
        }

        return false;
    }

    public void Put(ReadOnlySpan<byte> element, ReadOnlySpan<byte> value, RowType type = RowType.Element)
    {
        if (_prefix.Length == 0)
        {
            _prefix = new byte[_header.Length + GenerationBytes];
            _header.CopyTo(_prefix.AsSpan());
            ulong generation = Guards.NewCollectionNewGeneration ? _context.NextVersion.Packed : 1;
            BinaryPrimitives.WriteUInt64BigEndian(_prefix.AsSpan(_header.Length), generation);
        }

        _isChanged = true;
        _context.Put([.. _prefix, .. element], type, 0, value);
    }

    public void Delete(ReadOnlySpan<byte> element)
    {
        Invariant.Check(_prefix.Length > 0, "an element that goes has been found");
        _isChanged = true;
        _context.Delete([.. _prefix, .. element]);
    }

    /// <summary>Writes the header if anything has changed; deletes it when no element is left.</summary>
    public void Save()
    {
        if (!_isChanged)
        {
            return;
        }

        if (Count == 0)
        {
            Drop();
            return;
        }

        Span<byte> value = stackalloc byte[GenerationBytes + 24];
        _prefix.AsSpan(_header.Length).CopyTo(value);
        BinaryPrimitives.WriteInt64BigEndian(value[8..], Count);
        BinaryPrimitives.WriteUInt64BigEndian(value[16..], Head);
        BinaryPrimitives.WriteUInt64BigEndian(value[24..], Tail);
        _context.Put(_header, _type, Expiry, _type == RowType.List ? value : value[..16]);
        _isChanged = false;
    }

    /// <summary>
    /// Whether so many elements' rows may be changed in this request. Where they are more than that and few would be
    /// left, <see cref="Renew"/> and writing those anew does the same.
    /// </summary>
    public bool HasRoomFor(long rows) => _context.HasRoomFor(rows);

    /// <summary>
    /// Begins a new generation of the same collection, without an element: those of the former become garbage, as with
    /// DEL. What is to stay has been read before and is put again.
    /// </summary>
    public void Renew()
    {
        _prefix = [];
        _isChanged = true;
        (Count, Head, Tail) = (0, MiddlePosition, MiddlePosition);
    }

    /// <summary>Deletes the header: all elements are gone with it.</summary>
    public void Drop()
    {
        if (_existed)
        {
            _context.Delete(_header);
        }

        Count = 0;
        _isChanged = false;
    }

    /// <summary>
    /// Shows elements in order, from one bound up to before the other (empty: the end); false when a part is cold.
    /// </summary>
    public bool TryScan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool descending, ElementSeen seen) =>
        TryScanRows(from, to, descending, (element, in row) => seen(element, row.Value));

    /// <summary>As <see cref="TryScan(ReadOnlySpan{byte}, ReadOnlySpan{byte}, bool, ElementSeen)"/>.</summary>
    public bool TryScanRows(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool descending, ElementRowSeen seen)
    {
        if (_prefix.Length == 0)
        {
            return true;
        }

        byte[] first = [.. _prefix, .. from];
        byte[] end = to.IsEmpty ? After(_prefix) : [.. _prefix, .. to];
        return _context.TryScan(new RowRange(first, end, descending), new Elements(_prefix.Length, seen));
    }

    /// <summary>Shows all elements in order; false when a part is cold.</summary>
    public bool TryScan(ElementSeen seen) => TryScan([], [], descending: false, seen);

    /// <summary>
    /// Shows fields or members in order, from one on, each with its value (a set's: none; a sorted set's: its score);
    /// false when a part is cold. Not for lists.
    /// </summary>
    public bool TryScanNames(ElementSeen seen, ReadOnlySpan<byte> from = default) =>
        _type == RowType.SortedSet
            ? TryScan([.. SortedSet.MemberMark, .. from], SortedSet.MemberEnd, descending: false,
                (element, value) => seen(element[1..], value))
            : TryScan(from, [], descending: false, seen);

    /// <summary>The first row key behind all that begin with these bytes.</summary>
    public static byte[] After(ReadOnlySpan<byte> prefix)
    {
        byte[] after = prefix.ToArray();
        int at = after.Length - 1;
        while (at >= 0 && after[at] == 0xFF)
        {
            after[at--] = 0;
        }

        Invariant.Check(at >= 0, "there is a row key behind these");
        after[at]++;
        return after[..(at + 1)];
    }

    /// <summary>Whether a name may be an element's; else the command is refused.</summary>
    public static bool Fits(CommandContext context, ReadOnlySpan<byte> name)
    {
        if (name.Length <= RowLimits.ElementBytesMax)
        {
            return true;
        }

        context.Refuse($"ERR a field or member exceeds {RowLimits.ElementBytesMax} bytes");
        return false;
    }

    private sealed class Elements(int prefixLength, ElementRowSeen seen) : IRowVisitor
    {
        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row) => seen(rowKey[prefixLength..], row);
    }
}
