using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Partitions;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Resp;

/// <summary>What a connection is set to: by HELLO, CLIENT, KEYSPACE USE, CONSISTENCY, MULTI and their like.</summary>
internal sealed class RespClient(long id, string address)
{
    /// <summary>The keyspace of a new connection, and of SELECT 0.</summary>
    public const string DefaultKeyspace = "default";

    private KeyspaceView? _keyspace;
    private ClusterView? _seen;
    private bool _skipsNext;

    /// <summary>Unique on its node, and never used twice there.</summary>
    public long Id { get; } = id;

    public string Address { get; } = address;

    /// <summary>Where the node was reached.</summary>
    public string LocalAddress { get; init; } = "";

    /// <summary>2 or 3.</summary>
    public int Version { get; set; } = 2;

    public string Name { get; set; } = "";

    public string LibraryName { get; set; } = "";

    public string LibraryVersion { get; set; } = "";

    public long CreatedAt { get; init; }

    /// <summary>Of its last bytes.</summary>
    public long ActiveAt { get; set; }

    public long Commands { get; set; }

    public string LastCommand { get; set; } = "";

    /// <summary>CLIENT REPLY OFF.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The cluster endpoint that it came by; null for the plain one.</summary>
    public ClusterEndpoint? Endpoint
    {
        get;
        init
        {
            field = value;
            Keyspace = HomeKeyspace;
        }
    }

    public string Keyspace { get; set; } = DefaultKeyspace;

    /// <summary>READONLY: it reads from replicas, too, what they have.</summary>
    public bool IsReadOnly { get; set; }

    private string HomeKeyspace => Endpoint?.Keyspace ?? DefaultKeyspace;

    /// <summary>Null: the keyspace's.</summary>
    public WriteLevel? WriteLevel { get; set; }

    /// <summary>Null: the keyspace's.</summary>
    public ReadLevel? ReadLevel { get; set; }

    /// <summary>Numbers the next request to a partition.</summary>
    public SessionRequest? NextRequest { get; set; }

    /// <summary>A number was refused: what it was for must not be done without one.</summary>
    public bool IsNumberRefused { get; set; }

    /// <summary>Null outside of MULTI.</summary>
    public Transaction? Transaction { get; set; }

    /// <summary>Keys that must not change before EXEC; empty for none.</summary>
    public List<WatchedKey> Watched { get; private set; } = [];

    /// <summary>What the watched keys take, as all connections count it.</summary>
    public required InputHold WatchHold { get; init; }

    /// <summary>What is kept of its commands for later, as far as it is counted, in bytes.</summary>
    public long QueuedBytes => WatchHold.Counted + (Transaction?.Hold.Counted ?? 0);

    /// <summary>Watches no key any more; those that were watched.</summary>
    public List<WatchedKey> Unwatch()
    {
        List<WatchedKey> watched = Watched;
        Watched = [];
        WatchHold.Release();
        return watched;
    }

    /// <summary>The transaction is given up, and what it has queued.</summary>
    public void DropTransaction()
    {
        Transaction?.Hold.Release();
        Transaction = null;
    }

    /// <summary>It has subscribed to a channel.</summary>
    public bool IsSubscribed { get; set; }

    /// <summary>The next command has no reply.</summary>
    public void SkipNext() => _skipsNext = true;

    /// <summary>Whether the command that has just come has no reply.</summary>
    public bool IsSilentNow()
    {
        bool skips = _skipsNext;
        _skipsNext = false;
        return skips || IsSilent;
    }

    /// <summary>The keyspace as the node sees it now; null when there is none of that name.</summary>
    public KeyspaceView? KeyspaceIn(ClusterView view)
    {
        if (!ReferenceEquals(view, _seen))
        {
            _seen = view;
            _keyspace = view.TryFind(Keyspace, out KeyspaceView? found) ? found : null;
        }

        return _keyspace;
    }

    public void Use(string keyspace)
    {
        Keyspace = keyspace;
        _seen = null;
    }

    /// <summary>As a new connection is.</summary>
    public void Reset()
    {
        Version = 2;
        Name = "";
        IsSilent = false;
        IsSubscribed = false;
        _skipsNext = false;
        WriteLevel = null;
        ReadLevel = null;
        NextRequest = null;
        IsNumberRefused = false;
        DropTransaction();
        Unwatch();
        IsReadOnly = false;
        Use(HomeKeyspace);
    }

    /// <summary>The request number that CLIENT REQUESTID has set, once.</summary>
    public SessionRequest? TakeRequest()
    {
        SessionRequest? request = NextRequest;
        NextRequest = null;
        return request;
    }
}
