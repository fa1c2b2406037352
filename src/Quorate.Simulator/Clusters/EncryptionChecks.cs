using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Simulator.Checks;
using Quorate.Storage.Stores;
using NodeState = Quorate.Simulator.World.NodeState;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// What must hold of encrypted keyspaces: nothing of theirs lies on any disk in the clear; every table's data key is in
/// the metadata; and once a key has been exchanged, the tables of before are written again and no longer need the old
/// one.
/// </summary>
internal sealed class EncryptionChecks(ClusterWorld world)
{
    /// <summary>Goes through all bytes of all disks.</summary>
    public void CheckPlaintext()
    {
        bool isJudged = false;
        foreach (ClusterMachine machine in world.Machines)
        {
            foreach (string file in machine.Disk.Names)
            {
                isJudged |= CheckPlaintext(machine, file);
            }
        }

        if (isJudged)
        {
            world.Judgements.Note(ClusterJudgements.NoPlaintext);
        }
    }

    /// <summary>True when there is something to look for, and the search shows what is not encrypted.</summary>
    private bool CheckPlaintext(ClusterMachine machine, string file)
    {
        ReadOnlyMemory<byte> content = machine.Disk.Content(file) ?? default;
        foreach (uint keyspace in world.Admin.Encrypted)
        {
            foreach (string begin in new[] { ClusterCall.KeysBegin(keyspace), ClusterCall.ValuesBegin(keyspace) })
            {
                if (Find(content, begin) is int at and >= 0)
                {
                    RunClaims.Break(
                        RunClaims.NoPlaintext,
                        $"{machine.Name} has '{begin}' of an encrypted keyspace in {file}, at byte {at}, in the clear");
                }
            }
        }

        // What is not encrypted is found, or else nothing would be.
        bool isShown = world.Checks.Newest!.Keyspaces.Any(
            keyspace => !keyspace.Encrypted && Find(content, ClusterCall.KeysBegin(keyspace.Id)) >= 0);
        return isShown && world.Admin.Encrypted.Count > 0;
    }

    private static int Find(ReadOnlyMemory<byte> content, string text) =>
        content.Span.IndexOf(Encoding.ASCII.GetBytes(text));

    /// <summary>Why some table of a keyspace that lives still needs a key that was exchanged; or null.</summary>
    public string? WhyNotRewritten()
    {
        MetadataState state = world.Checks.Newest!;
        bool isJudged = false;
        foreach (ClusterMachine machine in world.Machines.Where(each => each is { State: NodeState.Up, Node: { } }))
        {
            foreach ((GroupId group, string file, uint keyId) in TablesOf(machine))
            {
                PartitionRecord? row = state.Partitions.FirstOrDefault(each => each.Group == (uint)group.Value);
                if (row is null || keyId == 0)
                {
                    continue;
                }

                DataKeyRecord? key = state.DataKeys.FirstOrDefault(each => each.Id == keyId);
                if (key is null || key.Keyspace != row.Keyspace)
                {
                    RunClaims.Break(
                        RunClaims.KeysStay,
                        $"{machine.Name} needs data key {keyId} for {file} of keyspace {row.Keyspace}, and the "
                            + $"metadata has {(key is null ? "no such key" : $"it for keyspace {key.Keyspace}")}");
                }

                if (key.Retired)
                {
                    return $"{machine.Name} still needs data key {keyId}, which was exchanged, for {file}";
                }

                isJudged |= state.DataKeys.Any(each => each.Keyspace == row.Keyspace && each.Retired);
            }
        }

        if (isJudged)
        {
            world.Judgements.Note(ClusterJudgements.Rewritten);
        }

        return null;
    }

    /// <summary>A process is about to start: does anything on its disk need a key that was exchanged?</summary>
    public void Starting(ClusterMachine machine)
    {
        if (world.Checks.Newest is { } state
            && TablesOf(machine).Any(table => state.DataKeys.Any(key => key.Id == table.KeyId && key.Retired)))
        {
            world.Judgements.Note(ClusterJudgements.FormerKeys);
        }
    }

    /// <summary>The tables that the newest manifests on a machine name.</summary>
    private static IEnumerable<(GroupId Group, string File, uint KeyId)> TablesOf(ClusterMachine machine)
    {
        var prefixes = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string name in machine.Disk.Names)
        {
            if (StartFiles.TryParse(name, out GroupId group, out _)
                && prefixes.Add(name[..(name.IndexOf('-', StringComparison.Ordinal) + 1)]))
            {
                string prefix = name[..(name.IndexOf('-', StringComparison.Ordinal) + 1)];
                foreach ((string file, uint keyId) in
                    StoreInspector.TablesInUse(prefix, machine.Disk.Names, machine.Disk.Content))
                {
                    yield return (group, file, keyId);
                }
            }
        }
    }
}
