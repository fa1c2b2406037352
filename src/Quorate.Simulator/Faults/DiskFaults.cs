using Quorate.Core.Model;
using Quorate.Simulator.Disk;
using Quorate.Simulator.World;
using Quorate.Storage.Log;
using Quorate.Storage.SSTable;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.Faults;

/// <summary>
/// What may happen to disks: a failed sync, read, write or change of a name, a turned bit, a file that is gone, no
/// space, slowness, and the loss of everything.
/// </summary>
internal sealed class DiskFaults(Simulation world, FaultDriver faults)
{
    /// <summary>A slow disk takes up to this many times as long.</summary>
    private const int SlownessMax = 100;

    private const string TableKind = "table";

    public bool Fail(SeededRandom random, DiskFailures failure)
    {
        if (faults.Victim(random) is not { } node)
        {
            return false;
        }

        faults.Note($"the next {failure} on {node.Name} fails");
        world.Operator.ExpectEnd(node.Number, mayMisread: failure == DiskFailures.Read);
        node.Disk.FailNext(failure);
        return true;
    }

    public bool Fill(SeededRandom random)
    {
        if (faults.Victim(random) is not { } node)
        {
            return false;
        }

        long time = faults.Duration(random);
        faults.Note($"the disk of {node.Name} is full for {time / 1000} ms");
        world.Operator.ExpectEnd(node.Number);
        node.Disk.SetFull(true);
        faults.Later(time, () => node.Disk.SetFull(false));
        return true;
    }

    public bool SlowDown(SeededRandom random)
    {
        SimulatedNode node = world.Nodes[random.Next(world.Nodes.Length)];
        node.DiskSlowness = random.Between(2, SlownessMax);
        long time = faults.Duration(random);
        faults.Note($"the disk of {node.Name} is {node.DiskSlowness} times as slow for {time / 1000} ms");
        faults.Later(time, () => node.DiskSlowness = 1);
        return true;
    }

    public bool Wipe(SeededRandom random)
    {
        if (faults.Victim(random) is not { } node || !world.Operator.MayLoseDisk(node.Number))
        {
            return false;
        }

        faults.Note($"{node.Name} loses its disk");
        node.Kill(powerLoss: true);
        world.Operator.Wipe(node);
        world.Operator.StartLater(node, faults.Duration(random));
        return true;
    }

    /// <summary>
    /// Turns a bit where the log promises to find it, or anywhere in the newest checkpoint: the twin's file, or the
    /// manifest of a store and the tables that it names.
    /// </summary>
    public bool FlipBit(SeededRandom random)
    {
        // One bit at a time: which of two is found first nobody can say.
        if (faults.Victim(random) is not { } node
            || !world.Operator.MayLoseDisk(node.Number)
            || world.Operator.Rot.Doubts(node.Number))
        {
            return false;
        }

        node.Kill(powerLoss: true);
        world.Operator.StartLater(node, faults.Duration(random));
        // The kind of file is drawn first: most files are tables, most bytes are the log's.
        IGrouping<string, (string File, long Length)>[] kinds =
            [.. Promised(node).GroupBy(range => KindOf(range.File), StringComparer.Ordinal)];
        if (kinds.Length == 0)
        {
            return false;
        }

        (string File, long Length)[] ranges = [.. kinds[random.Next(kinds.Length)]];
        (string file, long length) = ranges[random.Next(ranges.Length)];
        long dataBytes = KindOf(file) != TableKind ? 0
            : SSTableInspector.DataBytes(node.Disk.DurableContent(file) ?? default) ?? 0;
        bool aimsAtRows = dataBytes > 0 && random.Next(3) > 0;
        if (node.Disk.FlipBit(random, file, aimsAtRows ? dataBytes : length) is not { } offset)
        {
            return false;
        }

        // A block of rows is verified when it is read, all else when the process starts.
        bool isInRows = offset < dataBytes;
        faults.Note($"a bit of {file} on {node.Name} turns at byte {offset}{(isInRows ? ", in its rows" : "")}");
        world.Operator.Rot.Flipped(node.Number, file, isInRows);
        return true;
    }

    /// <summary>
    /// Takes a file away while the process is down. Without what the newest manifest names, and without the log's mark
    /// and its newest segment, no node may start; of all else its recovery has to find out whether it is needed.
    /// </summary>
    public bool LoseFile(SeededRandom random)
    {
        if (faults.Victim(random) is not { } node
            || !world.Operator.MayLoseDisk(node.Number)
            || world.Operator.Rot.Doubts(node.Number))
        {
            return false;
        }

        node.Kill(powerLoss: true);
        world.Operator.StartLater(node, faults.Duration(random));
        IGrouping<string, string>[] kinds = [.. node.Disk.DurableNames.GroupBy(KindOf, StringComparer.Ordinal)];
        if (kinds.Length == 0)
        {
            return false;
        }

        string[] files = [.. kinds[random.Next(kinds.Length)]];
        string file = files[random.Next(files.Length)];
        bool mustBeMissed = Needed(node).Contains(file, StringComparer.Ordinal);
        node.Disk.Lose(file);
        faults.Note($"{file} is gone from {node.Name}{(mustBeMissed ? ", which needs it" : "")}");
        world.Operator.Rot.Taken(node.Number, file, mustBeMissed);
        return true;
    }

    private static string KindOf(string file) =>
        LogInspector.IsSegment(NodeFiles.LogPrefix, file) ? "log"
        : file.EndsWith(".sst", StringComparison.Ordinal) ? TableKind
        : "checkpoint";

    /// <summary>The checkpoint that a start would trust: the last by name that is whole.</summary>
    private static string? NewestCheckpoint(SimulatedNode node, string prefix) =>
        node.Disk.DurableNames.LastOrDefault(name =>
            name.StartsWith(prefix + "checkpoint-", StringComparison.Ordinal)
            && !name.EndsWith(".saving", StringComparison.Ordinal)
            && !name.EndsWith(".receiving", StringComparison.Ordinal));

    /// <summary>The files without which the node must not start, whatever the others hold.</summary>
    private IEnumerable<string> Needed(SimulatedNode node)
    {
        if (LogInspector.NewestSegment(NodeFiles.LogPrefix, node.Disk.DurableContent) is { } newest)
        {
            yield return LogInspector.MarkOf(NodeFiles.LogPrefix);
            yield return newest;
        }

        for (int group = 0; group < world.Placements.Length; group++)
        {
            if (world.Placements[group].On(node.Number) is { } placed)
            {
                IReadOnlyList<string> inUse = StoreInspector.FilesInUse(
                    NodeFiles.Prefix(group, placed.Id), node.Disk.DurableNames, file => node.Disk.DurableContent(file));
                foreach (string table in inUse.Skip(1))
                {
                    yield return table;
                }
            }
        }
    }

    private List<(string File, long Length)> Promised(SimulatedNode node)
    {
        var ranges = new List<(string, long)>();
        IReadOnlyList<DurableRange> found = LogInspector.KnownDurable(
            NodeFiles.LogPrefix, node.Disk.DurableNames, file => node.Disk.DurableContent(file) ?? default);
        ranges.AddRange(found.Select(range => (range.File, range.Length)));
        for (int group = 0; group < world.Placements.Length; group++)
        {
            if (world.Placements[group].On(node.Number) is { } placed)
            {
                string prefix = NodeFiles.Prefix(group, placed.Id);
                IReadOnlyList<string> store = StoreInspector.FilesInUse(
                    prefix, node.Disk.DurableNames, file => node.Disk.DurableContent(file));
                foreach (string file in NewestCheckpoint(node, prefix) is { } checkpoint ? [checkpoint] : store)
                {
                    ranges.Add((file, node.Disk.DurableContent(file)?.Length ?? 0));
                }
            }
        }

        return ranges;
    }
}
