using System.Collections.Immutable;

namespace Quorate.Simulator.Model;

/// <summary>What a key holds.</summary>
/// <param name="Expiry">When it expires, in milliseconds since 1970; zero when never.</param>
/// <param name="Version">A string's: that of its last write, as the log gave it; see <see cref="ModelRun"/>.</param>
internal sealed record ModelKey(ModelValue Value, long Expiry, string Version)
{
    /// <summary>A key is gone at the very millisecond of its expiry.</summary>
    public bool IsExpired(long time) => Expiry != 0 && Expiry <= time;
}

/// <summary>
/// All keys of one partition at one place in its log, and the logged time there. It never changes.
/// </summary>
/// <param name="Time">In milliseconds since 1970.</param>
internal sealed record ModelKeys(ImmutableSortedDictionary<string, ModelKey> Keys, long Time)
{
    public static readonly ModelKeys Empty =
        new(ImmutableSortedDictionary.Create<string, ModelKey>(StringComparer.Ordinal), 0);

    /// <summary>The keys that exist by the logged time.</summary>
    public IEnumerable<KeyValuePair<string, ModelKey>> Alive => Keys.Where(key => !key.Value.IsExpired(Time));
}
