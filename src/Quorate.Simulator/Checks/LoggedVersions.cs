using System.Globalization;
using Quorate.Core.Raft;
using Quorate.Simulator.Model;
using Quorate.Simulator.Workload;
using Quorate.Storage.Rows;

namespace Quorate.Simulator.Checks;

/// <summary>
/// The versions that an entry gives its writes of strings, key by key in order. A version is a place in the log, so no
/// model can know it; that it is used as promised (no two writes share one, each compare-and-set takes the newest) the
/// model judges.
/// </summary>
internal sealed class LoggedVersions(ReadToken place, ReadOnlyMemory<byte> changes)
{
    private readonly Dictionary<string, int> _next = [];

    /// <summary>A key that the model wrote and the entry did not; null when there is none.</summary>
    public string? Missing { get; private set; }

    /// <summary>The version of the key's next write in this entry.</summary>
    public string Next(string key)
    {
        byte[] rowKey = RowKey.Of(ValueRequest.Bytes(key));
        int from = _next.GetValueOrDefault(key);
        int ordinal = 0;
        RowChangeReader reader = RowChanges.Read(changes.Span);
        while (reader.TryNext(out RowChange change))
        {
            bool isText = change.Type is RowType.Text or RowType.Integer or RowType.JsonScalar;
            if (isText && ordinal >= from
                && change.RowKey.SequenceEqual(rowKey))
            {
                _next[key] = ordinal + 1;
                return string.Create(CultureInfo.InvariantCulture, $"{place.Term}-{place.Index}-{ordinal}");
            }

            ordinal++;
        }

        Missing ??= key;
        return ModelRun.NoVersion;
    }
}
