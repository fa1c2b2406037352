using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Storage.Log;

/// <summary>
/// Names one replica's log within the node's: the group, and the incarnation of the group's replica on this node, so
/// that a replica that comes back under a new incarnation never finds what an earlier one wrote (pitfall R20).
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LogStream(GroupId Group, uint Incarnation) : IComparable<LogStream>
{
    public int CompareTo(LogStream other)
    {
        int byGroup = Group.CompareTo(other.Group);
        return byGroup != 0 ? byGroup : Incarnation.CompareTo(other.Incarnation);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Group}.{Incarnation}");
}
