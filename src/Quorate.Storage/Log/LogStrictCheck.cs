using Quorate.Core.Model;

namespace Quorate.Storage.Log;

/// <summary>
/// Walks through all segments of a <see cref="NodeLog"/> and says what is wrong with them: a broken chain, batches
/// behind the end, records that make no sense, entries out of order, terms that fall, standings that differ from what
/// the segments before them say. It replays nothing with the code that opens logs.
/// </summary>
public static class LogStrictCheck
{
    /// <summary>What is wrong, a sentence each; empty when the log is as it must be.</summary>
    /// <param name="prefix">The log's.</param>
    /// <param name="names">The names of all files.</param>
    /// <param name="read">Gives a file's bytes.</param>
    public static IReadOnlyList<string> Problems(
        string prefix, IEnumerable<string> names, Func<string, ReadOnlyMemory<byte>> read)
    {
        LogWalk walk = LogWalk.Through(prefix, names, read);
        var problems = new List<string>(walk.Problems);
        var streams = new SortedDictionary<LogStream, Followed>();
        for (int i = 0; i < walk.Chain.Count; i++)
        {
            CheckSegment(walk.Chain[i], isOldest: i == 0, streams, problems);
        }

        foreach ((LogStream id, Followed stream) in streams)
        {
            if (stream.Lacking() is string lacking)
            {
                problems.Add($"{id} lacks {lacking}");
            }
        }

        return problems;
    }

    private static void CheckSegment(
        LogWalkedSegment segment, bool isOldest, SortedDictionary<LogStream, Followed> streams, List<string> problems)
    {
        foreach (LogBatch batch in segment.Batches)
        {
            List<LogRecord> records = segment.RecordsOf(batch);
            int bytes = records.Sum(record => record.Length);
            if (bytes != batch.BodyBytes)
            {
                problems.Add($"{segment.File} has a record that makes no sense in the batch at {batch.Offset}");
            }

            bool durable = batch.Offset == 0
                ? batch.DurableBefore.Segment < segment.Sequence || batch.DurableBefore.Offset == 0
                : batch.DurableBefore == new LogPoint(segment.Sequence, batch.Offset);
            if (!durable)
            {
                problems.Add(
                    $"{segment.File} has a batch at {batch.Offset} begun before the one before it was durable");
            }

            foreach (LogRecord record in records)
            {
                bool belongs = (record.Kind == LogRecordKind.Head) == (batch.Offset == 0 && record.Offset == 0);
                string? problem = belongs ? Follow(record, isOldest, streams) : "a head in the wrong place";
                if (problem is not null)
                {
                    problems.Add($"{segment.File} at {batch.Offset + record.Offset}: {problem}");
                }
            }
        }
    }

    private static string? Follow(
        in LogRecord record, bool isOldest, SortedDictionary<LogStream, Followed> streams)
    {
        if (record.Kind == LogRecordKind.Head)
        {
            return null;
        }

        if (!streams.TryGetValue(record.Stream, out Followed? stream))
        {
            stream = new Followed();
            streams.Add(record.Stream, stream);
        }

        string? problem = record.Kind switch
        {
            LogRecordKind.Stream => stream.Stand(record.Standing, isOldest),
            LogRecordKind.Entry => stream.Append(record.Index.Value, record.Term),
            LogRecordKind.EntryAgain => stream.Again(record.Index.Value, record.Term),
            LogRecordKind.Truncate => stream.Cut(record.Index.Value),
            LogRecordKind.Release => stream.Release(record.Index.Value, record.Term),
            LogRecordKind.Reset => stream.Reset(record.Index.Value),
            LogRecordKind.HardState => stream.Vote(record.Standing.HardState.Term),
            _ => null,
        };
        if (record.Kind == LogRecordKind.Drop)
        {
            streams.Remove(record.Stream);
        }

        return problem is null ? null : $"{record.Stream} {problem}";
    }

    /// <summary>A stream as the records say it is: just enough to tell what must not be.</summary>
    private sealed class Followed
    {
        private readonly List<(ulong Index, Term Term)> _entries = [];
        private readonly SortedDictionary<ulong, Term> _again = [];
        private Term _term;

        public ulong Base { get; private set; }

        public ulong First { get; private set; } = 1;

        private ulong Last => First + (ulong)_entries.Count - 1;

        public string? Stand(in LogStanding standing, bool isOldest)
        {
            if (isOldest)
            {
                _entries.Clear();
                _again.Clear();
                Base = standing.Base.Value;
                First = standing.Last.Value + 1;
                _term = standing.HardState.Term;
                return null;
            }

            return Base == standing.Base.Value && Last == standing.Last.Value && _term == standing.HardState.Term
                ? null
                : $"is said to stand at {standing.Base} to {standing.Last} and stands at {Base} to {Last}";
        }

        public string? Append(ulong index, Term term)
        {
            ulong expected = Last + 1;
            bool falls = _entries.Count > 0 && term < _entries[^1].Term;
            _entries.Add((index, term));
            return index != expected ? $"has entry {index} where {expected} belongs"
                : falls ? $"has entry {index} of term {term} behind one of a later term"
                : null;
        }

        /// <summary>An entry said again: it must be held, and of the same term where that is known.</summary>
        public string? Again(ulong index, Term term)
        {
            if (index <= Base || index > Last)
            {
                return $"has entry {index} again, outside of {Base} to {Last}";
            }

            if (index < First)
            {
                bool differs = _again.TryGetValue(index, out Term said) && said != term;
                _again[index] = term;
                return differs ? $"has entry {index} again, of term {term} and of term {said}" : null;
            }

            Term held = _entries[(int)(index - First)].Term;
            return held == term ? null : $"has entry {index} of term {held} again, of term {term}";
        }

        /// <summary>The entries that no segment holds; null when there are none.</summary>
        public string? Lacking()
        {
            for (ulong index = Base + 1; index < First; index++)
            {
                if (!_again.ContainsKey(index))
                {
                    return $"entry {index} of those from {Base + 1} to {First - 1}";
                }
            }

            return null;
        }

        public string? Cut(ulong from)
        {
            if (from <= Base)
            {
                return $"is cut from {from} on, below its base {Base}";
            }

            ForgetAgain(index => index >= from);

            if (from < First)
            {
                _entries.Clear();
                First = from;
            }
            else if (from <= Last)
            {
                _entries.RemoveRange((int)(from - First), _entries.Count - (int)(from - First));
            }

            return null;
        }

        public string? Release(ulong to, Term term)
        {
            if (to > Last || to < Base)
            {
                return $"is released to {to}, outside of {Base} to {Last}";
            }

            string? problem = null;
            ForgetAgain(index => index <= to);
            if (to >= First)
            {
                (_, Term held) = _entries[(int)(to - First)];
                problem = held == term ? null : $"is released to {to} of term {term}, and holds term {held} there";
                _entries.RemoveRange(0, (int)(to - First) + 1);
                First = to + 1;
            }

            Base = to;
            return problem;
        }

        public string? Reset(ulong to)
        {
            string? problem = to < Base ? $"is reset to {to}, before its base {Base}" : null;
            _entries.Clear();
            _again.Clear();
            Base = to;
            First = to + 1;
            return problem;
        }

        public string? Vote(Term term)
        {
            string? problem = term < _term ? $"has a hard state of term {term} after one of {_term}" : null;
            _term = Term.Max(_term, term);
            return problem;
        }

        private void ForgetAgain(Func<ulong, bool> which)
        {
            foreach (ulong index in _again.Keys.Where(which).ToArray())
            {
                _again.Remove(index);
            }
        }
    }
}
