using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// Joins a proposal's acknowledgement with what the state machine answered for its entry.
/// <para>Invariant: a result belongs to an entry's index and term, so that another leader's entry at the same
/// index never answers for a lost one.</para>
/// </summary>
internal sealed class PendingWrites
{
    private readonly Dictionary<RequestId, ReadToken> _places = [];
    private readonly Dictionary<ReadToken, Write> _writes = [];

    public int Count => _places.Count;

    /// <summary>A proposal was given its place in the log.</summary>
    public void Appended(in Appended appended)
    {
        if (_places.TryAdd(appended.Request, appended.Token))
        {
            _writes[appended.Token] = new Write();
        }
    }

    /// <summary>Does anyone wait for this entry's result?</summary>
    public bool Wants(Entry entry) =>
        _writes.Count > 0 && _writes.ContainsKey(new ReadToken(entry.Term, entry.Index));

    public void Applied(Entry entry, ReadOnlyMemory<byte> result)
    {
        if (_writes.TryGetValue(new ReadToken(entry.Term, entry.Index), out Write? write))
        {
            write.Result = result;
            write.IsApplied = true;
        }
    }

    /// <summary>The proposal is answered: was its entry applied here, and with what result?</summary>
    public bool Take(RequestId request, out ReadOnlyMemory<byte> result)
    {
        result = default;
        if (!_places.Remove(request, out ReadToken place) || !_writes.Remove(place, out Write? write))
        {
            return false;
        }

        result = write.Result;
        return write.IsApplied;
    }

    private sealed class Write
    {
        public ReadOnlyMemory<byte> Result { get; set; }

        public bool IsApplied { get; set; }
    }
}
