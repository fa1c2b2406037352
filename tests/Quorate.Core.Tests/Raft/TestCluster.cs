using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Raft;

/// <summary>
/// A few replicas of one group in memory, with a disk that is durable at once and a network that delivers in
/// order, for tests of single claims. Faults are the business of the scripts and of the simulator.
/// </summary>
internal sealed class TestCluster
{
    private readonly SortedDictionary<ReplicaId, RaftGroup> _groups = [];
    private readonly SortedDictionary<ReplicaId, List<Entry>> _logs = [];
    private readonly Queue<RaftMessage> _network = new();
    private ulong _lastRequest;

    public TestCluster(int nodes, RaftSettings? settings = null)
    {
        Settings = settings ?? new RaftSettings();
        Membership membership = Membership.Of(Enumerable.Range(1, nodes).Select(n => new ReplicaId((uint)n, 1)));
        foreach (ReplicaId id in membership.Voters)
        {
            Add(id, membership);
        }
    }

    public RaftSettings Settings { get; }

    public Instant Now { get; private set; } = Instant.Zero + Duration.FromSeconds(10);

    public List<Acknowledged> Acknowledged { get; } = [];

    public List<Dropped> Dropped { get; } = [];

    public List<ReadReady> ReadsReady { get; } = [];

    /// <summary>Messages for which this is true are lost.</summary>
    public Func<RaftMessage, bool> Loses { get; set; } = _ => false;

    public RaftGroup this[int node] => _groups[new((uint)node, 1)];

    public RaftGroup? Leader => _groups.Values.FirstOrDefault(g => g.Role == Role.Leader);

    public IReadOnlyList<Entry> LogOf(int node) => _logs[new((uint)node, 1)];

    public void Add(ReplicaId id, Membership? membership)
    {
        _groups[id] = new(id, Settings, new() { Bootstrap = membership }, id.Packed * 77, Now);
        _logs[id] = [];
    }

    public RequestId NextRequest() => new(++_lastRequest);

    public void Step(RaftGroup group, in RaftInput input)
    {
        var output = new RaftOutput();
        group.Step(input, output);
        Acknowledged.AddRange(output.Acknowledged);
        Dropped.AddRange(output.Dropped);
        ReadsReady.AddRange(output.ReadsReady);
        output.SendNow.ForEach(_network.Enqueue);
        foreach (Persist persist in output.Persists)
        {
            List<Entry> log = _logs[group.Id];
            if (persist.TruncateFrom > LogIndex.Zero)
            {
                log.RemoveAll(e => e.Index >= persist.TruncateFrom);
            }

            log.AddRange(persist.Entries);
            foreach (RaftMessage message in persist.SendAfter)
            {
                _network.Enqueue(message);
            }

            Step(group, RaftInput.Persisted(Now, persist.Sequence));
        }

        foreach (ApplyRange range in output.Applies)
        {
            Step(group, RaftInput.Applied(Now, range.Last));
        }
    }

    public void Deliver()
    {
        while (_network.TryDequeue(out RaftMessage message))
        {
            if (!Loses(message) && _groups.TryGetValue(message.To, out RaftGroup? group))
            {
                Step(group, RaftInput.FromPeer(Now, message));
            }
        }
    }

    /// <summary>Lets time pass in ticks, with all messages delivered between them.</summary>
    public void Run(Duration duration)
    {
        Instant end = Now + duration;
        while (Now < end)
        {
            Now += Settings.TickInterval;
            foreach (RaftGroup group in _groups.Values.ToArray())
            {
                Step(group, RaftInput.Tick(Now));
            }

            Deliver();
        }
    }

    public RaftGroup Elect()
    {
        Run(Duration.FromSeconds(2));
        return Leader ?? throw new InvalidOperationException("no leader was elected in two seconds");
    }

    public RequestId Propose(RaftGroup group, WriteLevel level = default, int bytes = 8)
    {
        RequestId request = NextRequest();
        Step(group, RaftInput.Propose(Now, request, new byte[bytes], level, Now + Duration.FromSeconds(5)));
        return request;
    }

    public RequestId Read(RaftGroup group, ReadLevel level = default, ReadToken token = default)
    {
        RequestId request = NextRequest();
        Step(group, RaftInput.Read(Now, request, level, token, Now + Duration.FromSeconds(5)));
        return request;
    }
}
