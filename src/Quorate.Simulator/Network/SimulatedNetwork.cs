using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Network;

/// <summary>
/// The network between nodes: each ordered pair is a link that takes its time, loses, repeats, delays and reorders
/// by the plan, and may be cut for a while.
/// <para>Invariant: a link holds at most the plan's number of messages; more are lost.</para>
/// </summary>
internal sealed class SimulatedNetwork(NetworkPlan plan, int nodes, SeededRandom random, EventQueue queue)
{
    private readonly Link[] _links = [.. Enumerable.Range(0, nodes * nodes).Select(_ => new Link())];

    public MessagePool Messages { get; } = new();

    /// <summary>False once everything has healed: nothing is lost, repeated or late any more.</summary>
    public bool Faulty { get; set; } = true;

    /// <summary>Messages that were lost, whatever the cause.</summary>
    public long Lost { get; private set; }

    public void Send(long now, int from, int to, int group, in RaftMessage message)
    {
        Link link = LinkOf(from, to);
        if (Loses(link))
        {
            Lost++;
            return;
        }

        Deliver(now, link, to, group, from, message);
        if (Faulty && random.Chance(plan.DuplicatePpm))
        {
            Deliver(now, link, to, group, from, message);
        }
    }

    public void Send(long now, int from, int to, in NodeHeartbeat beat)
    {
        Link link = LinkOf(from, to);
        if (Loses(link))
        {
            Lost++;
            return;
        }

        var happening = new SimEvent
        {
            Kind = EventKind.Heartbeat,
            Target = to,
            Group = from,
            Number = beat.Boot ^ (ulong)beat.WallClock,
            Slot = beat.HearsYou ? 1 : 0,
            Payload = beat,
        };
        link.Waiting++;
        queue.Add(ArrivalTime(now, link), happening);
    }

    /// <summary>A message has left the link: it arrived, or there was nobody to take it.</summary>
    public void Arrived(int from, int to) => LinkOf(from, to).Waiting--;

    /// <summary>Cuts one direction; cuts add up.</summary>
    public void Cut(int from, int to) => LinkOf(from, to).Cuts++;

    public void Mend(int from, int to)
    {
        Link link = LinkOf(from, to);
        link.Cuts = Math.Max(0, link.Cuts - 1);
    }

    /// <summary>Everything on this link takes so much longer; zero ends it.</summary>
    public void SlowDown(int from, int to, long time) => LinkOf(from, to).Slowness = time;

    public void HealAll()
    {
        Faulty = false;
        foreach (Link link in _links)
        {
            link.Cuts = 0;
            link.Slowness = 0;
        }
    }

    /// <summary>The way of a client's request or of its answer; null when it is lost.</summary>
    public long? ClientTime()
    {
        long time = plan.ClientLatency + random.Next(plan.ClientLatency + 1);
        return Faulty && random.Chance(plan.DropPpm / 4) ? null : time;
    }

    private Link LinkOf(int from, int to) => _links[(from * nodes) + to];

    private bool Loses(Link link) =>
        link.Cuts > 0 || link.Waiting >= plan.LinkQueueMax || (Faulty && random.Chance(plan.DropPpm));

    private void Deliver(long now, Link link, int to, int group, int from, in RaftMessage message)
    {
        link.Waiting++;
        var happening = new SimEvent
        {
            Kind = EventKind.Message,
            Target = to,
            Group = group,
            Slot = Messages.Put(message),
            Number = (ulong)from,
        };
        queue.Add(ArrivalTime(now, link), happening);
    }

    private long ArrivalTime(long now, Link link)
    {
        long time = now + link.Slowness + plan.LatencyMin + random.Next(plan.LatencySpread + 1);
        if (Faulty && random.Chance(plan.DelayPpm))
        {
            time += random.Next(plan.DelayMax + 1);
        }

        if (!Faulty || !plan.Reorders)
        {
            time = Math.Max(time, link.LastArrival);
            link.LastArrival = time;
        }

        return time;
    }

    private sealed class Link
    {
        public int Cuts;
        public int Waiting;
        public long LastArrival;
        public long Slowness;
    }
}
