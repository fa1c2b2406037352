using System.Collections.Immutable;
using System.Globalization;

namespace Quorate.Simulator.Model;

/// <summary>
/// Runs commands on the reference model: what Redis documents for each, on plain collections, written without a look
/// at the product's commands. It knows the time that the log says and nothing of rows, caches or disks.
/// </summary>
/// <param name="before">The keys as they were.</param>
/// <param name="time">The time that the commands see, in milliseconds since 1970.</param>
internal sealed class ModelRun(ModelKeys before, long time)
{
    private ImmutableSortedDictionary<string, ModelKey> _keys = before.Keys;

    /// <summary>The version of a key that does not exist.</summary>
    public const string NoVersion = "0";

    public long Time { get; } = time;

    /// <summary>
    /// The version that a string has after its next write: the model does not compute versions, it is told the log's.
    /// </summary>
    public Func<string, string> VersionOf { get; init; } = _ => NoVersion;

    /// <summary>What was answered, for the commands that choose by chance; see <see cref="ModelChoices"/>.</summary>
    public string? Given { get; set; }

    /// <summary>Whether a leader may have forgotten the term of a version when it answered.</summary>
    public Func<string, bool> MayForgetTerm { get; init; } = _ => false;

    /// <summary>A compare-and-set failed though the version was the right one: its term was forgotten.</summary>
    public bool HasForgotten { get; private set; }

    public ModelKeys After => new(_keys, Time);

    /// <summary>
    /// One command; null when the model does not know it. An unknown option is the workload's fault, and thrown.
    /// </summary>
    public string? Do(IReadOnlyList<string> words)
    {
        string name = words[0].ToUpperInvariant();
        return ModelStrings.Do(this, name, words)
            ?? ModelGeneric.Do(this, name, words)
            ?? ModelHashes.Do(this, name, words)
            ?? ModelSets.Do(this, name, words)
            ?? ModelAlgebra.Do(this, name, words)
            ?? ModelChoices.Do(this, name, words)
            ?? ModelLists.Do(this, name, words)
            ?? ModelSortedSets.Do(this, name, words)
            ?? ModelJson.Do(this, name, words)
            ?? ModelEntries.Do(this, name, words);
    }

    /// <summary>Commands that are answered together: one reply, or an array of them for a batch.</summary>
    public string? Do(IReadOnlyList<string[]> lines, bool isBatch)
    {
        if (!isBatch)
        {
            return Do(lines[0]);
        }

        List<string>? given = Given is null ? null : ModelReply.Parts(Given);
        var replies = new List<string>(lines.Count);
        for (int i = 0; i < lines.Count; i++)
        {
            Given = given is not null && i < given.Count ? given[i] : null;
            if (Do(lines[i]) is not { } reply)
            {
                return null;
            }

            replies.Add(reply);
        }

        return ModelReply.Array(replies);
    }

    /// <summary>What a key holds; null when it is absent or expired.</summary>
    public ModelKey? Find(string key) =>
        _keys.TryGetValue(key, out ModelKey? found) && !found.IsExpired(Time) ? found : null;

    /// <summary>
    /// The key's value of the wanted type, or what stands for an absent one; false when it has another type.
    /// </summary>
    public bool Find<TValue>(string key, TValue? absent, out TValue? value)
        where TValue : ModelValue
    {
        ModelKey? found = Find(key);
        value = found is null ? absent : found.Value as TValue;
        return found is null || value is not null;
    }

    /// <summary>Writes a key and keeps its expiry; an empty collection is a deletion.</summary>
    public void Change(string key, ModelValue value) => Set(key, value, Find(key)?.Expiry ?? 0);

    public void Set(string key, ModelValue value, long expiry)
    {
        if (value.IsEmpty || (expiry != 0 && expiry <= Time))
        {
            Delete(key);
        }
        else
        {
            string version = value is TextValue ? VersionOf(key) : NoVersion;
            _keys = _keys.SetItem(key, new ModelKey(value, expiry, version));
        }
    }

    public bool Delete(string key)
    {
        bool was = Find(key) is not null;
        _keys = _keys.Remove(key);
        return was;
    }

    /// <summary>False when nobody may have forgotten the term of that version.</summary>
    public bool NoteForgotten(string version)
    {
        HasForgotten |= MayForgetTerm(version);
        return HasForgotten;
    }

    public void DeleteAll() => _keys = _keys.Clear();

    public int CountAlive() => _keys.Count(key => !key.Value.IsExpired(Time));

    /// <summary>A 64-bit integer in the form in which Redis takes one: no plus, no zeros before it.</summary>
    public static bool TryInteger(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
        && value.ToString(CultureInfo.InvariantCulture) == text;

    public static long Integer(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>False when the sum does not fit.</summary>
    public static bool TryAdd(long a, long b, out long sum)
    {
        sum = unchecked(a + b);
        return ((a ^ sum) & (b ^ sum)) >= 0;
    }
}
