using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>What a script's client asked for, and what it has been told.</summary>
internal sealed class ScriptRequest(RequestId id, string name, ReplicaId replica)
{
    public RequestId Id { get; } = id;

    /// <summary>As it is printed: <c>write x</c>, <c>read r1</c>, <c>change {1 2}</c>, <c>transfer to 2</c>.</summary>
    public string Name { get; } = name;

    public ReplicaId Replica { get; } = replica;

    public WriteLevel? WriteLevel { get; init; }

    public ReadLevel? ReadLevel { get; init; }

    public ReadToken Token { get; init; }

    /// <summary>Reads: the writes that were acknowledged when the read was asked, and may not be missed.</summary>
    public IReadOnlyList<ScriptRequest> MustSee { get; init; } = [];

    /// <summary>Writes: where the leader put it.</summary>
    public ReadToken Place { get; set; }

    /// <summary>What the client was told; null while it waits.</summary>
    public Outcome? Outcome { get; set; }
}

/// <summary>All requests of a script, by id. Ids are given in order, so a script is the same on every run.</summary>
internal sealed class ScriptRequests
{
    private readonly SortedDictionary<ulong, ScriptRequest> _all = [];
    private int _reads;

    public IEnumerable<ScriptRequest> All => _all.Values;

    public RequestId NextId => new((ulong)_all.Count + 1);

    public string NextReadName() => $"read r{++_reads}";

    public void Add(ScriptRequest request) => _all.Add(request.Id.Value, request);

    public ScriptRequest Of(RequestId id) =>
        _all.TryGetValue(id.Value, out ScriptRequest? request)
            ? request
            : throw new ScriptFailedException($"broken claim: an answer names request {id}, which nobody made");

    /// <summary>Notes the one answer that a request gets.</summary>
    public ScriptRequest Answer(RequestId id, Outcome outcome)
    {
        ScriptRequest request = Of(id);
        if (request.Outcome is not null)
        {
            throw new ScriptFailedException($"broken claim: {request.Name} is answered twice");
        }

        request.Outcome = outcome;
        return request;
    }
}
