using Quorate.Node.Cluster.Forming.Wire;
using Quorate.Node.Wire;

namespace Quorate.Node.Cluster.Forming;

/// <summary>What a formation says to people.</summary>
internal static class FormationSentences
{
    private const int ClusterBytes = 16;

    /// <summary>How many seeds a sentence names.</summary>
    private const int SeedsNamed = 8;

    /// <param name="place">What the node was told.</param>
    /// <param name="founder">The first seed.</param>
    /// <param name="live">Others that are heard and belong to no cluster.</param>
    /// <param name="other">One of them that was told something else; null for none.</param>
    /// <param name="silent">Seeds that are not heard.</param>
    public static string WaitsFor(FormationPlace place, string founder, int live, Fresh? other, string[] silent)
    {
        if (place.Self.ReadReplica)
        {
            return $"Waiting for the node at {founder} (--join) to let this one in as a read replica.";
        }

        if (other is not null)
        {
            return $"The node at {other.Node.PeerAddress} was started with --expect {other.Told.Expect} and first seed "
                + $"{other.Told.Founder}, this one with --expect {place.Expect} and first seed {founder}: start all "
                + "with the same.";
        }

        if (!place.Seeds.Contains(place.Self.PeerAddress, StringComparer.Ordinal))
        {
            return $"This node's own address {place.Self.PeerAddress} (--advertise-peer) is none of the --seeds: it "
                + $"waits to join the cluster of {string.Join(", ", place.Seeds.Take(SeedsNamed))}.";
        }

        string heard = $"Waiting for the cluster to be founded by {founder}: {live + 1} of {place.Expect} nodes are "
            + "heard";
        return silent.Length == 0
            ? heard + "."
            : $"{heard}; no answer yet from {string.Join(", ", silent.Take(SeedsNamed))}. A cluster is founded once "
                + "every seed answers.";
    }

    /// <summary>
    /// Why a read replica must not go on, since its folder belongs to another cluster than the node that it was told to
    /// join; null when it may.
    /// </summary>
    public static string? OtherCluster(
        FormationPlace place, FormationNote note, string address, ReadOnlySpan<byte> answer) =>
        place.Self.ReadReplica
        && Messages.ParseOrNull(FormationAnswer.Parser, answer) is { Cluster.Length: ClusterBytes } other
        && other.Cluster != note.Cluster
            ? $"This data folder belongs to cluster {new Guid(note.Cluster.Span)}, and the node at {address} (--join) "
                + $"to cluster {new Guid(other.Cluster.Span)}: name a node of its own cluster, or give this one an "
                + "empty folder."
            : null;
}
