using System.Runtime.InteropServices;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// LCS: the longest common subsequence of two strings, by the table of lengths of Wagner and Fischer ("The
/// String-to-String Correction Problem", 1974): time and memory are the product of the lengths, and so bounded
/// (<see cref="EvaluationLimits.CommonSubsequencePairsMax"/>).
/// </summary>
internal static class CommonSubsequenceCommand
{
    public static readonly CommandSpec[] All = [new("LCS", -3, CommandKind.Read, new KeyWords(1, 2, 1), Run)];

    private static void Run(CommandContext context)
    {
        if (!TryText(context, 1, out byte[] a) || !TryText(context, 2, out byte[] b)
            || Options.Parse(context) is not { } options)
        {
            return;
        }

        if ((long)a.Length * b.Length > EvaluationLimits.CommonSubsequencePairsMax)
        {
            context.Reply.Error(
                $"ERR LCS compares at most {EvaluationLimits.CommonSubsequencePairsMax} pairs of bytes, "
                + $"and these strings have {(long)a.Length * b.Length}");
            return;
        }

        var table = new Table(a, b);
        if (options.OnlyLength)
        {
            context.Reply.Integer(table.Length);
        }
        else if (options.WithIndexes)
        {
            WriteRuns(context.Reply, table, options);
        }
        else
        {
            context.Reply.Bulk(table.Text());
        }
    }

    private static bool TryText(CommandContext context, int word, out byte[] text)
    {
        text = [];
        if (!context.TryGet(context.RowKeyOf(word), out Row row))
        {
            return false;
        }

        var value = new StringValue(row);
        if (!value.IsString)
        {
            context.Reply.Error("ERR The specified keys must contain string values");
            return false;
        }

        text = value.Text.ToArray();
        return true;
    }

    private static void WriteRuns(Reply reply, Table table, Options options)
    {
        List<Common> runs = [.. table.Runs().Where(run => run.Length >= options.LengthMin)];
        reply.Map(2);
        reply.Bulk("matches"u8);
        reply.Array(runs.Count);
        foreach (Common run in runs)
        {
            reply.Array(options.WithLengths ? 3 : 2);
            WriteRange(reply, run.A, run.Length);
            WriteRange(reply, run.B, run.Length);
            if (options.WithLengths)
            {
                reply.Integer(run.Length);
            }
        }

        reply.Bulk("len"u8);
        reply.Integer(table.Length);
    }

    private static void WriteRange(Reply reply, int first, int length)
    {
        reply.Array(2);
        reply.Integer(first);
        reply.Integer(first + length - 1);
    }

    /// <summary>Bytes that stand one behind the other in both strings.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Common(int A, int B, int Length);

    /// <summary>`[LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]`.</summary>
    private sealed record Options(bool OnlyLength, bool WithIndexes, long LengthMin, bool WithLengths)
    {
        /// <summary>Null when a word is none, which has been answered.</summary>
        public static Options? Parse(CommandContext context)
        {
            CommandLine line = context.Line;
            var options = new Options(false, false, 0, false);
            for (int word = 3; word < line.Count; word++)
            {
                if (Words.Is(line[word], "IDX"))
                {
                    options = options with { WithIndexes = true };
                }
                else if (Words.Is(line[word], "LEN"))
                {
                    options = options with { OnlyLength = true };
                }
                else if (Words.Is(line[word], "WITHMATCHLEN"))
                {
                    options = options with { WithLengths = true };
                }
                else if (Words.Is(line[word], "MINMATCHLEN") && word + 1 < line.Count)
                {
                    if (!context.TryInteger(++word, out long length))
                    {
                        return null;
                    }

                    options = options with { LengthMin = length };
                }
                else
                {
                    context.Reply.Error(Errors.Syntax);
                    return null;
                }
            }

            if (options.OnlyLength && options.WithIndexes)
            {
                context.Reply.Error("ERR If you want both the length and indexes, please just use IDX.");
                return null;
            }

            return options;
        }
    }

    /// <summary>For every pair of beginnings of the two strings the length of what they have in common.</summary>
    private sealed class Table
    {
        private readonly byte[] _a;
        private readonly byte[] _b;
        private readonly int[] _lengths;

        public Table(byte[] a, byte[] b)
        {
            (_a, _b) = (a, b);
            _lengths = new int[(a.Length + 1) * (b.Length + 1)];
            int width = b.Length + 1;
            for (int i = 1; i <= a.Length; i++)
            {
                ReadOnlySpan<int> above = _lengths.AsSpan((i - 1) * width, width);
                Span<int> row = _lengths.AsSpan(i * width, width);
                for (int j = 1; j < row.Length; j++)
                {
                    row[j] = a[i - 1] == b[j - 1] ? above[j - 1] + 1 : Math.Max(above[j], row[j - 1]);
                }
            }
        }

        public int Length => _lengths[^1];

        /// <summary>The runs of one longest subsequence, from the last to the first.</summary>
        public List<Common> Runs()
        {
            var runs = new List<Common>();
            int i = _a.Length;
            int j = _b.Length;
            while (i > 0 && j > 0)
            {
                if (_a[i - 1] != _b[j - 1])
                {
                    // As Redis chooses among several that are equally long.
                    bool isUp = At(i - 1, j) > At(i, j - 1);
                    i -= isUp ? 1 : 0;
                    j -= isUp ? 0 : 1;
                    continue;
                }

                int length = 0;
                while (i > 0 && j > 0 && _a[i - 1] == _b[j - 1])
                {
                    i--;
                    j--;
                    length++;
                }

                runs.Add(new Common(i, j, length));
            }

            return runs;
        }

        public byte[] Text()
        {
            byte[] text = new byte[Length];
            int end = text.Length;
            foreach (Common run in Runs())
            {
                end -= run.Length;
                _a.AsSpan(run.A, run.Length).CopyTo(text.AsSpan(end));
            }

            return text;
        }

        private int At(int i, int j) => _lengths[(i * (_b.Length + 1)) + j];
    }
}
