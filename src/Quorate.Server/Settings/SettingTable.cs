using System.Globalization;
using System.Net;
using System.Text;
using Quorate.Server.Peers;

namespace Quorate.Server.Settings;

/// <summary>How a setting is written in `quorate.json`.</summary>
public enum SettingType
{
    /// <summary>A text in quotation marks.</summary>
    Text,

    /// <summary>A list of texts, or a text with commas between them.</summary>
    List,

    /// <summary>A whole number.</summary>
    Number,

    /// <summary>A whole number of bytes, or a text with a unit.</summary>
    Size,

    /// <summary>True or false.</summary>
    Switch,
}

/// <summary>A setting of a node: what it is called, what it means, how a text becomes its value.</summary>
/// <param name="Name">
/// As a flag, after two dashes, and in `quorate.json`; in the environment in capitals, after QUORATE_, with
/// underscores.
/// </param>
/// <param name="Value">What stands for the value in the help; null for a switch, which needs none.</param>
/// <param name="Default">In words.</param>
/// <param name="Apply">Puts a text's value into the settings, or says what is wrong with it.</param>
public sealed record Setting(
    string Name,
    string? Value,
    string Unit,
    string Default,
    string Text,
    Func<ServerSettings, string, (ServerSettings Settings, string? Problem)> Apply)
{
    public SettingType Type { get; init; }

    public string EnvironmentName =>
        SettingTable.EnvironmentPrefix + Name.Replace('-', '_').ToUpperInvariant();
}

/// <summary>All settings of a node, the one place where each is named, described and read.</summary>
public static class SettingTable
{
    /// <summary>Variables of the environment that begin so are settings.</summary>
    public const string EnvironmentPrefix = "QUORATE_";

    /// <summary>Variables that begin alike and are for those who develop Quorate.</summary>
    public static readonly IReadOnlySet<string> NoSettings =
        new HashSet<string>(StringComparer.Ordinal) { "QUORATE_MUTANT", "QUORATE_REWRITE" };

    private const string AddressForm = "an address of the form host:port";

    private static readonly Setting[] Cluster =
    [
        new("data", "FOLDER", "a folder", "none: it must be said",
            "Where the node keeps its data. It is made when absent; one process at a time has it.",
            static (settings, text) => text.Length > 0
                ? (settings with { Data = text }, null)
                : (settings, "is no folder")),
        new("seeds", "HOST:PORT,...", "addresses", "none",
            "The advertised peer addresses of the nodes that form the cluster, in the same order on all of them. "
                + "Needed until the node belongs to a cluster; later they do no harm.",
            static (settings, text) => ParseSeeds(settings, text))
        {
            Type = SettingType.List,
        },
        new("join", "HOST:PORT", "an address", "none",
            "The peer address of any node of a cluster that this one joins as a read replica: it follows every "
                + "partition, answers reads of level `eventual` and `session`, hands all else on, and votes nowhere. "
                + "In the place of --seeds and --expect.",
            static (settings, text) => IsAddress(text)
                ? (settings with { Join = text }, null)
                : (settings, "is no address of the form host:port")),
        new("replica", null, "a switch", "off",
            "Starts a node without a cluster: it waits until JOIN, in `quorate shell`, says which one it is to follow "
                + "as a read replica. A folder that belongs to a cluster goes on there.",
            static (settings, text) => bool.TryParse(text, out bool value)
                ? (settings with { Replica = value }, null)
                : (settings, "is neither true nor false"))
        {
            Type = SettingType.Switch,
        },
        new("expect", "COUNT", "nodes", "as many as there are seeds",
            "How many nodes the cluster is founded with.",
            static (settings, text) => Integer(text, 1, 1000, out int value)
                ? (settings with { Expect = value }, null)
                : (settings, "is no number of nodes from 1 to 1000"))
        {
            Type = SettingType.Number,
        },
    ];

    private static readonly Setting[] Ports =
    [
        new("bind", "ADDRESS", "an IP address", "127.0.0.1",
            "The address that all three ports are opened on. Any other than a loopback one needs --insecure as long as "
                + "there is neither TLS nor a password.",
            static (settings, text) => IPAddress.TryParse(text, out IPAddress? value)
                ? (settings with { Bind = value }, null)
                : (settings, "is no IP address")),
        new("resp-port", "PORT", "a TCP port", "7401",
            "For Redis clients.",
            static (settings, text) => Port(text, out int value)
                ? (settings with { RespPort = value }, null)
                : (settings, "is no port from 1 to 65535"))
        {
            Type = SettingType.Number,
        },
        new("http-port", "PORT", "a TCP port", "7501",
            "For health, metrics, status, and entries as JSON (docs/http.md).",
            static (settings, text) => Port(text, out int value)
                ? (settings with { HttpPort = value }, null)
                : (settings, "is no port from 1 to 65535"))
        {
            Type = SettingType.Number,
        },
        new("peer-port", "PORT", "a TCP port", "7601",
            "For the other nodes.",
            static (settings, text) => Port(text, out int value)
                ? (settings with { PeerPort = value }, null)
                : (settings, "is no port from 1 to 65535"))
        {
            Type = SettingType.Number,
        },
        new("cluster-port", "PORT", "a TCP port", "none: there is no cluster endpoint",
            "For Redis clients that know clusters: they are told which node serves which slots, and sent there by "
                + "MOVED.",
            static (settings, text) => Port(text, out int value)
                ? (settings with { ClusterPort = value }, null)
                : (settings, "is no port from 1 to 65535"))
        {
            Type = SettingType.Number,
        },
        new("cluster-keyspace", "NAME", "a keyspace", "default",
            "The one keyspace that the cluster endpoint serves; the same on all nodes.",
            static (settings, text) => text.Length > 0
                ? (settings with { ClusterKeyspace = text }, null)
                : (settings, "is no name of a keyspace")),
        new("advertise-cluster", "HOST:PORT", "an address", "the bound address and port",
            "Where clients reach this node's cluster endpoint, as MOVED and CLUSTER SLOTS say.",
            static (settings, text) => IsAddress(text)
                ? (settings with { AdvertiseCluster = text }, null)
                : (settings, $"is not {AddressForm}")),
        new("advertise-resp", "HOST:PORT", "an address", "the bound address and port",
            "Where clients reach this node's Redis port, as the cluster tells them.",
            static (settings, text) => IsAddress(text)
                ? (settings with { AdvertiseResp = text }, null)
                : (settings, $"is not {AddressForm}")),
        new("advertise-http", "HOST:PORT", "an address", "the bound address and port",
            "Where clients reach this node's HTTP port.",
            static (settings, text) => IsAddress(text)
                ? (settings with { AdvertiseHttp = text }, null)
                : (settings, $"is not {AddressForm}")),
        new("advertise-peer", "HOST:PORT", "an address", "the bound address and port",
            "Where the other nodes reach this one. It must be what --seeds says of it.",
            static (settings, text) => IsAddress(text)
                ? (settings with { AdvertisePeer = text }, null)
                : (settings, $"is not {AddressForm}")),
    ];

    private static readonly Setting[] Running =
    [
        new("zone", "NAME", "a name", "none",
            "The fault domain that the node is in: the replicas of a partition are put into different ones.",
            static (settings, text) => (settings with { Zone = text }, null)),
        new("region", "NAME", "a name", "none",
            "The region that the zone is in.",
            static (settings, text) => (settings with { Region = text }, null)),
        new("update-domain", "NAME", "a name", "none",
            "The nodes that may be stopped together, for an update.",
            static (settings, text) => (settings with { UpdateDomain = text }, null)),
        new("weight", "COUNT", "hundredths", "100",
            "How much of the data the node takes, compared with others.",
            static (settings, text) => Integer(text, 1, 10_000, out int value)
                ? (settings with { Weight = value }, null)
                : (settings, "is no weight from 1 to 10000"))
        {
            Type = SettingType.Number,
        },
        new("memory", "SIZE", "bytes, or with KiB, MiB, GiB", "half of what the machine or the container has",
            "What the process may take; docs/operating/memory.md says how it is divided.",
            static (settings, text) => Bytes(text, out long value) && value >= MemoryPlan.BytesMin
                ? (settings with { MemoryBytes = value }, null)
                : (settings, "is no size of at least 256MiB"))
        {
            Type = SettingType.Size,
        },
        new("master-key-file", "FILE", "a file", "none",
            "The key that opens the data keys of encrypted keyspaces: 32 bytes, or 64 hexadecimal digits.",
            static (settings, text) => text.Length > 0
                ? (settings with { MasterKeyFile = text }, null)
                : (settings, "is no file")),
        new("request-deadline-ms", "MS", "milliseconds", "5000",
            "How long a request may take before it is answered with an error.",
            static (settings, text) => Integer(text, 10, 3_600_000, out int value)
                ? (settings with { RequestDeadlineMilliseconds = value }, null)
                : (settings, "is no time from 10 to 3600000 ms"))
        {
            Type = SettingType.Number,
        },
        new("insecure", null, "a switch", "off",
            "Lets others than this machine in, without TLS and without a password.",
            static (settings, text) => bool.TryParse(text, out bool value)
                ? (settings with { Insecure = value }, null)
                : (settings, "is neither true nor false"))
        {
            Type = SettingType.Switch,
        },
    ];

    public static IReadOnlyList<Setting> All { get; } = [.. Cluster, .. Ports, .. Running];

    /// <summary>The setting of this name, or null.</summary>
    public static Setting? Find(string name) =>
        All.FirstOrDefault(setting => string.Equals(setting.Name, name, StringComparison.Ordinal));

    /// <summary>The settings as a page of documentation (docs/operating/settings.md).</summary>
    public static string Page()
    {
        var page = new StringBuilder();
        page.Append(
            """
            # Settings

            A node is told how to run by flags, by the environment and by a file, `quorate.json` in the folder where it
            is started or the one that `--config` names. Flags win over the environment, and the environment over the
            file. A setting that does not exist or is there twice, or a value that cannot be, is an error. In the file
            counts and times are numbers, the switch is true or false, a size is a number of bytes or a text with its
            unit, lists are lists of texts or one text with commas, and all else are texts. This page is made from the
            code; a test compares them.

            | flag, and name in the file | environment | unit | default | what it is |
            | --- | --- | --- | --- | --- |

            """);
        foreach (Setting setting in All)
        {
            string flag = setting.Value is null ? setting.Name : $"{setting.Name} {setting.Value}";
            page.Append(CultureInfo.InvariantCulture, $"| `--{flag}` | `{setting.EnvironmentName}` | {setting.Unit} ")
                .Append(CultureInfo.InvariantCulture, $"| {setting.Default} | {setting.Text} |\n");
        }

        return page.ToString();
    }

    private static (ServerSettings Settings, string? Problem) ParseSeeds(ServerSettings settings, string text)
    {
        string[] seeds = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (seeds.Length == 0 || !seeds.All(IsAddress))
        {
            return (settings, "is no list of addresses of the form host:port, with commas between them");
        }

        return seeds.Distinct(StringComparer.OrdinalIgnoreCase).Count() == seeds.Length
            ? (settings with { Seeds = seeds }, null)
            : (settings, "names an address twice");
    }

    private static bool IsAddress(string text) => PeerSockets.TryParse(text, out _, out _);

    private static bool Port(string text, out int value) => Integer(text, 1, IPEndPoint.MaxPort, out value);

    private static bool Integer(string text, int min, int max, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;

    private static bool Bytes(string text, out long value)
    {
        (string Unit, int Shift)[] units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
        (string unit, int shift) = units.FirstOrDefault(
            unit => text.EndsWith(unit.Unit, StringComparison.OrdinalIgnoreCase), (Unit: "", Shift: 0));
        ReadOnlySpan<char> digits = text.AsSpan(0, text.Length - unit.Length).TrimEnd();
        bool isRead = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            && count <= long.MaxValue >> shift;
        value = isRead ? count << shift : 0;
        return isRead;
    }
}
