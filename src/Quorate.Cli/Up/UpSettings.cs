using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quorate.Cli.Up;

/// <summary>
/// A local cluster: how many nodes, where they keep their data, on which ports they listen. It is written into the
/// folder when the cluster is made, so that it is the same one whenever it is started again.
/// </summary>
/// <param name="Nodes">Their number.</param>
/// <param name="RespPort">Of the first node; the others count up. Likewise the other two.</param>
/// <param name="Zones">The zone of each node in turn; empty: each in one of its own.</param>
/// <param name="ClusterPort">Of the first node's cluster endpoint; zero: they have none.</param>
internal sealed record UpSettings(
    [property: JsonPropertyName("nodes")] int Nodes,
    [property: JsonPropertyName("respPort")] int RespPort,
    [property: JsonPropertyName("httpPort")] int HttpPort,
    [property: JsonPropertyName("peerPort")] int PeerPort,
    [property: JsonPropertyName("zones")] string[] Zones,
    [property: JsonPropertyName("clusterPort")] int ClusterPort = 0)
{
    /// <summary>Its name in the cluster's folder.</summary>
    public const string FileName = "cluster.json";

    /// <summary>Nodes of a local cluster.</summary>
    public const int NodesMax = 32;

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true };

    public string ZoneOf(int node) => Zones.Length == 0 ? $"z{node}" : Zones[(node - 1) % Zones.Length];

    /// <summary>What the folder says; null when it holds no cluster, or, with a sentence, a broken file.</summary>
    public static UpSettings? Read(string folder, out string? problem)
    {
        string path = Path.Combine(folder, FileName);
        problem = null;
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            UpSettings? found = JsonSerializer.Deserialize<UpSettings>(File.ReadAllText(path));
            if (found is { Nodes: > 0 and <= NodesMax, Zones: not null })
            {
                return found;
            }
        }
        catch (JsonException)
        {
            // The sentence below says it.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} cannot be read: {e.Message}";
            return null;
        }

        problem = $"{path} is not what `quorate up` has written: mend it, or name another folder by --data.";
        return null;
    }

    /// <summary>What is wrong with the ports; null for nothing.</summary>
    public string? PortProblem()
    {
        (string Option, int First)[] runs =
        [
            ("--resp-port", RespPort), ("--http-port", HttpPort), ("--peer-port", PeerPort),
            .. ClusterPort == 0 ? [] : ((string, int)[])[("--cluster-port", ClusterPort)],
        ];
        foreach ((string option, int first) in runs)
        {
            if (first is < 1 or > IPEndPoint.MaxPort)
            {
                return $"{option}: {first} is no port from 1 to {IPEndPoint.MaxPort}.";
            }

            if (first + Nodes - 1 > IPEndPoint.MaxPort)
            {
                return $"{option} {first} is too high for {Nodes} nodes, whose ports count up from it: ports end at "
                    + $"{IPEndPoint.MaxPort}.";
            }
        }

        for (int one = 0; one < runs.Length; one++)
        {
            for (int other = one + 1; other < runs.Length; other++)
            {
                if (Math.Abs(runs[one].First - runs[other].First) < Nodes)
                {
                    return $"{runs[one].Option} {runs[one].First} and {runs[other].Option} {runs[other].First} are too "
                        + $"near to each other for {Nodes} nodes, whose ports count up from them: leave at least "
                        + $"{Nodes} between them.";
                }
            }
        }

        return null;
    }

    /// <summary>Writes it aside first: the folder holds the one before or this one, never half of it.</summary>
    public void Write(string folder)
    {
        string path = Path.Combine(folder, FileName);
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(this, Options) + "\n");
        File.Move(path + ".new", path, overwrite: true);
    }
}
