using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Simulator.Engine;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// The connections between machines, as the server's peer links behave over TCP: for each pair and lane one, opened by
/// whoever sends; what is on it arrives once and in order, or is lost together with it; a loss of packets is a delay;
/// who falls silent is noticed after a while, who dies at once.
/// <para>Invariants: nothing arrives twice; nothing overtakes on a line; when a line breaks both ends are told, and
/// what was on its way may still arrive.</para>
/// </summary>
internal sealed class PeerLines
{
    /// <summary>A connection on which nothing comes back is over after this.</summary>
    public const long SilentAfter = 2_000_000;

    /// <summary>A connection, or an answer to a question, is waited for so long.</summary>
    public const long HandshakeTime = 2_000_000;

    private const long RetransmitTime = 50_000;
    private const long LookInterval = 250_000;
    private const long BackOffMin = 20_000;
    private const long BackOffMax = 1_000_000;

    private readonly ClusterWorld _world;
    private readonly SeededRandom _random;
    private readonly SortedDictionary<(int From, int To, uint Node, int Lane), PeerLine> _lines = [];
    private readonly int[] _cuts;

    public PeerLines(ClusterWorld world)
    {
        _world = world;
        _random = world.Streams.Open(StreamName.Network);
        int machines = world.Plan.Machines;
        _cuts = new int[machines * machines];
    }

    /// <summary>False once everything has healed: nothing is late any more.</summary>
    public bool Faulty { get; set; } = true;

    public void Cut(int from, int to) => _cuts[IndexOf(from, to)]++;

    public void Mend(int from, int to) => _cuts[IndexOf(from, to)] = Math.Max(0, _cuts[IndexOf(from, to)] - 1);

    public void HealAll()
    {
        Faulty = false;
        Array.Clear(_cuts);
    }

    /// <summary>False when it surely is lost.</summary>
    public bool Send(ClusterMachine from, NodeId to, PeerClass by, byte[] message)
    {
        ClusterMachine? target = AddressOf(from, to);
        if (target is null)
        {
            return false;
        }

        PeerLine line = LineOf(from.Number, target.Number, to, LaneOf(by));
        if (line.State == LineState.Closed)
        {
            if (_world.Now < line.RetryAt || line.IsLossUnheard)
            {
                return false;
            }

            Connect(line, from, target);
        }

        line.Wire!.Bytes.Enqueue(message);
        if (line.State == LineState.Open)
        {
            Carry(line, line.Wire);
        }

        return true;
    }

    /// <summary>One question by address and its answer, on a connection of their own.</summary>
    public void Ask(ClusterMachine from, string address, byte[] question)
    {
        ClusterMachine? to = Array.Find(
            _world.Machines, machine => string.Equals(machine.Address, address, StringComparison.Ordinal));
        if (to is null || IsCut(from.Number, to.Number) || IsCut(to.Number, from.Number) || !Lives(to))
        {
            return;
        }

        long asked = _world.Now;
        uint life = from.Life;
        _world.Later(Way(), EventKind.Message, to, to.Life, (ulong)question.Length, () =>
        {
            byte[] answer = to.Answer(question);
            long way = Way();
            if (_world.Now + way - asked <= HandshakeTime && !IsCut(to.Number, from.Number))
            {
                _world.Later(way, EventKind.Message, from, life, (ulong)answer.Length, () =>
                    from.Formation?.Answered(address, answer));
            }
        });
    }

    /// <summary>A process is gone: its connections break, and where its machine lives on the others know at
    /// once.</summary>
    public void ProcessEnded(ClusterMachine machine, bool powerLoss)
    {
        foreach (PeerLine line in _lines.Values)
        {
            if (line.From == machine.Number || line.To == machine.Number)
            {
                LineWire? wire = line.Wire;
                if (wire is null)
                {
                    Renew(line, machine);
                    continue;
                }

                long notice = powerLoss || IsCut(line.From, line.To) || IsCut(line.To, line.From)
                    ? SilentAfter
                    : 1 + Way();
                if (line.From == machine.Number)
                {
                    // What has left the machine still arrives; then the other end sees that it is over.
                    Lose(line, wire);
                    wire.LingersUntil = powerLoss ? wire.LingersUntil : long.MaxValue;
                    Renew(line, machine);
                    TellLater(notice, line.To, wire.Source, line.Lane);
                }
                else
                {
                    _world.Later(notice, EventKind.Schedule, () => Break(line, wire), line.To);
                }
            }
        }
    }

    /// <summary>The next process begins with lines of its own.</summary>
    private static void Renew(PeerLine line, ClusterMachine ended)
    {
        if (line.From == ended.Number)
        {
            line.IsLossUnheard = false;
            line.RetryAt = 0;
            line.Failures = 0;
        }
    }

    /// <summary>Lines on which nothing comes back for too long are over. To be called once, at the
    /// beginning.</summary>
    public void LookAfter()
    {
        foreach (PeerLine line in _lines.Values)
        {
            if (line is not { State: LineState.Open, Wire: { } wire })
            {
                continue;
            }

            bool isSilent = IsCut(line.From, line.To) || IsCut(line.To, line.From)
                || _world.Machines[line.To].Life != wire.TargetLife
                || _world.Machines[line.To].State == NodeState.Paused;
            wire.SilentSince = isSilent ? Math.Min(wire.SilentSince, _world.Now) : long.MaxValue;
            if (_world.Now - wire.SilentSince >= SilentAfter && isSilent
                && _world.Machines[line.From].State == NodeState.Up)
            {
                Break(line, wire);
            }
        }

        _world.Later(LookInterval, EventKind.Schedule, LookAfter);
    }

    /// <summary>Where the asker looks for a node; null where it knows no address.</summary>
    private ClusterMachine? AddressOf(ClusterMachine from, NodeId to) =>
        from.Addresses.TryGetValue(to, out string? address)
            ? Array.Find(
                _world.Machines, machine => string.Equals(machine.Address, address, StringComparison.Ordinal))
            : null;

    private void Connect(PeerLine line, ClusterMachine from, ClusterMachine to)
    {
        var wire = new LineWire(from.Identity!.Node);
        line.Wire = wire;
        line.State = LineState.Connecting;
        bool isSilent = IsCut(from.Number, to.Number) || IsCut(to.Number, from.Number)
            || to.State == NodeState.Paused;
        long time = isSilent ? HandshakeTime : 2 * Way();
        _world.Later(time, EventKind.Schedule, () =>
        {
            if (line.Wire != wire || line.State != LineState.Connecting)
            {
                return;
            }

            // A handshake tells who is there: another folder at the same address is another node.
            bool isThere = !isSilent && Lives(to) && to.Node is not null && to.Identity!.Node == line.Node
                && to.Identity.Cluster == from.Identity?.Cluster;
            if (!isThere)
            {
                Break(line, wire);
                return;
            }

            wire.TargetLife = to.Life;
            line.State = LineState.Open;
            line.Failures = 0;
            for (int i = wire.Bytes.Count; i > 0; i--)
            {
                Carry(line, wire);
            }
        }, line.To);
    }

    /// <summary>One message more is on its way: whichever is first on the line arrives then.</summary>
    private void Carry(PeerLine line, LineWire wire)
    {
        wire.LastArrival = Math.Max(wire.LastArrival, _world.Now + Way());
        ArriveLater(line, wire, wire.LastArrival - _world.Now);
    }

    private void ArriveLater(PeerLine line, LineWire wire, long time)
    {
        ClusterMachine to = _world.Machines[line.To];
        ulong digest = ((ulong)line.From << 8) ^ (ulong)line.Lane;
        _world.Later(time, EventKind.Message, to, wire.TargetLife, digest, () => Arrive(line, wire, to));
    }

    private void Arrive(PeerLine line, LineWire wire, ClusterMachine to)
    {
        if (wire.IsBroken && _world.Now > wire.LingersUntil)
        {
            wire.Bytes.Clear();
        }
        else if (IsCut(line.From, line.To))
        {
            // Who looks after the lines decides when this has gone on for too long.
            ArriveLater(line, wire, RetransmitTime);
        }
        else if (wire.Bytes.TryDequeue(out byte[]? message))
        {
            if (_world.Trace.Verbose)
            {
                _world.Note(to.Name, $"{(char)('0' + line.Lane)}< n{line.From + 1}: {LineText.Of(message)}");
            }

            _world.Trace.Digest(LineText.DigestOf(message));
            to.Node?.Receive(wire.Source, message);
        }
    }

    /// <summary>The connection is over, and both ends are told.</summary>
    private void Break(PeerLine line, LineWire wire)
    {
        if (line.Wire != wire)
        {
            return;
        }

        bool wasOpen = line.State == LineState.Open;
        Lose(line, wire);
        line.IsLossUnheard = true;
        Tell(line.From, line.Node, line.Lane, nothingLeft: !wasOpen, line);
        if (wasOpen)
        {
            TellLater(1 + Way(), line.To, wire.Source, line.Lane);
        }
    }

    private void Lose(PeerLine line, LineWire wire)
    {
        bool wasOpen = line.State == LineState.Open;
        line.IsLossUnheard = false;
        wire.IsBroken = true;
        wire.LingersUntil = wasOpen ? _world.Now + _random.Next(20_000) : 0;
        if (wasOpen && _world.Machines[line.To].State == NodeState.Paused && _random.Next(2) == 0)
        {
            // Its kernel has taken them, and the process reads them when it goes on.
            wire.LingersUntil = long.MaxValue;
        }

        line.Wire = null;
        line.State = LineState.Closed;
        long longest = Math.Min(BackOffMin << Math.Min(line.Failures, 20), BackOffMax);
        line.RetryAt = _world.Now + (longest / 2) + _random.Next((longest / 2) + 1);
        line.Failures++;
    }

    private void TellLater(long time, int at, NodeId peer, int lane) =>
        _world.Later(time, EventKind.Schedule, () => Tell(at, peer, lane), at);

    /// <summary>A process that hears of a lost connection hears of it as an event of its own.</summary>
    /// <param name="own">The line, when it is one of that process itself.</param>
    private void Tell(int at, NodeId peer, int lane, bool nothingLeft = false, PeerLine? own = null)
    {
        ClusterMachine machine = _world.Machines[at];
        machine.Later(0, EventKind.Notice, peer.Value, () =>
        {
            for (PeerClass by = PeerClass.Urgent; by <= PeerClass.Bulk; by++)
            {
                if (LaneOf(by) == lane)
                {
                    machine.Node?.LinkLost(peer, by, nothingLeft);
                }
            }

            if (own is not null)
            {
                own.IsLossUnheard = false;
            }
        });
    }

    /// <summary>The machine's kernel takes connections for the process.</summary>
    private static bool Lives(ClusterMachine machine) => machine.State != NodeState.Down;

    private long Way()
    {
        long time = 1 + _world.Plan.Network.LatencyMin + _random.Next(_world.Plan.Network.LatencySpread + 1);
        if (Faulty && _random.Chance(_world.Plan.Network.DropPpm))
        {
            // A packet was lost and is sent again.
            time += 200_000 << (int)_random.Next(3);
        }

        return Faulty && _random.Chance(_world.Plan.Network.DelayPpm)
            ? time + _random.Next(_world.Plan.Network.DelayMax + 1)
            : time;
    }

    private bool IsCut(int from, int to) => _cuts[IndexOf(from, to)] > 0;

    private int IndexOf(int from, int to) => (from * _world.Plan.Machines) + to;

    private PeerLine LineOf(int from, int to, NodeId node, int lane)
    {
        if (!_lines.TryGetValue((from, to, node.Value, lane), out PeerLine? line))
        {
            line = new(from, to, node, lane);
            _lines.Add((from, to, node.Value, lane), line);
        }

        return line;
    }

    private static int LaneOf(PeerClass by) => by switch
    {
        PeerClass.Requests => 1,
        PeerClass.Bulk => 2,
        _ => 0,
    };
}
