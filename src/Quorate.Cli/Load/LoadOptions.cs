using System.CommandLine;
using System.Globalization;
using System.Net;

namespace Quorate.Cli.Load;

/// <summary>The options of `quorate bench`, and the load that they describe.</summary>
internal sealed class LoadOptions
{
    /// <summary>Clients of one run.</summary>
    private const int ClientsMax = 20_000;

    /// <summary>Different keys; a Zipf distribution keeps twelve bytes for each.</summary>
    private const int KeysMax = 100_000_000;

    public Option<string> Hosts { get; } = Text(
        "--hosts", "127.0.0.1:7401", "host:port,...", "Where the nodes listen; clients are spread over them.");

    public Option<string> Mix { get; } = Text(
        "--mix", "get=80,set=20", "verb=share,...", "Shares of get, set, incr and del.");

    public Option<string?> Keyspace { get; } = new("--keyspace")
    {
        Description = "The keyspace; `default` unless said.",
        HelpName = "name",
    };

    public Option<int> Clients { get; } = Number("--clients", 50, "Connections, each with one client.");

    public Option<int> Pipeline { get; } = Number("--pipeline", 1, "Requests sent before answers are waited for.");

    public Option<int> Keys { get; } = Number("--keys", 100_000, "Different keys.");

    public Option<string?> Prefix { get; } = new("--prefix")
    {
        Description = "What keys begin with; with a {tag} all are of one partition. `key:` unless said; with "
            + "--history another one in each run, since a history begins with absent keys.",
        HelpName = "text",
    };

    public Option<int> Size { get; } = Number("--size", 128, "Bytes of a value.");

    public Option<string> Distribution { get; } = Text(
        "--distribution", "uniform", "uniform|zipf[:skew]", "Which keys are asked for; a skew is 0.99 unless said.");

    public Option<double> Seconds { get; } = new("--seconds")
    {
        Description = "How long to measure.",
        DefaultValueFactory = _ => 10,
        HelpName = "seconds",
    };

    public Option<double> WarmUp { get; } = new("--warm-up")
    {
        Description = "How long to run before measuring. What is not done then counts, and a history has it all; "
            + "requests, rate and latency are of the time after it.",
        DefaultValueFactory = _ => 1,
        HelpName = "seconds",
    };

    public Option<long> Requests { get; } = new("--requests")
    {
        Description = "Stop after so many requests; 0 for no such limit.",
        HelpName = "number",
    };

    public Option<int> Rate { get; } = Number("--rate", 0, "Requests a second of each client; 0 for all it can.");

    public Option<string[]> First { get; } = new("--first")
    {
        Description = "A command sent first on each connection, such as \"CONSISTENCY WRITE leader\".",
        HelpName = "command",
    };

    public Option<string?> History { get; } = new("--history")
    {
        Description = "Record every request as a JSON line, for `quorate bench verify`.",
        HelpName = "file",
    };

    public IEnumerable<Option> All =>
    [
        Hosts, Mix, Keyspace, Clients, Pipeline, Keys, Prefix, Size, Distribution, Seconds, WarmUp, Requests, Rate,
        First, History,
    ];

    /// <summary>The load; null with a sentence when the options make none.</summary>
    public LoadSettings? Read(ParseResult parsed, out string problem)
    {
        if (HostsOf(parsed.GetValue(Hosts)!, out problem) is not { } hosts
            || MixOf(parsed.GetValue(Mix)!, out problem) is not { } mix
            || SkewOf(parsed.GetValue(Distribution)!, out problem) is not { } skew)
        {
            return null;
        }

        var settings = new LoadSettings
        {
            Hosts = hosts,
            Mix = mix,
            Keyspace = parsed.GetValue(Keyspace),
            Clients = parsed.GetValue(Clients),
            Pipeline = parsed.GetValue(Pipeline),
            Keys = parsed.GetValue(Keys),
            KeyPrefix = parsed.GetValue(Prefix) ?? PrefixUnlessSaid(parsed.GetValue(History) is not null),
            ValueBytes = parsed.GetValue(Size),
            ZipfSkew = skew,
            Time = TimeSpan.FromSeconds(parsed.GetValue(Seconds)),
            WarmUp = TimeSpan.FromSeconds(parsed.GetValue(WarmUp)),
            RequestsMax = parsed.GetValue(Requests),
            RatePerClient = parsed.GetValue(Rate),
            Prelude = parsed.GetValue(First) ?? [],
            HistoryFile = parsed.GetValue(History),
        };
        problem = Problem(settings) ?? "";
        return problem.Length == 0 ? settings : null;
    }

    private static string PrefixUnlessSaid(bool isRecorded) => isRecorded
        ? string.Create(CultureInfo.InvariantCulture, $"h{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}:")
        : "key:";

    private static string? Problem(LoadSettings settings) => settings switch
    {
        { Clients: < 1 or > ClientsMax } => $"--clients takes a number from 1 to {ClientsMax}.",
        { Pipeline: < 1 or > 10_000 } => "--pipeline takes a number from 1 to 10000.",
        { Keys: < 1 or > KeysMax } => $"--keys takes a number from 1 to {KeysMax}.",
        { ValueBytes: < 0 or > 64 * 1024 * 1024 } => "--size takes at most 64 MiB.",
        { RatePerClient: < 0 } => "--rate takes no negative number.",
        { RequestsMax: < 0 } => "--requests takes no negative number.",
        { Time.Ticks: <= 0 } => "--seconds takes a number above 0.",
        _ => null,
    };

    private static List<IPEndPoint>? HostsOf(string text, out string problem)
    {
        var hosts = new List<IPEndPoint>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            int colon = part.LastIndexOf(':');
            bool isPort = int.TryParse(part[(colon + 1)..], CultureInfo.InvariantCulture, out int port);
            if (colon < 1 || !isPort || port is < 1 or > ushort.MaxValue || AddressOf(part[..colon]) is not { } address)
            {
                problem = $"--hosts takes host:port, not '{part}'.";
                return null;
            }

            hosts.Add(new IPEndPoint(address, port));
        }

        problem = "";
        return hosts;
    }

    private static IPAddress? AddressOf(string host)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address))
        {
            return address;
        }

        try
        {
            return Dns.GetHostAddresses(host).FirstOrDefault();
        }
        catch (System.Net.Sockets.SocketException)
        {
            return null;
        }
    }

    private static List<(LoadVerb Verb, int Share)>? MixOf(string text, out string problem)
    {
        var mix = new List<(LoadVerb Verb, int Share)>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] words = part.Split('=');
            LoadVerb? verb = words[0].ToUpperInvariant() switch
            {
                "GET" => LoadVerb.Get,
                "SET" => LoadVerb.Set,
                "INCR" => LoadVerb.Increment,
                "DEL" => LoadVerb.Delete,
                _ => null,
            };
            int share = 1;
            bool isShare = words.Length == 1
                || (words.Length == 2 && int.TryParse(words[1], CultureInfo.InvariantCulture, out share));
            if (verb is not { } known || !isShare || share is < 0 or > 1_000_000)
            {
                problem = $"--mix takes get, set, incr and del with a share each, such as get=80,set=20, not '{part}'.";
                return null;
            }

            mix.Add((known, share));
        }

        problem = mix.Any(part => part.Share > 0) ? "" : "--mix asks for nothing.";
        return problem.Length == 0 ? mix : null;
    }

    private static double? SkewOf(string text, out string problem)
    {
        problem = "";
        switch (text.Split(':'))
        {
            case ["uniform"]:
                return 0;
            case ["zipf"]:
                return 0.99;
            case ["zipf", var skew] when double.TryParse(skew, CultureInfo.InvariantCulture, out double value)
                && value is > 0 and <= 5:
                return value;
            default:
                problem = $"--distribution takes uniform, zipf or zipf:skew (up to 5), not '{text}'.";
                return null;
        }
    }

    private static Option<int> Number(string name, int unlessSaid, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => unlessSaid,
        HelpName = "number",
    };

    private static Option<string> Text(string name, string unlessSaid, string help, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => unlessSaid,
        HelpName = help,
    };
}
