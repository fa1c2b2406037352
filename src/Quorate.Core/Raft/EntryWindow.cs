using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// The newest entries of a log, in memory: a ring that grows at one end, is cut there, and is released at the
/// other.
/// <para>Invariants: the entries are consecutive; when not empty the last is the log's last.</para>
/// </summary>
internal sealed class EntryWindow
{
    private Entry?[] _ring = new Entry?[16];
    private int _head;
    private int _count;

    /// <summary>Payloads and overheads held, in bytes.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _count == 0;

    public LogIndex First => _count == 0 ? LogIndex.Zero : At(0).Index;

    public bool Has(LogIndex index) => _count > 0 && index >= First && index <= At(_count - 1).Index;

    public Entry this[LogIndex index] => At((int)(index.Value - First.Value));

    public void Append(Entry entry)
    {
        Invariant.Check(_count == 0 || entry.Index == At(_count - 1).Index.Next, "entries in memory are consecutive");
        if (_count == _ring.Length)
        {
            Grow();
        }

        _ring[(_head + _count) & (_ring.Length - 1)] = entry;
        _count++;
        Bytes += entry.Bytes;
    }

    public void TruncateFrom(LogIndex index)
    {
        while (_count > 0 && At(_count - 1).Index >= index)
        {
            Bytes -= At(_count - 1).Bytes;
            _ring[(_head + _count - 1) & (_ring.Length - 1)] = null;
            _count--;
        }
    }

    /// <summary>
    /// Drops the oldest entries up to <paramref name="index"/> until at most <paramref name="keepBytes"/> are held.
    /// </summary>
    public void Release(LogIndex index, long keepBytes)
    {
        while (_count > 0 && Bytes > keepBytes && At(0).Index <= index)
        {
            Bytes -= At(0).Bytes;
            _ring[_head] = null;
            _head = (_head + 1) & (_ring.Length - 1);
            _count--;
        }
    }

    public void Clear() => TruncateFrom(LogIndex.Zero);

    /// <summary>
    /// Entries from <paramref name="first"/> to at most <paramref name="last"/>, at least one, else as many as fit.
    /// </summary>
    public Entry[] Take(LogIndex first, LogIndex last, long maxBytes)
    {
        int start = (int)(first.Value - First.Value);
        int available = (int)(last.Value - first.Value) + 1;
        long bytes = At(start).Bytes;
        int count = 1;
        while (count < available && bytes + At(start + count).Bytes <= maxBytes)
        {
            bytes += At(start + count).Bytes;
            count++;
        }

        var entries = new Entry[count];
        for (int i = 0; i < count; i++)
        {
            entries[i] = At(start + i);
        }

        return entries;
    }

    private Entry At(int position) => _ring[(_head + position) & (_ring.Length - 1)]!;

    private void Grow()
    {
        var larger = new Entry?[_ring.Length * 2];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = At(i);
        }

        _ring = larger;
        _head = 0;
    }
}
