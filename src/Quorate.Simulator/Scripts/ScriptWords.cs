using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// The words of one command: its name, plain words, and options of the form key=value. Every word must be used.
/// </summary>
internal sealed class ScriptWords
{
    private readonly Queue<string> _plain = [];
    private readonly SortedDictionary<string, string> _options = new(StringComparer.Ordinal);

    public ScriptWords(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Name = words[0];
        foreach (string word in words.Skip(1))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                _options[word[..equals]] = word[(equals + 1)..];
            }
            else
            {
                _plain.Enqueue(word);
            }
        }
    }

    public string Name { get; }

    public bool HasMore => _plain.Count > 0;

    public static ScriptFailedException Wrong(string sentence) => new(sentence);

    public static ulong Number(string word) =>
        ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number
            : throw Wrong($"'{word}' is not a number");

    /// <summary>A length of time: 250us, 100ms or 5s.</summary>
    public static Duration Time(string word)
    {
        (string unit, long factor) = word switch
        {
            _ when word.EndsWith("us", StringComparison.Ordinal) => ("us", 1L),
            _ when word.EndsWith("ms", StringComparison.Ordinal) => ("ms", 1000L),
            _ when word.EndsWith('s') => ("s", 1_000_000L),
            _ => throw Wrong($"'{word}' is not a time such as 100ms"),
        };
        return new((long)Number(word[..^unit.Length]) * factor);
    }

    /// <summary>A replica as scripts write it: 4, or 4.2 for the second incarnation.</summary>
    public static ReplicaId Replica(string word)
    {
        string[] halves = word.Split('.');
        return new((uint)Number(halves[0]), halves.Length > 1 ? (uint)Number(halves[1]) : 1);
    }

    /// <summary>A place in the log, index@term.</summary>
    public static ReadToken Token(string word)
    {
        string[] halves = word.Split('@');
        return halves.Length == 2
            ? new(new(Number(halves[1])), new(Number(halves[0])))
            : throw Wrong($"'{word}' is not of the form index@term");
    }

    public static Learner Learner(string word)
    {
        string[] halves = word.Split(':');
        LearnerKind kind = halves.ElementAtOrDefault(1) switch
        {
            null or "joining" => LearnerKind.Joining,
            "standing" => LearnerKind.Standing,
            "readonly" => LearnerKind.ReadOnly,
            string other => throw Wrong($"'{other}' is no kind of learner (joining, standing, readonly)"),
        };
        return new(Replica(halves[0]), kind);
    }

    public static WriteLevel WriteLevel(string word) => word switch
    {
        "majority" => Core.Raft.WriteLevel.Majority,
        "leader" => Core.Raft.WriteLevel.Leader,
        "all" => Core.Raft.WriteLevel.All,
        _ => Core.Raft.WriteLevel.Count((int)Number(word)),
    };

    public static ReadLevel ReadLevel(string word) => word switch
    {
        "linearizable" => Core.Raft.ReadLevel.Linearizable,
        "session" => Core.Raft.ReadLevel.Session,
        "eventual" => Core.Raft.ReadLevel.Eventual,
        _ => throw Wrong($"'{word}' is no read level (linearizable, session, eventual)"),
    };

    public string Next(string what) =>
        _plain.TryDequeue(out string? word) ? word : throw Wrong($"'{Name}' wants {what}");

    public string? TryNext() => _plain.TryDequeue(out string? word) ? word : null;

    /// <summary>Takes the word when it comes next.</summary>
    public bool Take(string word)
    {
        if (_plain.TryPeek(out string? next) && next == word)
        {
            _plain.Dequeue();
            return true;
        }

        return false;
    }

    public string? Option(string key) => _options.Remove(key, out string? value) ? value : null;

    public string[] List(string key) => Option(key)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The options that nobody has asked for yet, for commands that take settings.</summary>
    public KeyValuePair<string, string>[] RestOfOptions()
    {
        KeyValuePair<string, string>[] rest = [.. _options];
        _options.Clear();
        return rest;
    }

    public void ExpectEnd()
    {
        if (_plain.Count > 0)
        {
            throw Wrong($"'{Name}' does not know what to do with '{_plain.Peek()}'");
        }

        if (_options.Count > 0)
        {
            throw Wrong($"'{Name}' has no option '{_options.First().Key}'");
        }
    }
}
