using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Quorate.Node.Cluster;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata.Wire;
using Quorate.Server.Disk;
using Quorate.Server.Http;
using Quorate.Server.Peers;
using Quorate.Server.Reading;
using Quorate.Server.Resp;
using Quorate.Server.Settings;
using Quorate.Storage;
using Quorate.Storage.Encryption;
using Quorate.Storage.Memory;

namespace Quorate.Server.Runtime;

/// <summary>
/// One node as a process: opens what it stands on in order, runs until it is told to stop, and stops within a time.
/// </summary>
public sealed class NodeProcess : IAsyncDisposable
{
    /// <summary>The newest feature level that this build knows.</summary>
    private const uint FeatureLevelMax = 1;

    /// <summary>
    /// Reads at the same moment on the connections' threads, for each processor: more than one, since a thread that is
    /// taken off its processor keeps its place.
    /// </summary>
    private const int ReadersPerProcessor = 4;

    /// <summary>
    /// How long a stop waits for its steps until the node is closed all the same: longer than the node's own bound.
    /// </summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop may take at all, when not even closing comes to its end.</summary>
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(9.5);

    private readonly ServerSettings _settings;
    private readonly Action<ExitCode, string> _end;
    private readonly Stack<IAsyncDisposable> _opened = new();
    private NodeFacts? _facts;
    private Func<(long Used, long Max)>? _usedBytes;
    private HeapRoom? _heap;
    private MasterKey? _masterKey;
    private LocalReads? _reads;
    private RespServer? _clients;
    private volatile RespEndpoint? _endpoint;
    private volatile HttpEndpoint? _http;
    private string? _processIdProblem;

    private NodeProcess(ServerSettings settings, Action<ExitCode, string> end)
    {
        _settings = settings;
        _end = end;
    }

    /// <summary>What is to be seen of it.</summary>
    public NodeFacts Facts => _facts!;

    /// <summary>Starts a node; null, with a code and a sentence, when it cannot be.</summary>
    /// <param name="heard">Is told of each event; it must not wait.</param>
    /// <param name="end">Ends the process at once.</param>
    public static async Task<(NodeProcess? Process, ExitCode Code, string Problem)> Start(
        ServerSettings settings, Action<TimedEvent> heard, Action<ExitCode, string> end)
    {
        var process = new NodeProcess(settings, end);
        (ExitCode code, string problem) = await process.Open(heard).ConfigureAwait(false);
        if (code == ExitCode.Ok)
        {
            return (process, code, "");
        }

        await process.DisposeAsync().ConfigureAwait(false);
        return (null, code, problem);
    }

    /// <summary>
    /// Stops well: leaderships are handed over, then clients sent away while rows are saved, then all is closed. What
    /// is not done in time is left to the next start, which needs none of it.
    /// </summary>
    public async Task Stop()
    {
        using var last = new Timer(
            _ => _end(
                ExitCode.InputOutput,
                $"The stop has not come to its end within {StopTimeMax.TotalSeconds:F1} s, as when a disk does not "
                    + "answer, so the process leaves; nothing acknowledged is lost. Look at the disk of "
                    + $"{Facts.Folder}."),
            null,
            StopTimeMax,
            Timeout.InfiniteTimeSpan);
        Facts.IsStopping = true;
        Facts.Host.BeginStop();
        Task steps = Steps();
        await Task.WhenAny(steps, Task.Delay(StopTime)).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);

        async Task Steps()
        {
            await Facts.Host.HandedOver.ConfigureAwait(false);
            await Task.WhenAll(_clients!.StopAsync(), Facts.Host.StopReadily).ConfigureAwait(false);
        }
    }

    /// <summary>Closes what was opened, the last first.</summary>
    public async ValueTask DisposeAsync()
    {
        while (_opened.TryPop(out IAsyncDisposable? opened))
        {
            await opened.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<(ExitCode Code, string Problem)> Open(Action<TimedEvent> heard)
    {
        if (_settings.Data is null)
        {
            return (ExitCode.Usage, "A node needs a folder for its data: say --data FOLDER. A first cluster of one "
                + "node: quorate serve --data ./quorate-data --seeds 127.0.0.1:7601.");
        }

        if (ReadMasterKey() is { } wrong)
        {
            return (ExitCode.Usage, wrong);
        }

        var folder = DataFolder.TryOpen(_settings.Data, cluster: null, out string problem, out bool isData);
        if (folder is null)
        {
            return (isData ? ExitCode.Data : ExitCode.Unavailable, problem);
        }

        Keep(folder);
        if (folder.Identity is not { IsFormed: true } && _settings.Seeds.Count == 0 && _settings.Join is null
            && !_settings.Replica)
        {
            return (ExitCode.Usage, $"The data folder {folder.Root} belongs to no cluster, and no seeds are given. To "
                + "form one of three nodes, start on each: quorate serve --data FOLDER --seeds a:7601,b:7601,c:7601 "
                + "--expect 3. One of a single node: quorate serve --data FOLDER --seeds "
                + $"{_settings.PeerAddress} --expect 1.");
        }

        // A node that forgot what it formed would form anew, over the files of the cluster that it belongs to.
        string formation = Path.Combine(folder.Files, FormationPlace.NoteName);
        if (folder.Identity is { IsFormed: true } && !File.Exists(formation))
        {
            return (ExitCode.Data, $"The file {formation} is missing, though {folder.Root} belongs to a cluster. "
                + FolderAdvice.Sentence);
        }

        // Before the first file: files without an identity are taken for a node's that has lost it.
        if (folder.Identity is null && !folder.TryName(NodeIdentity.Unformed, out problem))
        {
            return (ExitCode.InputOutput, problem);
        }

        bool wasLeft = KeepProcessId(folder);
        Assemble(folder, heard);
        return await Listen(StartOf(wasLeft)).ConfigureAwait(false);
    }

    private void Assemble(DataFolder folder, Action<TimedEvent> heard)
    {
        MemoryPlan memory = MemoryPlan.For(_settings.MemoryBytes);
        var loop = new NodeLoop(memory.Limits.Of(new NodeLoopSettings()), new ClusterView(default, new()), _end);
        var disk = new RealDisk(folder.Files, completionWaits: loop.DiskWaits)
        {
            // A start must be able to write the log's tail anew.
            IsReserveOpen = true,
        };
        _heap = new(memory.ManagedBytes);
        MemoryBudget budget = BudgetOf(memory, _heap);
        _usedBytes = () => (budget.UsedBytes, budget.TotalBytes);
        var events = new EventHistory { Heard = heard };
        NodeRecord self = Self();
        var entropy = new SystemEntropy();
        ClusterSettings cluster = memory.Limits.Of(new ClusterSettings());
        _reads = new(cluster.Partition.Limits, ReadersPerProcessor * Environment.ProcessorCount);
        NodeHost host = new(new()
        {
            Loop = loop,
            Disk = disk,
            Folder = folder,
            Events = events,
            Reads = _reads,
            Count = () => CountUnderWay(budget),
            WaitsForJoin = _settings.Replica && folder.Identity is not { IsFormed: true },
            Formation = new()
            {
                Seeds = _settings.Join is { } join ? [join] : _settings.Seeds,
                Expect = _settings.Expect > 0 ? _settings.Expect : Math.Max(1, _settings.Seeds.Count),
                Self = self,
                Disk = disk,
                Entropy = entropy,
            },
            Create = (identity, boot, world) => new ClusterNode(
                new()
                {
                    Identity = identity,
                    Self = self,
                    Boot = boot,
                    Disk = disk,
                    Memory = budget,
                    Entropy = entropy,
                    MasterKey = _masterKey,
                    Readers = _reads.Readers,
                    Published = _ => new SharedReadPublication(),
                },
                cluster,
                world),
        });
        var peers = new PeerNetwork(memory.Limits.Of(new PeerSettings()), host);
        _facts = new()
        {
            Loop = loop, Host = host, Disk = disk, Peers = peers, Events = events, Memory = memory,
            Folder = folder.Root,
        };

        // Closed from the last: first nobody comes in any more, then the node closes, then the disk's threads end.
        Keep(disk);
        Keep(loop);
        loop.Start(host);
        _opened.Push(new Closing(async () => await host.Close().ConfigureAwait(false)));
        Keep(peers);
    }

    private static MemoryBudget BudgetOf(MemoryPlan memory, HeapRoom heap) =>
        new(memory.BudgetBytes, memory.UnderWayBytes) { WorkBytesMax = memory.WorkBytes, HeapHasRoom = heap.Has };

    /// <summary>What threads besides the node's hold of its memory; called on the node's.</summary>
    private void CountUnderWay(MemoryBudget budget)
    {
        budget.Note(MemoryUse.Links, Facts.Peers.WaitingBytes + Facts.Peers.PartialBytes + Facts.Loop.InboxBytes);
        budget.Note(
            MemoryUse.Clients,
            (_endpoint?.ReplyBytesWaiting ?? 0) + (_endpoint?.InputBytesWaiting ?? 0) + (_http?.WaitingBytes ?? 0));
        _heap!.Keep();
    }

    /// <param name="start">What to tell when nothing is in the way any more.</param>
    private async Task<(ExitCode Code, string Problem)> Listen(NodeEvent start)
    {
        string what = "";
        try
        {
            what = $"--peer-port {_settings.PeerPort}";
            Facts.Peers.Listen(new IPEndPoint(_settings.Bind, _settings.PeerPort));
            what = $"--resp-port {_settings.RespPort}"
                + (_settings.ClusterPort > 0 ? $" or --cluster-port {_settings.ClusterPort}" : "");
            await ListenForClients().ConfigureAwait(false);
            what = $"--http-port {_settings.HttpPort}";
            IPEndPoint http = new(_settings.Bind, _settings.HttpPort);
            _http = await HttpEndpoint.Start(http, Facts, _reads, _settings.RequestDeadlineMilliseconds)
                .ConfigureAwait(false);
            _opened.Push(_http);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return (ExitCode.Unavailable, $"{what}: port cannot be opened on {_settings.Bind} ({e.Message}); stop who "
                + "has it, or choose another.");
        }

        Facts.Events.Add(start);
        if (_processIdProblem is { } problem)
        {
            Facts.Events.Add(new("start", problem));
        }

        Facts.Host.Start(Facts.Peers);
        return (ExitCode.Ok, "");
    }

    private async Task ListenForClients()
    {
        RespEndpoint endpoint = _endpoint = new RespEndpoint(
            Facts.Memory.Limits.Of(
                new RespSettings { RequestDeadlineMilliseconds = _settings.RequestDeadlineMilliseconds }),
            Facts.Loop,
            new()
            {
                Port = _settings.RespPort,
                DataFolder = Path.GetFullPath(_settings.Data!),
                Memory = _usedBytes,
                Reads = _reads,
                Joining = _settings.Replica ? new Joining(Facts) : null,
                Cluster = _settings.ClusterPort == 0 ? null : new()
                {
                    Keyspace = _settings.ClusterKeyspace,
                    Address = _settings.ClusterAddress,
                    Leaders = Facts.Host.Leaders,
                },
            });
        endpoint.Shared.Budget.HeapHasRoom = _heap!.Has;
        Facts.More.Add(text => RespMetrics.Add(text, endpoint));
        IPEndPoint at = new(_settings.Bind, _settings.RespPort);
        IPEndPoint? cluster = _settings.ClusterPort == 0 ? null : new(_settings.Bind, _settings.ClusterPort);
        _clients = new(endpoint, at, NullLoggerFactory.Instance, cluster);
        _opened.Push(_clients);
        await _clients.StartAsync().ConfigureAwait(false);
    }

    private NodeRecord Self() => new()
    {
        RespAddress = _settings.RespAddress,
        HttpAddress = _settings.HttpAddress,
        PeerAddress = _settings.PeerAddress,
        ClusterAddress = _settings.ClusterAddress,
        ClusterKeyspace = _settings.ClusterPort == 0 ? "" : _settings.ClusterKeyspace,
        Zone = _settings.Zone,
        Region = _settings.Region,
        UpdateDomain = _settings.UpdateDomain,
        Weight = (uint)_settings.Weight,
        FeatureLevelMax = FeatureLevelMax,
        ReadReplica = _settings.Join is not null || _settings.Replica,
    };

    /// <summary>What is wrong with the master key's file; null for nothing.</summary>
    private string? ReadMasterKey()
    {
        if (_settings.MasterKeyFile is not { } file)
        {
            return null;
        }

        try
        {
            _masterKey = MasterKey.TryParse(File.ReadAllBytes(file), file, out string sentence);
            return _masterKey is null ? sentence : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"--master-key-file {file} cannot be read ({e.Message.TrimEnd('.')}): name the file that holds the "
                + "cluster's master key.";
        }
    }

    private static NodeEvent StartOf(bool wasLeft) => wasLeft
        ? new(
            "start",
            "This node was started; its process before was not stopped in order: it was killed, ended by itself, or "
                + "its machine did.",
            "unordered")
        : new("start", "This node was started.", "ordered");

    /// <summary>
    /// Says in the folder whose process has it, for people and scripts; only the lock counts. True when one before has
    /// left it there.
    /// </summary>
    private bool KeepProcessId(DataFolder folder)
    {
        string path = Path.Combine(folder.Root, DataFolder.ProcessIdName);
        bool wasLeft = File.Exists(path);
        try
        {
            File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On a full disk, for instance, on which a node must be able to start.
            _processIdProblem = $"{path} could not be written ({e.Message.TrimEnd('.')}): nothing but `quorate up` and "
                + "scripts look for this process there.";
            return wasLeft;
        }

        _opened.Push(new Closing(() =>
        {
            File.Delete(path);
            return Task.CompletedTask;
        }));
        return wasLeft;
    }

    private void Keep(IDisposable opened) => _opened.Push(new Closing(() =>
    {
        opened.Dispose();
        return Task.CompletedTask;
    }));

    private sealed class Closing(Func<Task> close) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await close().ConfigureAwait(false);
    }
}
