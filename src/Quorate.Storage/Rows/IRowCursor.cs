namespace Quorate.Storage.Rows;

/// <summary>Where a cursor over rows stands.</summary>
public enum CursorState : byte
{
    /// <summary>Behind the last row of its range.</summary>
    End,

    /// <summary>At a row.</summary>
    Row,

    /// <summary>
    /// The next row is not in memory. Whoever drives the cursor fetches what it lacks, then calls
    /// <see cref="IRowCursor.Resume"/>, or begins again.
    /// </summary>
    Cold,
}

/// <summary>
/// Goes through rows in the order of their row keys, up or down; tombstones are rows here. What a cursor shows holds
/// until it moves, and no longer than what it stands on stays unchanged.
/// </summary>
public interface IRowCursor
{
    CursorState State { get; }

    /// <summary>The row key it stands at.</summary>
    ReadOnlySpan<byte> RowKey { get; }

    /// <summary>The row it stands at.</summary>
    Row Row { get; }

    /// <summary>Goes to the first row of a range; of a descending one, to its last.</summary>
    CursorState Start(in RowRange range);

    /// <summary>Goes to the next row of the range, in its direction.</summary>
    CursorState Next();

    /// <summary>Tries again what was cold.</summary>
    CursorState Resume();
}
