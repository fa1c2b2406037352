using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Gives members scores, on conditions: what ZADD, ZINCRBY and GEOADD do.</summary>
internal static class SortedSetAdding
{
    /// <summary>Sets scores of the members that words of the line name, and answers.</summary>
    /// <param name="firstName">The word of the first member.</param>
    /// <param name="step">From one member's word to the next.</param>
    public static void Run(CommandContext context, Options options, double[] scores, int firstName, int step)
    {
        if (SortedSet.Open(context, context.Line[1]) is not { } set)
        {
            return;
        }

        var tally = new Tally();
        for (int i = 0; i < scores.Length; i++)
        {
            int name = firstName + (step * i);
            ReadOnlySpan<byte> member = context.Line[name];
            if (!Collection.Fits(context, member)
                || !set.TryGetWord(name, step, out double? standing))
            {
                return;
            }

            Add(set, member, standing, scores[i], options, tally);
        }

        set.Save();
        tally.Write(context.Reply, options);
    }

    private static void Add(
        SortedSet set, ReadOnlySpan<byte> member, double? standing, double score, Options options, Tally tally)
    {
        if (standing is not { } before)
        {
            if (!options.OnlyOld)
            {
                set.Set(member, null, score);
                tally.Take(score, isNew: true, isChanged: true);
            }

            return;
        }

        double after = options.Increment ? before + score : score;
        tally.IsNotANumber |= double.IsNaN(after);
        bool isRefused = options.OnlyNew || double.IsNaN(after) || (options.OnlyLess && after >= before)
            || (options.OnlyGreater && after <= before);
        if (isRefused)
        {
            return;
        }

        if (after != before)
        {
            set.Set(member, before, after);
        }

        tally.Take(after, isNew: false, after != before);
    }

    /// <summary>The options of ZADD.</summary>
    public sealed class Options
    {
        public bool OnlyNew { get; private set; }

        public bool OnlyOld { get; private set; }

        public bool OnlyGreater { get; private set; }

        public bool OnlyLess { get; private set; }

        public bool CountChanged { get; private set; }

        public bool Increment { get; set; }

        /// <summary>The word behind the options.</summary>
        public int Read(CommandLine line)
        {
            int word = 2;
            while (word < line.Count && Take(line[word]))
            {
                word++;
            }

            return word;
        }

        public string? Problem(int pairs) =>
            OnlyNew && OnlyOld ? "ERR XX and NX options at the same time are not compatible"
            : (OnlyGreater && (OnlyNew || OnlyLess)) || (OnlyLess && OnlyNew)
                ? "ERR GT, LT, and/or NX options at the same time are not compatible"
            : Increment && pairs > 1 ? "ERR INCR option supports a single increment-element pair"
            : null;

        /// <summary>Takes a word as an option; false when it is none.</summary>
        public bool Take(ReadOnlySpan<byte> option)
        {
            bool isNew = Words.Is(option, "NX");
            bool isOld = Words.Is(option, "XX");
            bool isGreater = Words.Is(option, "GT");
            bool isLess = Words.Is(option, "LT");
            bool isChanged = Words.Is(option, "CH");
            bool isIncrement = Words.Is(option, "INCR");
            OnlyNew |= isNew;
            OnlyOld |= isOld;
            OnlyGreater |= isGreater;
            OnlyLess |= isLess;
            CountChanged |= isChanged;
            Increment |= isIncrement;
            return isNew || isOld || isGreater || isLess || isChanged || isIncrement;
        }
    }

    /// <summary>What a ZADD has done so far.</summary>
    private sealed class Tally
    {
        private long _added;
        private long _changed;
        private double? _last;

        public bool IsNotANumber { get; set; }

        public void Take(double score, bool isNew, bool isChanged)
        {
            _added += isNew ? 1 : 0;
            _changed += isChanged ? 1 : 0;
            _last = score;
        }

        public void Write(Reply reply, Options options)
        {
            if (IsNotANumber)
            {
                reply.Error("ERR resulting score is not a number (NaN)");
            }
            else if (options.Increment)
            {
                SortedSetCommands.Write(reply, _last);
            }
            else
            {
                reply.Integer(options.CountChanged ? _changed : _added);
            }
        }
    }
}
