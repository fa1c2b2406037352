using Quorate.Node.Commands;

namespace Quorate.Node.Evaluation;

/// <summary>A command as a client sent it: its name and its arguments, of any bytes.</summary>
public sealed class CommandLine(ReadOnlyMemory<byte>[] words)
{
    /// <summary>What <see cref="CommandTable.Check"/> has found: it is asked several times.</summary>
    internal CommandSpec? Checked { get; set; }

    /// <summary>Words in the line, the name included.</summary>
    public int Count => words.Length;

    public ReadOnlySpan<byte> this[int word] => words[word].Span;

    public ReadOnlyMemory<byte> Word(int word) => words[word];

    /// <summary>Other words have taken the place of those before, in the array that it was made with.</summary>
    public void WordsChanged() => Checked = null;
}
