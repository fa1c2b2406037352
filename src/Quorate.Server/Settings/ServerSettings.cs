using System.Net;

namespace Quorate.Server.Settings;

/// <summary>How a node is run. Each value, with its unit and default, is in <see cref="SettingTable"/>.</summary>
public sealed record ServerSettings
{
    public string? Data { get; init; }

    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>The peer address of a node whose cluster this one follows as a read replica; null for none.</summary>
    public string? Join { get; init; }

    /// <summary>It waits to be told whom to follow.</summary>
    public bool Replica { get; init; }

    /// <summary>Zero: as many as there are seeds.</summary>
    public int Expect { get; init; }

    public IPAddress Bind { get; init; } = IPAddress.Loopback;

    public int RespPort { get; init; } = 7401;

    public int HttpPort { get; init; } = 7501;

    public int PeerPort { get; init; } = 7601;

    /// <summary>Zero: there is no cluster endpoint.</summary>
    public int ClusterPort { get; init; }

    /// <summary>The keyspace that the cluster endpoint serves.</summary>
    public string ClusterKeyspace { get; init; } = "default";

    /// <summary>host:port; null: the bound address.</summary>
    public string? AdvertiseResp { get; init; }

    /// <inheritdoc cref="AdvertiseResp"/>
    public string? AdvertiseHttp { get; init; }

    /// <inheritdoc cref="AdvertiseResp"/>
    public string? AdvertisePeer { get; init; }

    /// <inheritdoc cref="AdvertiseResp"/>
    public string? AdvertiseCluster { get; init; }

    public string Zone { get; init; } = "";

    public string Region { get; init; } = "";

    public string UpdateDomain { get; init; } = "";

    /// <summary>In hundredths.</summary>
    public int Weight { get; init; } = 100;

    /// <summary>Zero: half of what the machine or the container has.</summary>
    public long MemoryBytes { get; init; }

    public string? MasterKeyFile { get; init; }

    public int RequestDeadlineMilliseconds { get; init; } = 5000;

    public bool Insecure { get; init; }

    public string RespAddress => AdvertiseResp ?? Bound(RespPort);

    public string HttpAddress => AdvertiseHttp ?? Bound(HttpPort);

    /// <summary>Empty when there is no cluster endpoint.</summary>
    public string ClusterAddress => ClusterPort == 0 ? "" : AdvertiseCluster ?? Bound(ClusterPort);

    public string PeerAddress => AdvertisePeer ?? Bound(PeerPort);

    private string Bound(int port) => new IPEndPoint(Bind, port).ToString();
}
