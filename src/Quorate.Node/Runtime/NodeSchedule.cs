using System.Diagnostics.CodeAnalysis;
using Quorate.Core.Model;

namespace Quorate.Node.Runtime;

/// <summary>
/// Which partitions wait for their turn, and which for a moment in time. Those that wait for nothing are not in it, so
/// they cost nothing.
/// </summary>
internal sealed class NodeSchedule(INodeHost host)
{
    private readonly Queue<PartitionShell> _turns = new();
    private readonly SortedSet<(Instant At, GroupId Group)> _moments = [];
    private readonly SortedDictionary<GroupId, PartitionShell> _shells = [];
    private Instant _nodeDeadline = Instant.Never;
    private Instant _told = Instant.Never;
    private bool _turnIsAsked;

    public void AskForTurn(PartitionShell shell)
    {
        _turns.Enqueue(shell);
        if (!_turnIsAsked)
        {
            _turnIsAsked = true;
            host.TurnWaits();
        }
    }

    /// <summary>A turn begins; how many partitions wait for it.</summary>
    public int BeginTurn()
    {
        _turnIsAsked = false;
        return _turns.Count;
    }

    /// <summary>The turn ends before all partitions had theirs; another follows.</summary>
    public void GoOnLater()
    {
        if (_turns.Count > 0 && !_turnIsAsked)
        {
            _turnIsAsked = true;
            host.TurnWaits();
        }
    }

    /// <summary>The node's own moment has come, whatever the partitions do.</summary>
    public bool NodeIsDue(Instant now) => now >= _nodeDeadline;

    public PartitionShell TakeTurn() => _turns.Dequeue();

    public void SetDeadline(PartitionShell shell, Instant before, Instant deadline)
    {
        _moments.Remove((before, shell.Group));
        if (deadline == Instant.Never)
        {
            _shells.Remove(shell.Group);
        }
        else
        {
            _moments.Add((deadline, shell.Group));
            _shells[shell.Group] = shell;
        }

        Tell();
    }

    public bool TryTakeDue(Instant now, [NotNullWhen(true)] out PartitionShell? shell)
    {
        shell = null;
        if (_moments.Count == 0 || _moments.Min.At > now)
        {
            return false;
        }

        shell = _shells[_moments.Min.Group];
        _moments.Remove(_moments.Min);
        shell.DeadlineCame();
        return true;
    }

    /// <summary>When the node itself has something to do.</summary>
    public void SetNodeDeadline(Instant deadline)
    {
        _nodeDeadline = deadline;
        Tell();
    }

    /// <summary>Tells the host the next moment, when that is another one.</summary>
    public void Tell()
    {
        Instant next = _moments.Count == 0 ? _nodeDeadline : Instant.Min(_nodeDeadline, _moments.Min.At);
        if (next != _told)
        {
            _told = next;
            host.SetDeadline(next);
        }
    }
}

/// <summary>
/// The partitions whose stores may have something to do in the background, in turn. A partition is in it once, from
/// when something happened to it until it says that there is no more.
/// </summary>
internal sealed class WorkRotation(INodeHost host, int partitionsMax)
{
    private readonly Queue<PartitionShell> _waiting = new();

    public void Add(PartitionShell shell)
    {
        if (shell.MayHaveWork || shell.HasLeft)
        {
            return;
        }

        shell.MayHaveWork = true;
        _waiting.Enqueue(shell);
        if (_waiting.Count == 1)
        {
            host.WorkWaits();
        }
    }

    /// <summary>True when there is more to do.</summary>
    public bool Run(int budgetBytes)
    {
        for (int count = Math.Min(_waiting.Count, partitionsMax); count > 0; count--)
        {
            PartitionShell shell = _waiting.Dequeue();
            shell.MayHaveWork = false;
            if (!shell.HasLeft && shell.Partition.Work(budgetBytes))
            {
                shell.MayHaveWork = true;
                _waiting.Enqueue(shell);
            }
        }

        return _waiting.Count > 0;
    }
}
