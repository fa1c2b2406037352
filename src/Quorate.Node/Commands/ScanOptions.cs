using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>`MATCH pattern`, `COUNT number`, `TYPE name` of SCAN and its kin.</summary>
internal sealed class ScanOptions(long countDefault)
{
    private GlobPattern? _pattern;
    private byte[]? _type;

    /// <summary>How many keys or elements to look at.</summary>
    public long Count { get; private set; } = countDefault;

    public bool Matches(ReadOnlySpan<byte> name) => _pattern is null || _pattern.Matches(name);

    public bool HasType(RowType type) =>
        _type is null || System.Text.Ascii.EqualsIgnoreCase(KeyCommands.NameOf(type), _type);

    /// <summary>False when they make no sense, which has then been answered.</summary>
    public bool TryRead(CommandContext context, int word, bool withType)
    {
        for (; word < context.Line.Count; word += 2)
        {
            ReadOnlySpan<byte> option = context.Line[word];
            bool hasValue = word + 1 < context.Line.Count;
            if (hasValue && Words.Is(option, "MATCH"))
            {
                if (!GlobPattern.TryRead(context, word + 1, out _pattern))
                {
                    return false;
                }
            }
            else if (hasValue && withType && Words.Is(option, "TYPE"))
            {
                _type = context.Line[word + 1].ToArray();
            }
            else if (!hasValue || !Words.Is(option, "COUNT"))
            {
                context.Reply.Error(Errors.Syntax);
                return false;
            }
            else if (!TryReadCount(context, word + 1))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryReadCount(CommandContext context, int word)
    {
        if (!context.TryInteger(word, out long count))
        {
            return false;
        }

        if (count < 1)
        {
            context.Reply.Error(Errors.Syntax);
            return false;
        }

        Count = count;
        return true;
    }
}
