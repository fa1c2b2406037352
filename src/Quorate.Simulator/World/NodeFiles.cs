using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Storage.Log;

namespace Quorate.Simulator.World;

/// <summary>How the files on a node's disk are named, and what must be true of its log.</summary>
internal static class NodeFiles
{
    /// <summary>Where the node's log is.</summary>
    public const string LogPrefix = "node-";

    /// <summary>Where a replica's checkpoints are: incarnations on one disk do not mix.</summary>
    public static string Prefix(int group, ReplicaId id) => $"g{group + 1}i{id.Incarnation}-";

    public static GroupId GroupOf(int group) => new((uint)group + 1);

    public static LogStream StreamOf(int group, ReplicaId id) => new(GroupOf(group), id.Incarnation);

    /// <summary>The log has been read: it is walked from end to end, unless a bit was turned on the disk.</summary>
    public static void CheckLog(Simulation world, SimulatedNode node)
    {
        if (!world.Operator.Rot.Doubts(node.Number)
            && LogStrictCheck.Problems(LogPrefix, node.Disk.Names, file => node.Disk.Content(file) ?? default)
                is [var first, ..])
        {
            RunClaims.Break(RunClaims.StrictFiles, $"{node.Name} has opened its log, and {first}");
        }
    }
}
