using System.Net;

namespace Quorate.Cli.Load;

/// <summary>What a request of the load does.</summary>
internal enum LoadVerb : byte
{
    Get = 0,
    Set = 1,
    Increment = 2,
    Delete = 3,
}

/// <summary>The load that is to be made.</summary>
internal sealed record LoadSettings
{
    /// <summary>Where the nodes listen. Clients are spread over them; when one goes, its clients try another.</summary>
    public required IReadOnlyList<IPEndPoint> Hosts { get; init; }

    /// <summary>Which share of the requests does what; the shares are whole numbers of any sum.</summary>
    public required IReadOnlyList<(LoadVerb Verb, int Share)> Mix { get; init; }

    /// <summary>Null for the keyspace `default`.</summary>
    public string? Keyspace { get; init; }

    public int Clients { get; init; } = 50;

    /// <summary>Requests that a client sends before it waits for their answers.</summary>
    public int Pipeline { get; init; } = 1;

    public int Keys { get; init; } = 100_000;

    /// <summary>What keys begin with; a hash tag keeps all of them in one partition.</summary>
    public string KeyPrefix { get; init; } = "key:";

    /// <summary>Of a value, in bytes.</summary>
    public int ValueBytes { get; init; } = 128;

    /// <summary>Of the Zipf distribution of keys; zero for a uniform one.</summary>
    public double ZipfSkew { get; init; }

    /// <summary>How long is measured, after the warm-up.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Requests after which it ends, if the time has not run out; zero for no such limit.</summary>
    public long RequestsMax { get; init; }

    /// <summary>Words sent once on each connection before its requests (a consistency level, for example).</summary>
    public IReadOnlyList<string> Prelude { get; init; } = [];

    /// <summary>Each client asks for at most so many requests a second; zero for as many as it can.</summary>
    public int RatePerClient { get; init; }

    /// <summary>A file that gets one line for each request; null for none.</summary>
    public string? HistoryFile { get; init; }

    /// <summary>How long a client waits for a connection or for answers before it takes its node for dead.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two attempts to connect.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(20);

    public ulong Seed { get; init; } = 1;
}
