namespace Quorate.Node.Evaluation;

/// <summary>A command as a client sent it: its name and its arguments, of any bytes.</summary>
public sealed class CommandLine(ReadOnlyMemory<byte>[] words)
{
    /// <summary>Words in the line, the name included.</summary>
    public int Count => words.Length;

    public ReadOnlySpan<byte> this[int word] => words[word].Span;

    public ReadOnlyMemory<byte> Word(int word) => words[word];
}
