using Quorate.Simulator.Checks;
using Quorate.Storage.Log;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>
/// Knows where bits were turned and which files were taken away, and demands that each is found: at the start of the
/// process, or, of a bit in a block of rows, when the block is read. A file that nothing needs may be missed by nobody:
/// then all the other claims judge whether that is so.
/// </summary>
internal sealed class RotWatch(Simulation world)
{
    private readonly bool[] _flipped = new bool[world.Plan.Nodes];
    private readonly string[] _rotten = new string[world.Plan.Nodes];
    private readonly bool[] _isInRows = new bool[world.Plan.Nodes];
    private readonly bool[] _isGone = new bool[world.Plan.Nodes];
    private readonly bool[] _mustBeMissed = new bool[world.Plan.Nodes];

    /// <summary>
    /// A bit was turned in a file of the node where that must be found; its disk counts as lost until then.
    /// </summary>
    /// <param name="node">Its number.</param>
    /// <param name="file">Where the bit was turned.</param>
    /// <param name="isInRows">In a block of rows of a table, which is verified only when it is read.</param>
    public void Flipped(int node, string file, bool isInRows)
    {
        _flipped[node] = true;
        _rotten[node] = file;
        _isInRows[node] = isInRows;
        _isGone[node] = false;
    }

    /// <summary>
    /// A file was taken from a node whose process is down; its disk counts as lost until it has started.
    /// </summary>
    /// <param name="node">Its number.</param>
    /// <param name="file">The file.</param>
    /// <param name="mustBeMissed">No node may start without it.</param>
    public void Taken(int node, string file, bool mustBeMissed)
    {
        Flipped(node, file, isInRows: false);
        _isGone[node] = true;
        _mustBeMissed[node] = mustBeMissed;
    }

    /// <summary>
    /// After everything healed: has every node with a bit turned in a block of rows found it, or let the file go? Its
    /// replica is made to read all its rows; one that has read them all and runs has not looked.
    /// </summary>
    public bool IsSettled()
    {
        bool isSettled = true;
        foreach (SimulatedNode node in world.Nodes)
        {
            if (!_flipped[node.Number])
            {
                continue;
            }

            isSettled = false;
            if (!_isGone[node.Number]
                && _isInRows[node.Number]
                && !IsGone(node)
                && Holder(node) is { Replica.IsRunning: true, StateHash: not null })
            {
                RunClaims.Break(
                    RunClaims.RotFound,
                    $"{node.Name} has read all its rows with a bit turned in a block of {_rotten[node.Number]}");
            }
        }

        return isSettled;
    }

    /// <summary>Does the node still have to prove what its disk holds?</summary>
    public bool Doubts(int node) => _flipped[node];

    /// <summary>Does any node with a replica of the group still have to prove what its disk holds?</summary>
    public bool DoubtsAny(int group)
    {
        for (int node = 0; node < _flipped.Length; node++)
        {
            if (_flipped[node] && world.Placements[group].On(node) is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The process runs. What it read to start is proved; a block of rows is doubted while it is there.
    /// </summary>
    public void Look(SimulatedNode node)
    {
        if (!_flipped[node.Number])
        {
            return;
        }

        if (_isGone[node.Number])
        {
            CheckIsMissed(node);
            _flipped[node.Number] = false;
        }
        else if (!_isInRows[node.Number])
        {
            CheckIsFound(node);
            _flipped[node.Number] = false;
        }
        else if (IsGone(node))
        {
            _flipped[node.Number] = false;
        }
    }

    /// <summary>The node's disk was wiped.</summary>
    public void Forget(int node) => _flipped[node] = false;

    /// <summary>Whether a process that ends by itself does so for its turned bit.</summary>
    /// <param name="node">Its node.</param>
    /// <param name="sentence">What it says.</param>
    /// <param name="isDue">Another fault explains the end.</param>
    public bool IsFoundBy(SimulatedNode node, string sentence, bool isDue)
    {
        if (!_flipped[node.Number] || (_isInRows[node.Number] && isDue))
        {
            return false;
        }

        if (_isGone[node.Number])
        {
            return IsMissedBy(node, sentence, isDue);
        }

        if (_isInRows[node.Number] && !sentence.Contains(_rotten[node.Number], StringComparison.Ordinal))
        {
            RunClaims.Break(
                RunClaims.RotFound,
                $"{node.Name} ended with a bit turned in {_rotten[node.Number]}, but says: {sentence}");
        }

        return true;
    }

    /// <summary>
    /// Who is gone is named. Of a whole checkpoint or manifest that is gone the log tells, which begins behind it; and
    /// where the segment behind a lost one is torn, the log names that one.
    /// </summary>
    private bool IsMissedBy(SimulatedNode node, string sentence, bool isDue)
    {
        string file = _rotten[node.Number];
        bool isMissed = sentence.Contains(file, StringComparison.Ordinal)
            || (!IsOfReplica(file) && sentence.Contains("can not prove what it holds", StringComparison.Ordinal))
            || (IsCheckpoint(file) && sentence.StartsWith("The log begins after entry", StringComparison.Ordinal));
        if (isMissed)
        {
            world.Judgements.Note(Judgements.FilesMissed);
            return true;
        }

        if (!isDue)
        {
            RunClaims.Break(
                RunClaims.RotFound, $"{node.Name} ended without its file {file}, but says: {sentence}");
        }

        return false;
    }

    private static bool IsCheckpoint(string file) =>
        file.Contains("manifest-", StringComparison.Ordinal) || file.Contains("checkpoint-", StringComparison.Ordinal);

    private void CheckIsMissed(SimulatedNode node)
    {
        string file = _rotten[node.Number];
        if (_mustBeMissed[node.Number] && (!IsOfReplica(file) || Holder(node) is not null))
        {
            RunClaims.Break(RunClaims.RotFound, $"{node.Name} runs without its file {file}");
        }

        world.Judgements.Note(Judgements.FilesUnneeded);
    }

    private static bool IsOfReplica(string file) => !file.StartsWith(NodeFiles.LogPrefix, StringComparison.Ordinal);

    /// <summary>A replica that runs with a turned bit in what it promised to prove has not looked.</summary>
    private void CheckIsFound(SimulatedNode node)
    {
        string rotten = _rotten[node.Number];
        if (LogInspector.IsSegment(NodeFiles.LogPrefix, rotten) || Holder(node) is not null)
        {
            RunClaims.Break(RunClaims.RotFound, $"{node.Name} runs with a bit turned in {rotten}");
        }
    }

    /// <summary>The replica whose checkpoint's file the turned bit is in, if it is still on the node.</summary>
    private SimulatedReplica? Holder(SimulatedNode node)
    {
        for (int group = 0; group < node.Replicas.Length; group++)
        {
            if (node.Replicas[group] is { } placed
                && _rotten[node.Number].StartsWith(
                    NodeFiles.Prefix(group, placed.Id), StringComparison.Ordinal))
            {
                return placed;
            }
        }

        return null;
    }

    /// <summary>
    /// No checkpoint names the file any more; it may be held yet for a transfer, whose receiver verifies it.
    /// </summary>
    private bool IsGone(SimulatedNode node)
    {
        string file = _rotten[node.Number];
        string prefix = file[..(file.IndexOf('-', StringComparison.Ordinal) + 1)];
        return Holder(node) is null
            || !StoreInspector.FilesInUse(prefix, node.Disk.Names, name => node.Disk.Content(name)).Contains(
                file, StringComparer.Ordinal);
    }
}
