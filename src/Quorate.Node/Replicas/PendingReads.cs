using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>The reads of a replica's clients, from when they are asked until they are served or dropped.</summary>
internal sealed class PendingReads
{
    private readonly Dictionary<RequestId, Read> _reads = [];
    private int _ready;

    /// <summary>Reads that the group has not yet said may be served.</summary>
    public int Waiting => _reads.Count - _ready;

    public void Add(RequestId request) => _reads.Add(request, default);

    /// <summary>The read may be served. False when it is not known, which the group never says.</summary>
    public bool IsReady(in ReadReady ready)
    {
        if (!_reads.TryGetValue(ready.Request, out Read read))
        {
            return false;
        }

        _reads[ready.Request] = read with { Token = ready.Token, IsReady = true };
        _ready += read.IsReady ? 0 : 1;
        return true;
    }

    /// <summary>Takes a read out: what it must see at least.</summary>
    public bool Take(RequestId request, out ReadToken token)
    {
        bool isKnown = _reads.Remove(request, out Read read);
        _ready -= isKnown && read.IsReady ? 1 : 0;
        token = read.Token;
        return isKnown;
    }

    /// <summary>Is this a read that may be served?</summary>
    public bool MayServe(RequestId request) => _reads.TryGetValue(request, out Read read) && read.IsReady;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Read(ReadToken Token, bool IsReady);
}
