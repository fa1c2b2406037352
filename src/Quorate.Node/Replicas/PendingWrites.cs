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
        }
    }

    /// <summary>The proposal is answered; its result, or empty when the entry is not applied here yet.</summary>
    public ReadOnlyMemory<byte> Take(RequestId request)
    {
        if (_places.Remove(request, out ReadToken place) && _writes.Remove(place, out Write? write))
        {
            return write.Result;
        }

        return default;
    }

    private sealed class Write
    {
        public ReadOnlyMemory<byte> Result { get; set; }
    }
}
