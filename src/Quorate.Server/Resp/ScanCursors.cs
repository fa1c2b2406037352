using System.Diagnostics.CodeAnalysis;

namespace Quorate.Server.Resp;

/// <summary>Where a SCAN goes on: a partition of a keyspace, and a position in it as partitions name them.</summary>
internal sealed record ScanPlace(uint Keyspace, int Partition, byte[] Position);

/// <summary>
/// Numbers for the places that SCANs have come to, since Redis's cursors are numbers and a place among keys is a key.
/// The numbers are good on this node, from any connection, until they are forgotten: the one that was used longest ago
/// first. Any thread may use it.
/// </summary>
internal sealed class ScanCursors(int countMax)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, LinkedListNode<(ulong Cursor, ScanPlace Place)>> _places = [];
    private readonly LinkedList<(ulong Cursor, ScanPlace Place)> _order = new();

    /// <summary>
    /// Drawn anew for each process, so that a cursor of an earlier one is not taken for one of this. Numbers stay below
    /// 2^53, which every client can hold.
    /// </summary>
    private readonly ulong _start = (ulong)Random.Shared.NextInt64(1, 1L << 20) << 32;

    private ulong _count;

    public ulong Add(ScanPlace place)
    {
        lock (_gate)
        {
            ulong cursor = _start | (_count++ & uint.MaxValue);
            _places[cursor] = _order.AddLast((cursor, place));
            if (_places.Count > countMax)
            {
                _places.Remove(_order.First!.Value.Cursor);
                _order.RemoveFirst();
            }

            return cursor;
        }
    }

    public bool TryFind(ulong cursor, [NotNullWhen(true)] out ScanPlace? place)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(cursor, out LinkedListNode<(ulong Cursor, ScanPlace Place)>? node))
            {
                place = null;
                return false;
            }

            _order.Remove(node);
            _order.AddLast(node);
            place = node.Value.Place;
            return true;
        }
    }
}
