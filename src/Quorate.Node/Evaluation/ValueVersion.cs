using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>
/// A version as a client sees it and sends it back: that of a row, with the term of its entry. A write that was
/// acknowledged at level `leader` may be lost with its leader, and the next one may get its place in the log; by the
/// term they differ (pitfall R29).
/// <para>As text: `term-index-ordinal`, or `0` for what does not exist. A term is zero where it is not remembered any
/// more, after <see cref="Core.Raft.RaftSettings.TermStartsMax"/> later ones; such a version was read from a row, and
/// what can be read is never lost.</para>
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ValueVersion(Term Term, RowVersion Row)
{
    /// <summary>Of what does not exist.</summary>
    public static readonly ValueVersion None;

    /// <summary>
    /// Whether a client's version names the write that this one is of, which stands. A term that the client knows and
    /// nobody else any more may be that of a lost write, whose place another has taken: it names nothing.
    /// </summary>
    public bool IsNamedBy(in ValueVersion held) =>
        Row == held.Row
        && (Term == held.Term
            || held.Term == Term.Zero
            || (Term == Term.Zero && !Guards.ForgottenTermsNameNothing)
            || !Guards.ClientVersionsCarryTerm);

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ValueVersion version)
    {
        version = None;
        if (text.SequenceEqual("0"u8))
        {
            return true;
        }

        bool isVersion = TryTake(ref text, ulong.MaxValue, out ulong term) && TryTakeDash(ref text)
            && TryTake(ref text, RowVersion.IndexMax, out ulong index) && TryTakeDash(ref text)
            && TryTake(ref text, RowVersion.OrdinalsMax - 1, out ulong ordinal) && text.IsEmpty
            && TryMake(term, index, ordinal, out version);
        return isVersion;
    }

    public override string ToString() => Row == RowVersion.Zero
        ? "0"
        : string.Create(CultureInfo.InvariantCulture, $"{Term}-{Row.Index}-{Row.Ordinal}");

    private static bool TryMake(ulong term, ulong index, ulong ordinal, out ValueVersion version)
    {
        version = new(new Term(term), new RowVersion((index << 16) | ordinal));
        return version.Row != RowVersion.Zero;
    }

    private static bool TryTakeDash(ref ReadOnlySpan<byte> text)
    {
        bool isDash = !text.IsEmpty && text[0] == (byte)'-';
        text = isDash ? text[1..] : text;
        return isDash;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> text, ulong max, out ulong number)
    {
        bool isNumber = Utf8Parser.TryParse(text, out number, out int length)
            && number <= max
            && text[0] is >= (byte)'0' and <= (byte)'9';
        text = text[length..];
        return isNumber;
    }
}
