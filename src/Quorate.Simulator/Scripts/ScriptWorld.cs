using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Scripts;

/// <summary>
/// All that a script acts on: replicas, the network between them, the common clock, clients' requests.
/// </summary>
internal sealed class ScriptWorld
{
    private readonly SortedDictionary<uint, ScriptReplica> _nodes = [];

    private readonly ScriptPrinter _printer = new();

    public ScriptWorld() => Checks = new(this);

    public ScriptOutput Out { get; } = new();

    public ScriptNetwork Network { get; } = new();

    public ScriptRequests Requests { get; } = new();

    public ScriptChecks Checks { get; }

    public RaftSettings Settings { get; set; } = ScriptSettings.Default;

    public IEnumerable<ScriptReplica> Replicas => _nodes.Values;

    public ScriptReplica Node(string word)
    {
        uint node = (uint)ScriptWords.Number(word);
        return _nodes.TryGetValue(node, out ScriptReplica? replica)
            ? replica
            : throw ScriptWords.Wrong($"there is no node {node}");
    }

    /// <summary>A node whose process runs.</summary>
    public ScriptReplica Running(string word)
    {
        ScriptReplica replica = Node(word);
        return replica.IsUp ? replica : throw ScriptWords.Wrong($"node {word} is down");
    }

    public ScriptReplica? Find(ReplicaId id) =>
        _nodes.TryGetValue(id.Node, out ScriptReplica? replica) && replica.Id == id ? replica : null;

    /// <summary>Puts a replica on its node, in the place of an earlier incarnation.</summary>
    public ScriptReplica Place(ReplicaId id, Membership? bootstrap)
    {
        var replica = new ScriptReplica(id, bootstrap, this);
        if (_nodes.TryGetValue(id.Node, out ScriptReplica? before))
        {
            before.Stop();
            replica.Clock.Advance(before.Clock.Now - Instant.Zero);
        }

        _nodes[id.Node] = replica;
        return replica;
    }

    public void Send(in RaftMessage message)
    {
        bool lost = Network.IsCut(message.From.Node, message.To.Node)
            || !_nodes.TryGetValue(message.To.Node, out ScriptReplica? to) || !to.IsUp;
        Show(message, lost ? "-x" : "->");
        if (!lost)
        {
            Network.InFlight.Add(message);
        }
    }

    public void Show(in RaftMessage message, string arrow)
    {
        bool isHeartbeat = message.Kind is MessageKind.Heartbeat or MessageKind.HeartbeatResponse;
        if (!Out.HidesHeartbeats || !isHeartbeat)
        {
            Out.Detail($"{message.From} {arrow} {message.To} {_printer.Describe(message)}");
        }
    }

    /// <summary>Hands messages to their receivers; those for a paused node stay on their way.</summary>
    public void Deliver(IEnumerable<RaftMessage> messages)
    {
        foreach (RaftMessage message in messages)
        {
            if (!_nodes.TryGetValue(message.To.Node, out ScriptReplica? to) || !to.IsUp)
            {
                continue;
            }

            if (to.IsPaused)
            {
                Network.InFlight.Add(message);
                continue;
            }

            Out.Arrival($"{to.Id} <- {message.From} {message.Kind}");
            to.Feed(now => RaftInput.FromPeer(now, message));
        }
    }

    /// <summary>Delivers and completes everything until nothing is left to do at this moment.</summary>
    public void Settle()
    {
        for (int rounds = 0; rounds < 1000; rounds++)
        {
            foreach (ScriptReplica replica in Replicas.Where(r => r.IsUp && !r.IsPaused))
            {
                CatchUpUnlessLate(replica);
            }

            List<RaftMessage> due = [.. Network.InFlight.Where(m => !IsForPaused(m))];
            if (due.Count == 0)
            {
                return;
            }

            Network.InFlight.RemoveAll(m => !IsForPaused(m));
            Deliver(due);
        }

        throw new ScriptFailedException("broken claim: the replicas do not come to rest in 1000 rounds of messages");
    }

    /// <summary>
    /// Lets common time pass in steps of a tick. A replica is ticked when its deadline has come and it is one of
    /// <paramref name="ticked"/>; after each step <paramref name="afterEach"/> says whether to go on.
    /// </summary>
    public void Pass(Duration time, Func<ScriptReplica, bool> ticked, Func<bool> afterEach)
    {
        for (Duration left = time; left > Duration.Zero;)
        {
            Duration step = left < Settings.TickInterval ? left : Settings.TickInterval;
            left -= step;
            foreach (ScriptReplica replica in Replicas)
            {
                replica.Clock.Advance(step);
            }

            foreach (ScriptReplica replica in Replicas.Where(r => r.IsUp && !r.IsPaused && ticked(r)).ToArray())
            {
                if (replica.NextDeadline <= replica.Clock.Now)
                {
                    replica.Feed(RaftInput.Tick);
                }
            }

            if (!afterEach())
            {
                return;
            }
        }
    }

    private bool IsForPaused(RaftMessage message) =>
        _nodes.GetValueOrDefault(message.To.Node) is { IsPaused: true };

    private static void CatchUpUnlessLate(ScriptReplica replica)
    {
        if (replica.Late == LateWork.None && !replica.IsSettled)
        {
            replica.CatchUp();
        }
    }
}
