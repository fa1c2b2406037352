using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Keys that stand behind their number, as in `SINTERCARD 2 a b`.</summary>
internal static class CountedKeys
{
    /// <summary>The key words of a line whose number of keys stands at word 1.</summary>
    public static int[] At1(CommandLine line) => Of(line, 1);

    /// <summary>The key words of a line whose number of keys stands at word 2, behind the key of the result.</summary>
    public static int[] At2WithResult(CommandLine line) => [1, .. Of(line, 2)];

    /// <summary>Reads the number of keys; what can not be one has been answered.</summary>
    public static bool TryRead(CommandContext context, int word, Errors errors, out int count)
    {
        bool isInteger = Words.TryInteger(context.Line[word], out long number);
        string? error = !isInteger ? errors.NotInteger
            : number < 1 ? errors.None
            : number > context.Line.Count - word - 1 ? errors.TooMany
            : null;
        count = error is null ? (int)number : 0;
        if (error is not null)
        {
            context.Reply.Error(error);
        }

        return error is null;
    }

    /// <summary>None when the number is none, which the command answers with an error.</summary>
    private static int[] Of(CommandLine line, int word) =>
        Words.TryInteger(line[word], out long number) && number > 0 && number < line.Count - word
            ? [.. Enumerable.Range(word + 1, (int)number)]
            : [];

    /// <summary>What a command answers to a number of keys that is none, that is below one, that is too
    /// large.</summary>
    public sealed record Errors(string NotInteger, string None, string TooMany);
}
