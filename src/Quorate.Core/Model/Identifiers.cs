using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Core.Model;

/// <summary>A process with one data folder. Node ids are small and given by the metadata group.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct NodeId(uint Value) : IComparable<NodeId>
{
    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"n{Value}");
}

/// <summary>
/// One node's copy of one partition: a node and the incarnation of that copy. A copy that lost its disk comes
/// back under a new incarnation, so that a vote or an acknowledgement of the old one is never taken for one of
/// the new (pitfall R20). Ids are never used twice within a group.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ReplicaId(uint Node, uint Incarnation) : IComparable<ReplicaId>
{
    /// <summary>No replica: nobody voted for, no known leader.</summary>
    public static readonly ReplicaId None;

    public bool IsNone => Node == 0;

    public NodeId NodeId => new(Node);

    /// <summary>The id as one number, for logs and wires.</summary>
    public ulong Packed => ((ulong)Node << 32) | Incarnation;

    public static ReplicaId FromPacked(ulong packed) => new((uint)(packed >> 32), (uint)packed);

    public int CompareTo(ReplicaId other) => Packed.CompareTo(other.Packed);

    public override string ToString() => this switch
    {
        { IsNone: true } => "-",
        { Incarnation: <= 1 } => string.Create(CultureInfo.InvariantCulture, $"{Node}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Node}.{Incarnation}"),
    };
}

/// <summary>Names one Raft group on a node: one partition of one keyspace.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct GroupId(uint Value) : IComparable<GroupId>
{
    public int CompareTo(GroupId other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"g{Value}");
}

/// <summary>
/// Names a proposal, read or other request towards the replica that was handed it. Unique among the requests
/// that the replica has not yet answered; it never leaves the node.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct RequestId(ulong Value)
{
    /// <summary>The replica's own proposals (a new leader's first entry, an automatic promotion).</summary>
    public static readonly RequestId None;

    public bool IsNone => Value == 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"#{Value}");
}
