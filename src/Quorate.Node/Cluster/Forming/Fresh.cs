using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster.Forming;

/// <summary>A node that belongs to no cluster.</summary>
internal sealed record Fresh(NodeRecord Node, Told Told, Instant HeardAt);

/// <summary>What it was started with, and has found out since.</summary>
internal sealed record Told(string Founder, uint Expect, bool Joins, uint Rounds);
