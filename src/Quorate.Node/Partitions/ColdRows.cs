namespace Quorate.Node.Partitions;

/// <summary>
/// Requests that wait for cold rows: each has one fetch out, and holds what the fetches before it brought until it is
/// through.
/// </summary>
internal sealed class ColdRows(PartitionParts parts)
{
    private readonly Dictionary<ulong, OpenRequest> _waiting = [];
    private ulong _lastTag;

    public int Count => _waiting.Count;

    private bool IsFull => _waiting.Count >= parts.Settings.ColdRequestsMax;

    /// <summary>
    /// Asks for what the request's evaluation has just found cold. False when as many wait as may: it has to give up.
    /// </summary>
    public bool TryFetch(OpenRequest open)
    {
        if (IsFull)
        {
            parts.Machine.Rows.Forget();
            return false;
        }

        open.AwaitedTag = ++_lastTag;
        _waiting.Add(open.AwaitedTag, open);
        parts.Machine.Rows.Fetch(open.AwaitedTag);
        return true;
    }

    /// <summary>
    /// Rows have come: the request that may be evaluated again, or null when it was answered meanwhile.
    /// </summary>
    public OpenRequest? Fetched(ulong tag)
    {
        if (!_waiting.Remove(tag, out OpenRequest? open))
        {
            return null;
        }

        (open.HeldTags ??= []).Add(tag);
        open.AwaitedTag = 0;
        if (!open.IsAnswered)
        {
            return open;
        }

        Release(open);
        return null;
    }

    /// <summary>The request needs its rows no longer.</summary>
    public void Release(OpenRequest open)
    {
        foreach (ulong tag in open.HeldTags ?? [])
        {
            parts.Machine.Rows.Release(tag);
        }

        open.HeldTags?.Clear();
    }
}
