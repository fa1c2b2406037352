using System.Diagnostics.CodeAnalysis;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Partitions;

/// <summary>
/// Requests that wait to be evaluated: those that are ready, and those that were set aside because a row is cold or
/// because they name a key of one that was.
/// <para>Invariants: ready ones come in the order of their arrival; none passes another that names one of its
/// keys.</para>
/// </summary>
internal sealed class WriteQueue(PartitionParts parts, ColdRows cold)
{
    private readonly Queue<OpenRequest> _arrived = new();

    /// <summary>
    /// Those that were set aside once and are ready, in the order of their arrival. Before the arrived.
    /// </summary>
    private readonly List<OpenRequest> _again = [];

    private readonly List<OpenRequest> _aside = [];
    private readonly Dictionary<ulong, int> _asideKeys = [];
    private int _asideWithoutKeys;

    public bool HasReady => _again.Count + _arrived.Count > 0;

    public void Add(OpenRequest open) => _arrived.Enqueue(open);

    /// <summary>The next request to evaluate. Those that have to wait for another are set aside on the way.</summary>
    public bool TryPeek([NotNullWhen(true)] out OpenRequest? open)
    {
        while (HasReady)
        {
            open = _again.Count > 0 ? _again[0] : _arrived.Peek();
            if (open.IsAnswered)
            {
                Take();
                cold.Release(open);
            }
            else if (open.Request.Deadline <= parts.Host.Now)
            {
                Take();
                cold.Release(open);
                parts.Refuse(open, DropReason.DeadlinePassedUnlogged);
            }
            else if (IsBlocked(open))
            {
                Take();
                PutAside(open);
            }
            else
            {
                return true;
            }
        }

        open = null;
        return false;
    }

    /// <summary>Takes out what was peeked.</summary>
    public void Take()
    {
        if (_again.Count > 0)
        {
            _again.RemoveAt(0);
        }
        else
        {
            _arrived.Dequeue();
        }
    }

    /// <summary>What was taken out last has to be evaluated for another entry: it is the next again.</summary>
    public void PutBack(OpenRequest open) => _again.Insert(0, open);

    /// <summary>The evaluation of a request met a cold row: it waits for it.</summary>
    public void SetAside(OpenRequest open)
    {
        if (cold.TryFetch(open))
        {
            PutAside(open);
        }
        else
        {
            cold.Release(open);
            parts.Refuse(open, DropReason.Overloaded);
        }
    }

    /// <summary>The rows of a request have come; who waited behind it may try as well.</summary>
    public void Fetched(OpenRequest fetched)
    {
        for (int i = 0; i < _aside.Count; i++)
        {
            OpenRequest open = _aside[i];
            if (open == fetched || open.AwaitedTag == 0)
            {
                Count(open, -1);
                _again.Add(open);
            }
        }

        _aside.RemoveAll(open => open == fetched || open.AwaitedTag == 0);
        _again.Sort(static (a, b) => a.Order.CompareTo(b.Order));
    }

    public void Release(OpenRequest open) => cold.Release(open);

    public void RefuseAll(DropReason reason)
    {
        foreach (OpenRequest open in _again)
        {
            cold.Release(open);
            parts.Refuse(open, reason);
        }

        foreach (OpenRequest open in _aside)
        {
            cold.Release(open);
            parts.Refuse(open, reason);
        }

        foreach (OpenRequest open in _arrived)
        {
            parts.Refuse(open, reason);
        }

        _again.Clear();
        _aside.Clear();
        _arrived.Clear();
        _asideKeys.Clear();
        _asideWithoutKeys = 0;
    }

    /// <summary>Refuses those whose deadline has passed; the earliest deadline of the others.</summary>
    public Instant Expire(Instant now)
    {
        Instant earliest = Instant.Min(Expire(_again, now), Expire(_arrived, now));
        earliest = Instant.Min(earliest, Expire(_aside, now));
        for (int i = _aside.Count - 1; i >= 0; i--)
        {
            if (_aside[i].IsAnswered)
            {
                // Its key is free; the rows that it awaits are let go when they come.
                Count(_aside[i], -1);
                cold.Release(_aside[i]);
                _aside.RemoveAt(i);
            }
        }

        FreeBlocked();
        return earliest;
    }

    private Instant Expire(IEnumerable<OpenRequest> requests, Instant now)
    {
        Instant earliest = Instant.Never;
        foreach (OpenRequest open in requests)
        {
            if (open.IsAnswered)
            {
                continue;
            }

            if (open.Request.Deadline <= now)
            {
                parts.Refuse(open, DropReason.DeadlinePassedUnlogged);
            }
            else
            {
                earliest = Instant.Min(earliest, open.Request.Deadline);
            }
        }

        return earliest;
    }

    /// <summary>Whom nobody is left to wait for is ready again.</summary>
    private void FreeBlocked()
    {
        if (_aside.Count > 0 && !_aside.Exists(static open => open.AwaitedTag != 0))
        {
            Fetched(_aside[0]);
        }
    }

    private void PutAside(OpenRequest open)
    {
        Count(open, 1);
        _aside.Add(open);
    }

    private void Count(OpenRequest open, int by)
    {
        if (open.Keys.Length == 0)
        {
            _asideWithoutKeys += by;
        }

        foreach (ulong key in open.Keys)
        {
            int count = _asideKeys.GetValueOrDefault(key) + by;
            if (count == 0)
            {
                _asideKeys.Remove(key);
            }
            else
            {
                _asideKeys[key] = count;
            }
        }
    }

    private bool IsBlocked(OpenRequest open)
    {
        if (_aside.Count == 0)
        {
            return false;
        }

        return _asideWithoutKeys > 0
            || open.Keys.Length == 0
            || Array.Exists(open.Keys, _asideKeys.ContainsKey);
    }
}
