using System.Diagnostics;
using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Placement;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Tests.Resp;

/// <summary>
/// A node in memory. By default it completes calls before Submit returns; with <see cref="Late"/> set a thread of its
/// own completes them later, in any order that a node may: writes of one slot in theirs, all else at random.
/// </summary>
internal sealed class FakeGateway : INodeGateway, IDisposable
{
    private readonly Dictionary<uint, FakePartition> _partitions = [];
    private readonly ClusterMetadata _metadata = new(new MetadataLimits());
    private readonly List<ClientCall> _waiting = [];
    private readonly Random _random;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private ulong _index;
    private bool _isOver;

    public FakeGateway(int seed = 1, int nodes = 3)
    {
        _random = new Random(seed);
        Done(new MetadataCommand { FoundCluster = new FoundCluster { Cluster = 7, FeatureLevel = 1 } });
        for (int i = 0; i < nodes; i++)
        {
            Done(new MetadataCommand
            {
                AddNode = new AddNode { Node = NodeOf(i) },
            });
        }

        uint replicas = (uint)Math.Min(3, nodes);
        Create(new KeyspaceRecord { Name = "default", Replicas = replicas, Voters = replicas }, 16);
        View = MakeView();
        _thread = new Thread(Pump) { IsBackground = true };
        _thread.Start();
    }

    public Instant Now => new(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000));

    public ClusterView View { get; set; }

    public bool Late { get; set; }

    /// <summary>Calls stay where they are while this is set.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Says how a call ends instead of being evaluated; null evaluates it.</summary>
    public Func<ClientCall, CallResult?>? Instead { get; set; }

    /// <summary>Says how a command for the metadata group ends instead of being applied; null applies it.</summary>
    public Func<MetadataCommand, (Outcome Outcome, MetadataResult? Result)?>? InsteadOfMetadata { get; set; }

    /// <summary>Calls of each Submit.</summary>
    public List<int> Batches { get; } = [];

    public long Calls { get; private set; }

    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    public void Submit(ReadOnlySpan<ClientCall> calls)
    {
        if (!Late)
        {
            foreach (ClientCall call in calls)
            {
                call.Complete(Run(call));
            }

            return;
        }

        lock (_gate)
        {
            Batches.Add(calls.Length);
            Calls += calls.Length;
            _waiting.AddRange(calls);
        }
    }

    public void Submit(MetadataCall call)
    {
        MetadataCommand command = call.Command;
        string? warning = null;
        if (InsteadOfMetadata?.Invoke(command) is { } end)
        {
            call.Complete(end.Outcome, end.Result, null);
            return;
        }

        if (command.CreateKeyspace is { } creation)
        {
            (CreateKeyspace planned, warning) = new MetadataPlanner(_metadata, new PlacementSettings())
                .Plan(creation.Keyspace, call.Partitions, []);
            command = new MetadataCommand { CreateKeyspace = planned };
        }

        MetadataResult result = Apply(command);
        View = MakeView();
        call.Complete(Outcome.Done, result, warning);
    }

    public void Post(Action<ClusterNode> action) => throw new NotSupportedException("The fake has no node to look at.");

    public void Dispose()
    {
        _isOver = true;
        _thread.Join();
    }

    private CallResult Run(ClientCall call)
    {
        if (Instead?.Invoke(call) is { } result)
        {
            return result;
        }

        uint group = View.TryFind(call.Keyspace, out KeyspaceView? keyspace)
            ? keyspace.PartitionOf(call.Slot).Group
            : throw new InvalidOperationException("there is no such keyspace");
        FakePartition? partition;
        lock (_partitions)
        {
            if (!_partitions.TryGetValue(group, out partition))
            {
                _partitions.Add(group, partition = new FakePartition(new GroupId(group)));
            }
        }

        return partition.Run(call);
    }

    private void Pump()
    {
        while (!_isOver)
        {
            ClientCall? call = IsHeld ? null : TakeOne();
            if (call is null)
            {
                Thread.Sleep(1);
            }
            else
            {
                call.Complete(Run(call));
            }
        }
    }

    /// <summary>Any call that may go first: the first write of its slot, or any read.</summary>
    private ClientCall? TakeOne()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                return null;
            }

            ClientCall chosen = _waiting[_random.Next(_waiting.Count)];
            if (chosen.Writes)
            {
                chosen = _waiting.Find(call => call.Writes && call.Slot == chosen.Slot)!;
            }

            _waiting.Remove(chosen);
            return chosen;
        }
    }

    private MetadataResult Apply(MetadataCommand command) =>
        _metadata.Apply(new LogIndex(++_index), command.ToByteArray())!;

    private void Done(MetadataCommand command) => Assert.Equal("", Apply(command).Refusal);

    private void Create(KeyspaceRecord keyspace, int partitions) => Done(new MetadataCommand
    {
        CreateKeyspace = new MetadataPlanner(_metadata, new PlacementSettings()).Plan(keyspace, partitions, []).Command,
    });

    private static NodeRecord NodeOf(int number) => new()
    {
        Instance = 100 + (ulong)number,
        Weight = 100,
        FeatureLevelMax = 1,
        PeerAddress = $"127.0.0.1:{7601 + number}",
        ClusterAddress = $"10.0.0.{number + 1}:7701",
        ClusterKeyspace = "default",
    };

    private ClusterView MakeView() => new(new NodeId(1), _metadata.State.Clone());
}
