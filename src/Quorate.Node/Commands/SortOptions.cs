using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>The options of SORT: `[BY pattern] [LIMIT offset count] [GET pattern...] [ASC|DESC] [ALPHA] [STORE key]`.
/// </summary>
/// <param name="IsSorted">False by `BY` with a pattern that names no element.</param>
/// <param name="IsText">Compared as bytes, not as numbers.</param>
/// <param name="By">What elements are sorted by; null for themselves.</param>
/// <param name="StoreAt">The word of the result's key; zero when the result is answered.</param>
internal sealed record SortOptions(
    bool IsSorted, bool IsDescending, bool IsText, KeyPattern? By, long Skip, long Count, int StoreAt)
{
    public List<KeyPattern> Gets { get; } = [];

    /// <summary>Null when a word is none, which has been answered.</summary>
    public static SortOptions? Parse(CommandContext context, bool mayStore)
    {
        CommandLine line = context.Line;
        var options = new SortOptions(true, false, false, null, 0, -1, 0);
        for (int word = 2; word < line.Count; word++)
        {
            ReadOnlySpan<byte> option = line[word];
            int behind = line.Count - word - 1;
            if (Words.Is(option, "ASC") || Words.Is(option, "DESC"))
            {
                options = options with { IsDescending = Words.Is(option, "DESC") };
            }
            else if (Words.Is(option, "ALPHA"))
            {
                options = options with { IsText = true };
            }
            else if (Words.Is(option, "LIMIT") && behind >= 2)
            {
                if (!context.TryInteger(word + 1, out long skip) || !context.TryInteger(word + 2, out long count))
                {
                    return null;
                }

                options = options with { Skip = skip, Count = count };
                word += 2;
            }
            else if (Words.Is(option, "STORE") && behind >= 1 && mayStore)
            {
                options = options with { StoreAt = ++word };
            }
            else if ((Words.Is(option, "BY") || Words.Is(option, "GET")) && behind >= 1)
            {
                if (KeyPattern.Parse(context, word) is not { } pattern)
                {
                    return null;
                }

                options = options.With(pattern, isWeight: Words.Is(option, "BY"));
                word++;
            }
            else
            {
                context.Reply.Error(Errors.Syntax);
                return null;
            }
        }

        return options;
    }

    /// <summary>Which of so many elements are wanted.</summary>
    public IndexRange RangeOf(int count)
    {
        long first = Math.Clamp(Skip, 0, count);
        long wanted = Count < 0 ? count - first : Math.Min(Count, count - first);
        return wanted == 0 ? new IndexRange(0, -1) : new IndexRange(first, first + wanted - 1);
    }

    private SortOptions With(KeyPattern pattern, bool isWeight)
    {
        if (isWeight)
        {
            return pattern.NamesElement ? this with { By = pattern, IsSorted = true } : this with { IsSorted = false };
        }

        Gets.Add(pattern);
        return this;
    }
}

/// <summary>
/// A pattern of SORT: `#` is the element itself; else a key with the element in the place of the first `*`, and perhaps
/// `->` and a field of the hash that stands there. What names no element stands for nothing.
/// </summary>
internal sealed class KeyPattern
{
    private readonly byte[] _before = [];
    private readonly byte[] _behind = [];
    private readonly byte[]? _field;
    private readonly bool _isElement;

    private KeyPattern(ReadOnlySpan<byte> pattern)
    {
        _isElement = pattern.SequenceEqual("#"u8);
        int star = pattern.IndexOf((byte)'*');
        NamesElement = star >= 0;
        if (!NamesElement)
        {
            return;
        }

        _before = pattern[..star].ToArray();
        ReadOnlySpan<byte> behind = pattern[(star + 1)..];
        int arrow = behind.IndexOf("->"u8);
        bool hasField = arrow >= 0 && arrow + 2 < behind.Length;
        _behind = (hasField ? behind[..arrow] : behind).ToArray();
        _field = hasField ? behind[(arrow + 2)..].ToArray() : null;
    }

    /// <summary>Whether there is a `*`.</summary>
    public bool NamesElement { get; }

    /// <summary>The pattern behind a word; null when its keys may lie elsewhere, which has been answered.</summary>
    public static KeyPattern? Parse(CommandContext context, int word)
    {
        ReadOnlySpan<byte> text = context.Line[word + 1];
        var pattern = new KeyPattern(text);
        if (pattern.NamesElement
            && !(HasTag(pattern._before) && KeyHash.SlotOf(pattern._before) == KeyHash.SlotOf(context.Line[1])))
        {
            context.Reply.Error(
                "ERR a pattern of SORT with a * needs the hash tag of the sorted key in front of it, "
                + "as in {tag}weight_*: other keys may lie in other partitions");
            return null;
        }

        return pattern;
    }

    /// <summary>
    /// What the pattern stands for with an element; null for nothing. False when a row is cold.
    /// </summary>
    public bool TryRead(CommandContext context, byte[] element, out byte[]? found)
    {
        found = _isElement ? element : null;
        if (_isElement || !NamesElement)
        {
            return true;
        }

        byte[] key = [.. _before, .. element, .. _behind];
        if (key.Length > RowLimits.KeyBytesMax)
        {
            return true;
        }

        if (!context.TryGet(RowKey.Of(key), out Row row))
        {
            return false;
        }

        if (_field is not null && row.Type == RowType.Hash)
        {
            return TryReadField(context, key, out found);
        }

        if (_field is null && new StringValue(row) is { IsString: true, Exists: true } value)
        {
            found = value.Text.ToArray();
        }

        return true;
    }

    private bool TryReadField(CommandContext context, byte[] key, out byte[]? found)
    {
        found = null;
        if (Collection.Open(context, key, RowType.Hash) is not { } hash || !hash.TryGet(_field, out Row row))
        {
            return false;
        }

        found = row.IsTombstone ? null : row.Value.ToArray();
        return true;
    }

    /// <summary>Whether the key's slot hangs on these first bytes alone.</summary>
    private static bool HasTag(ReadOnlySpan<byte> before)
    {
        int open = before.IndexOf((byte)'{');
        return open >= 0 && before[(open + 1)..].IndexOf((byte)'}') > 0;
    }
}
