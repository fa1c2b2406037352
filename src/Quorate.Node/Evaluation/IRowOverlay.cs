using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>
/// Changes laid over another source of rows, as if they had been applied: the leader's proposed and not yet applied
/// entries over the applied rows, and the changes of a command under evaluation over those.
/// <para>Invariant: looking through it gives what the source would give after applying the changes in order.</para>
/// </summary>
public interface IRowOverlay : IRowSource
{
    /// <summary>Lays a change on top, as the write of this version.</summary>
    void Change(in RowChange change, RowVersion version);

    /// <summary>
    /// Forgets changes of entries up to this index: the source has applied them. A newer change of the same row stays.
    /// </summary>
    void Applied(LogIndex index);

    /// <summary>Forgets changes after a version: what was proposed has come to nothing.</summary>
    void CutAfter(RowVersion version);

    void Clear();

    /// <summary>Changes that are held.</summary>
    int Count { get; }
}
