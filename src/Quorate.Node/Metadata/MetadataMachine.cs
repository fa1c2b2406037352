using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Replicas;

namespace Quorate.Node.Metadata;

/// <summary>
/// <see cref="ClusterMetadata"/> as the state machine of the metadata group, and the push of its changes: who listens
/// is told after each command that has changed something.
/// <para>Invariant: a command that this build does not know, or a state that it can not read, ends the replica and is
/// not passed over.</para>
/// </summary>
public sealed class MetadataMachine(ClusterMetadata metadata, Action<ClusterMetadata>? changed = null) : IStateMachine
{
    public string? Problem { get; private set; }

    public ulong StateHash => KeyHash.Of(metadata.Encode());

    public ReadOnlyMemory<byte> Apply(Entry entry, bool resultWanted)
    {
        if (entry.Kind != EntryKind.Data || Problem is not null)
        {
            return default;
        }

        MetadataResult? result = metadata.Apply(entry.Index, entry.Payload.Span);
        if (result is null)
        {
            Problem = $"Entry {entry.Index} of the metadata group is of a kind that this build does not know: start "
                + "this node with the build of the node that wrote it, or a newer one.";
            return default;
        }

        if (result.Refusal.Length == 0)
        {
            changed?.Invoke(metadata);
        }

        return resultWanted ? result.ToByteArray() : default;
    }

    public byte[] Snapshot() => metadata.Encode();

    public void Load(ReadOnlyMemory<byte> state)
    {
        if (metadata.TryLoad(state.Span))
        {
            changed?.Invoke(metadata);
        }
        else
        {
            Problem = "The checkpoint of the metadata group is whole but this build can not read it: start this node "
                + "with the build that wrote it, or a newer one.";
        }
    }
}
