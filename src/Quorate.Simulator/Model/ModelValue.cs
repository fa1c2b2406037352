using System.Collections.Immutable;

namespace Quorate.Simulator.Model;

/// <summary>
/// A value of the reference model. Bytes are strings of one char per byte (Latin-1), so that ordinal order is the
/// order of bytes. Values never change; a write makes another one, so every past state stays at hand.
/// </summary>
internal abstract record ModelValue
{
    /// <summary>As TYPE says it.</summary>
    public abstract string TypeName { get; }

    /// <summary>A collection without elements does not exist.</summary>
    public virtual bool IsEmpty => false;
}

/// <summary>A string; an integer is the string of its digits.</summary>
internal sealed record TextValue(string Text) : ModelValue
{
    public override string TypeName => "string";
}

/// <summary>A JSON document, by its text.</summary>
internal sealed record JsonValue(string Text) : ModelValue
{
    public override string TypeName => "json";
}

/// <summary>A hash: field → value.</summary>
internal sealed record HashValue(ImmutableSortedDictionary<string, string> Fields) : ModelValue
{
    public static readonly HashValue Empty = new(ImmutableSortedDictionary.Create<string, string>(
        StringComparer.Ordinal));

    public override string TypeName => "hash";

    public override bool IsEmpty => Fields.IsEmpty;
}

/// <summary>A set.</summary>
internal sealed record SetValue(ImmutableSortedSet<string> Members) : ModelValue
{
    public static readonly SetValue Empty = new(ImmutableSortedSet.Create<string>(StringComparer.Ordinal));

    public override string TypeName => "set";

    public override bool IsEmpty => Members.IsEmpty;
}

/// <summary>A list, head first.</summary>
internal sealed record ListValue(ImmutableList<string> Elements) : ModelValue
{
    public static readonly ListValue Empty = new(ImmutableList<string>.Empty);

    public override string TypeName => "list";

    public override bool IsEmpty => Elements.IsEmpty;
}

/// <summary>A sorted set: member → score.</summary>
internal sealed record SortedSetValue(ImmutableSortedDictionary<string, double> Scores) : ModelValue
{
    public static readonly SortedSetValue Empty = new(ImmutableSortedDictionary.Create<string, double>(
        StringComparer.Ordinal));

    public override string TypeName => "zset";

    public override bool IsEmpty => Scores.IsEmpty;

    /// <summary>By score, those of one score by member.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> InOrder() =>
        [.. Scores.OrderBy(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)];
}
