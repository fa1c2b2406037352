namespace Quorate.Node.Cluster.Forming;

/// <summary>
/// How a node comes to belong to a cluster, by addresses, since nodes have no ids before that. Run at each start: a
/// folder that belongs to a cluster says so at once. It is fed inputs and tells its host what follows.
/// </summary>
public sealed class Formation(FormationPlace place, FormationSettings settings, IFormationHost host)
{
    internal FormationPlace Place { get; } = place;

    internal FormationSettings Settings { get; } = settings;

    internal IFormationHost Host { get; } = host;

    /// <summary>Reads the disk and goes on from where the last start came to.</summary>
    public void Start()
    {
    }

    /// <summary>The answer to another node's question.</summary>
    public byte[] Answer(ReadOnlySpan<byte> question) => [];

    /// <summary>A node has answered what it was asked.</summary>
    public void Answered(string address, ReadOnlySpan<byte> answer)
    {
    }

    /// <summary>The deadline that was set has come. Harmless at any other time.</summary>
    public void Tick()
    {
    }
}
