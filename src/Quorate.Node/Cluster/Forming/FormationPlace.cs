using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Cluster.Forming;

/// <summary>What a node is told when it is started.</summary>
public sealed record FormationPlace
{
    /// <summary>
    /// The advertised peer addresses that were given (`--seeds`). All nodes of a cluster are given the same, in the
    /// same order: the first may found it. Empty for a node that only continues what its folder holds.
    /// </summary>
    public required IReadOnlyList<string> Seeds { get; init; }

    /// <summary>
    /// How many nodes the cluster is founded with (`--expect`). Where there are more seeds, all are heard before, and
    /// the others join.
    /// </summary>
    public required int Expect { get; init; }

    /// <summary>This node's addresses, zone, weight and feature level. The peer address is the advertised
    /// one.</summary>
    public required NodeRecord Self { get; init; }

    public required IDisk Disk { get; init; }

    public required IEntropy Entropy { get; init; }

    /// <summary>Why a folder that belongs to no cluster can not be started so; null when it can.</summary>
    internal string? Problem(FormationSettings settings)
    {
        if (Seeds.Count == 0)
        {
            return "This data folder belongs to no cluster yet, and no seeds were given. Start the node with --seeds "
                + "and --expect: quorate serve --seeds a:7601,b:7601,c:7601 --expect 3.";
        }

        if (Self.PeerAddress.Length == 0)
        {
            return "A node that joins a cluster needs an address for its peers (--advertise-peer host:port).";
        }

        return Expect < 1 || Expect > settings.PeersMax
            ? $"A cluster is founded with 1 to {settings.PeersMax} nodes (--expect), not {Expect}."
            : null;
    }
}

/// <summary>The times of a formation.</summary>
public sealed record FormationSettings
{
    /// <summary>Between two rounds of asking the others.</summary>
    public Duration AskInterval { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>
    /// A node is founded with once it has asked everybody so often, and so would know of a cluster that there is.
    /// </summary>
    public int RoundsMin { get; init; } = 3;

    /// <summary>Between two sentences that say what is waited for.</summary>
    public Duration SayInterval { get; init; } = Duration.FromSeconds(5);

    /// <summary>A node that was not heard for this long is not counted on.</summary>
    public Duration FreshFor { get; init; } = Duration.FromSeconds(2);

    /// <summary>Addresses that are asked, and instances that are remembered.</summary>
    public int PeersMax { get; init; } = 1024;
}

/// <summary>
/// The world around a <see cref="Formation"/>. The formation calls it while it takes an input; the host does not call
/// back from inside these calls.
/// </summary>
public interface IFormationHost
{
    /// <summary>The node's monotonic clock, now.</summary>
    Instant Now { get; }

    /// <summary>
    /// Asks a node by its peer address: one question, one answer (<see cref="Formation.Answered"/>), or silence. Each
    /// is answered at the other end by <see cref="Formation.Answer"/>, or by <see cref="ClusterNode.Answer"/> once it
    /// belongs to a cluster.
    /// </summary>
    void Ask(string address, ReadOnlyMemory<byte> question);

    /// <summary>Call Tick then; it takes the place of the former deadline.</summary>
    void SetDeadline(Instant deadline);

    /// <summary>
    /// The node belongs to a cluster; its folder says so durably. The host notes its identity and starts the
    /// <see cref="ClusterNode"/>. Said once at each start.
    /// </summary>
    void Formed(ClusterIdentity identity);

    /// <summary>What is waited for, for whoever watches.</summary>
    void Waits(string sentence);

    /// <summary>
    /// The process must end with this sentence, since it cannot take part as it was started: a setting is wrong.
    /// </summary>
    void Refused(string sentence);

    /// <summary>The process must end with this sentence.</summary>
    void End(string sentence);
}
