using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>A member of a sorted set, or of the result of combining some.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Scored(byte[] Member, double Score)
{
    /// <summary>By score, then by member: the order of a sorted set.</summary>
    public static int Compare(Scored a, Scored b) =>
        a.Score.CompareTo(b.Score) is var order and not 0 ? order : a.Member.AsSpan().SequenceCompareTo(b.Member);
}

/// <summary>
/// A sorted set over its rows (<see cref="Collection"/>): `m` rows find a member's score, `s` rows are in the order of
/// scores. A score is 8 bytes that compare as the number does: the bits of the double, all of them turned over when it
/// is negative, else the sign alone. Zero has one form, so a negative zero is kept as zero.
/// <para>Ranges by score or by member are ranges of rows. A rank is counted by scanning from an end, the nearer one
/// where it is known: O(n) at worst.</para>
/// </summary>
internal sealed class SortedSet(Collection rows)
{
    private const int ScoreBytes = 8;

    public static ReadOnlySpan<byte> MemberMark => "m"u8;

    public static ReadOnlySpan<byte> MemberEnd => "n"u8;

    private static ReadOnlySpan<byte> ScoreMark => "s"u8;

    private static ReadOnlySpan<byte> ScoreEnd => "t"u8;

    public long Count => rows.Count;

    /// <summary>In milliseconds since 1970; zero when never.</summary>
    public long Expiry { get => rows.Expiry; set => rows.Expiry = value; }

    /// <summary>As <see cref="Collection.Open"/>.</summary>
    public static SortedSet? Open(CommandContext context, ReadOnlySpan<byte> key) =>
        Collection.Open(context, key, RowType.SortedSet) is { } rows ? new SortedSet(rows) : null;

    /// <summary>As <see cref="Collection.Make"/>.</summary>
    public static SortedSet? Make(CommandContext context, ReadOnlySpan<byte> key) =>
        Collection.Make(context, key, RowType.SortedSet) is { } rows ? new SortedSet(rows) : null;

    /// <summary>The order of scores as the order of numbers without a sign.</summary>
    public static ulong Sortable(double score)
    {
        // Adding zero turns a negative zero into zero.
        long bits = BitConverter.DoubleToInt64Bits(score + 0.0);
        return bits < 0 ? ~(ulong)bits : (ulong)bits | (1UL << 63);
    }

    /// <summary>The score in the value of an `m` row.</summary>
    public static double ReadScore(ReadOnlySpan<byte> value)
    {
        ulong sortable = BinaryPrimitives.ReadUInt64BigEndian(value);
        ulong bits = sortable >= 1UL << 63 ? sortable & long.MaxValue : ~sortable;
        return BitConverter.Int64BitsToDouble((long)bits);
    }

    /// <summary>The score of a member, null when it is none; false when it is cold.</summary>
    public bool TryGet(ReadOnlySpan<byte> member, out double? score)
    {
        bool isWarm = rows.TryGet([.. MemberMark, .. member], out Row row);
        score = row.IsTombstone ? null : ReadScore(row.Value);
        return isWarm;
    }

    /// <summary>As <see cref="Collection.TryGetWord"/>.</summary>
    public bool TryGetWord(int word, int step, out double? score)
    {
        bool isWarm = rows.TryGetWord(word, step, out Row row, MemberMark);
        score = row.IsTombstone ? null : ReadScore(row.Value);
        return isWarm;
    }

    /// <summary>Gives a member a score.</summary>
    /// <param name="before">The score that it has; null for a new one.</param>
    public void Set(ReadOnlySpan<byte> member, double? before, double score)
    {
        if (before is { } old)
        {
            rows.Delete(ScoreElement(Sortable(old), member));
        }
        else
        {
            rows.Count++;
        }

        byte[] element = ScoreElement(Sortable(score), member);
        rows.Put([.. MemberMark, .. member], element.AsSpan(ScoreMark.Length, ScoreBytes));
        rows.Put(element, []);
    }

    public void Remove(ReadOnlySpan<byte> member, double score)
    {
        rows.Count--;
        rows.Delete([.. MemberMark, .. member]);
        rows.Delete(ScoreElement(Sortable(score), member));
    }

    /// <summary>Takes members out, all of them with the header alone.</summary>
    public void Remove(List<Scored> members)
    {
        if (members.Count == Count)
        {
            rows.Drop();
            return;
        }

        if (!rows.HasRoomFor(2L * members.Count))
        {
            Leave(members);
            return;
        }

        foreach (Scored member in members)
        {
            Remove(member.Member, member.Score);
        }
    }

    /// <summary>Writes all others anew; when one is cold nothing is done.</summary>
    private void Leave(List<Scored> members)
    {
        if (ReadAll() is not { } all)
        {
            return;
        }

        var gone = new HashSet<byte[]>(members.Select(static member => member.Member), RowKeyComparer.Instance);
        rows.Renew();
        foreach (Scored member in all)
        {
            if (!gone.Contains(member.Member))
            {
                Set(member.Member, null, member.Score);
            }
        }
    }

    public void Save() => rows.Save();

    /// <summary>All members in order; null when one is cold.</summary>
    public List<Scored>? ReadAll() => ReadByRank(new IndexRange(0, Count - 1), descending: false);

    /// <summary>The members of these ranks, counted in the order in which they are wanted; null when one is
    /// cold.</summary>
    public List<Scored>? ReadByRank(IndexRange range, bool descending)
    {
        if (range.Count == 0)
        {
            return [];
        }

        long before = range.First;
        long behind = Count - 1 - range.Last;
        bool fromBehind = behind < before;
        var found = Read(ScoreMark, ScoreEnd, descending != fromBehind, Math.Min(before, behind), range.Count);
        if (fromBehind)
        {
            found?.Reverse();
        }

        return found;
    }

    /// <summary>Members with a score in a range; null when one is cold.</summary>
    /// <param name="skip">Members to leave out first.</param>
    /// <param name="max">Members at most.</param>
    public List<Scored>? ReadByScore(ScoreRange range, bool descending, long skip, long max) =>
        range.From < range.To
            ? Read(ScoreElement(range.From, []), ScoreElement(range.To, []), descending, skip, max)
            : [];

    /// <summary>Members of a range of names; null when one is cold. It means what it says when all scores are equal.
    /// </summary>
    public List<Scored>? ReadByName(NameRange range, bool descending, long skip, long max)
    {
        var found = new List<Scored>();
        byte[] from = [.. MemberMark, .. range.From];
        byte[] to = range.To is { } end ? [.. MemberMark, .. end] : MemberEnd.ToArray();
        if (max == 0 || from.AsSpan().SequenceCompareTo(to) >= 0)
        {
            return found;
        }

        bool isWarm = rows.TryScan(from, to, descending, (element, value) =>
        {
            if (skip-- <= 0)
            {
                found.Add(new Scored(element[MemberMark.Length..].ToArray(), ReadScore(value)));
            }

            return found.Count < max;
        });
        return isWarm ? found : null;
    }

    /// <summary>How many members stand before one, counted from that end; false when one is cold.</summary>
    public bool TryRank(ReadOnlySpan<byte> member, double score, bool descending, out long rank)
    {
        byte[] own = ScoreElement(Sortable(score), member);
        long count = 0;
        bool isWarm = rows.TryScan(descending ? own : ScoreMark, descending ? ScoreEnd : own, descending, (_, _) =>
        {
            count++;
            return true;
        });
        rank = descending ? count - 1 : count;
        return isWarm;
    }

    private static byte[] ScoreElement(ulong sortable, ReadOnlySpan<byte> member)
    {
        byte[] element = new byte[ScoreMark.Length + ScoreBytes + member.Length];
        ScoreMark.CopyTo(element);
        BinaryPrimitives.WriteUInt64BigEndian(element.AsSpan(ScoreMark.Length), sortable);
        member.CopyTo(element.AsSpan(ScoreMark.Length + ScoreBytes));
        return element;
    }

    private List<Scored>? Read(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool descending, long skip, long max)
    {
        var found = new List<Scored>();
        if (max == 0)
        {
            return found;
        }

        bool isWarm = rows.TryScan(from, to, descending, (element, _) =>
        {
            if (skip-- <= 0)
            {
                double score = ReadScore(element[ScoreMark.Length..]);
                found.Add(new Scored(element[(ScoreMark.Length + ScoreBytes)..].ToArray(), score));
            }

            return found.Count < max;
        });
        return isWarm ? found : null;
    }
}

/// <summary>Scores in [From, To), in their sortable form.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ScoreRange(ulong From, ulong To)
{
    /// <summary>From bounds as in ZRANGEBYSCORE: `1.5`, `(1.5` without it, `-inf`, `+inf`.</summary>
    public static bool TryParse(ReadOnlySpan<byte> min, ReadOnlySpan<byte> max, out ScoreRange range)
    {
        range = default;
        if (!TryParse(min, out double low, out bool withoutLow)
            || !TryParse(max, out double high, out bool withoutHigh))
        {
            return false;
        }

        range = new ScoreRange(
            SortedSet.Sortable(low) + (withoutLow ? 1UL : 0), SortedSet.Sortable(high) + (withoutHigh ? 0UL : 1));
        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> word, out double bound, out bool without)
    {
        without = word.Length > 0 && word[0] == (byte)'(';
        return Words.TryDouble(without ? word[1..] : word, out bound);
    }
}

/// <summary>Names in [From, To); to the end when To is null.</summary>
internal sealed record NameRange(byte[] From, byte[]? To)
{
    private static readonly NameRange Empty = new([0], []);

    /// <summary>From bounds as in ZRANGEBYLEX: `[a`, `(a` without it, `-` and `+`. Null when they are none.</summary>
    public static NameRange? Parse(ReadOnlySpan<byte> min, ReadOnlySpan<byte> max)
    {
        if (!IsBound(min) || !IsBound(max))
        {
            return null;
        }

        if (min[0] == (byte)'+' || max[0] == (byte)'-')
        {
            return Empty;
        }

        byte[] from = min[0] == (byte)'-' ? [] : min[0] == (byte)'[' ? min[1..].ToArray() : [.. min[1..], 0];
        byte[]? to = max[0] == (byte)'+' ? null : max[0] == (byte)'(' ? max[1..].ToArray() : [.. max[1..], 0];
        return new NameRange(from, to);
    }

    private static bool IsBound(ReadOnlySpan<byte> word) =>
        word.Length > 0
        && (word[0] is (byte)'[' or (byte)'(' || (word.Length == 1 && word[0] is (byte)'-' or (byte)'+'));
}
