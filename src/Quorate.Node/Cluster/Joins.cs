using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Cluster.Forming.Wire;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// Answers those who do not belong to a cluster yet: a founder is told what it was founded as, anyone else is let in
/// when it asks, by the metadata group. They ask again until they are told their id.
/// </summary>
internal sealed class Joins(ClusterParts parts, MetadataCalls calls)
{
    private readonly SortedDictionary<ulong, (string Sentence, Instant Until)> _refusals = [];
    private readonly SortedSet<ulong> _asked = [];

    public byte[] Answer(ReadOnlySpan<byte> question)
    {
        FormationQuestion asked;
        try
        {
            asked = FormationQuestion.Parser.ParseFrom(question);
        }
        catch (InvalidProtocolBufferException)
        {
            return [];
        }

        ClusterIdentity identity = parts.Place.Identity;
        var answer = new FormationAnswer
        {
            Self = parts.Place.Self,
            Cluster = ByteString.CopyFrom(identity.Cluster.ToByteArray()),
        };
        if (asked.Self is not { Instance: > 0 } node)
        {
            return answer.ToByteArray();
        }

        NodeRecord? founder = identity.IsFounder
            ? identity.Founders.FirstOrDefault(each => each.Instance == node.Instance)
            : null;
        NodeRecord? member = parts.View.State.Nodes.FirstOrDefault(each => each.Instance == node.Instance);
        if (founder is not null)
        {
            answer.Node = founder.Id;
            answer.IsFounder = true;
            answer.Nodes.AddRange(identity.Founders);
        }
        else if (member is { State: not NodeState.Removed } && parts.View.Version > 0)
        {
            answer.Node = member.Id;
            answer.Nodes.AddRange(parts.View.State.Nodes.Where(each => each.State != NodeState.Removed));
        }
        else if (_refusals.TryGetValue(node.Instance, out (string Sentence, Instant Until) refusal)
            && parts.Now < refusal.Until)
        {
            answer.Refusal = refusal.Sentence;
        }
        else if (asked.Joins)
        {
            LetIn(node);
        }

        return answer.ToByteArray();
    }

    private void LetIn(NodeRecord node)
    {
        // Before the founders are all written down their ids could be given to another.
        if (parts.View.State.NextKeyspace <= 1 || _asked.Count >= parts.Settings.Routing.MetadataCallsMax
            || !_asked.Add(node.Instance))
        {
            return;
        }

        var command = new MetadataCommand { AddNode = new() { Node = node } };
        calls.Submit(command, parts.Now + parts.Settings.DutyDeadline, (outcome, result) =>
        {
            _asked.Remove(node.Instance);
            Forget();
            if (outcome == Outcome.Done && result is { Refusal.Length: > 0 }
                && _refusals.Count < parts.Settings.Metadata.NodesMax)
            {
                _refusals[node.Instance] = (result.Refusal, parts.Now + parts.Settings.RefusalKept);
            }
        });
    }

    /// <summary>What refused a node may have changed: after a while it is asked again.</summary>
    private void Forget()
    {
        foreach (ulong instance in _refusals.Where(each => each.Value.Until <= parts.Now).Select(e => e.Key).ToArray())
        {
            _refusals.Remove(instance);
        }
    }
}
