using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using NodeState = Quorate.Simulator.World.NodeState;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// What a run does when: machines start and are broken; then everything heals, and progress is demanded step by step.
/// </summary>
internal sealed class ClusterSchedule
{
    private const long LookInterval = 50_000;

    /// <summary>Machines are switched on within this.</summary>
    private const long StartsWithin = 1_500_000;

    /// <summary>After everything has healed: all nodes serve and agree, in microseconds.</summary>
    private const long ServesWithin = 20_000_000;

    /// <summary>Leaders are where they belong: so long, and an interval of the balance for each partition.</summary>
    private const long BalancedWithin = 5_000_000;

    /// <summary>What was on its way then has arrived, in microseconds.</summary>
    private const long SettlesFor = 4_000_000;

    /// <summary>Then nothing is elected any more, while this was looked at.</summary>
    private const long CalmFor = 3_000_000;

    /// <summary>What was dropped is gone.</summary>
    private const long CleanWithin = 10_000_000;

    /// <summary>Read replicas hold what all partitions hold.</summary>
    private const long FollowsWithin = 20_000_000;

    /// <summary>Tables that need a data key which was exchanged are written again.</summary>
    private const long RewrittenWithin = 10_000_000;

    /// <summary>Between two requests while a node stops.</summary>
    private const long StopPace = 20_000;

    private const long StopSlack = 1_000_000;

    /// <summary>Requests that are refused one after the other.</summary>
    private const int StopRefusalsMax = 2;

    private readonly ClusterWorld _world;
    private readonly SeededRandom _random;
    private readonly ClusterClient _reader;
    private readonly Queue<(string Keyspace, int Key)> _reads = new();
    private bool _isStopLoadOn;
    private int _refusals;

    public ClusterSchedule(ClusterWorld world)
    {
        _world = world;
        _random = world.Streams.Open(StreamName.Placement);
        _reader = new(world, world.Plan.Clients);
    }

    public bool IsOver { get; private set; }

    public void Begin()
    {
        _world.Lines.LookAfter();
        foreach (ClusterMachine machine in _world.Machines)
        {
            _world.Faults.StartLater(machine, 1 + _random.Next(StartsWithin));
        }

        _world.Faults.Begin();
        _world.Later(LookInterval, EventKind.Schedule, AwaitKeyspaces);
        _world.Later(_world.Plan.SafetyTime, EventKind.Schedule, Heal);
    }

    /// <summary>Clients begin once a node knows of a keyspace.</summary>
    private void AwaitKeyspaces()
    {
        if (_world.Plan.IsWild)
        {
            // Whatever they wrote would go with the disks.
            return;
        }

        if (_world.Checks.Newest is not { NextKeyspace: > 1 })
        {
            _world.Later(LookInterval, EventKind.Schedule, AwaitKeyspaces);
            return;
        }

        foreach (ClusterClient client in _world.Clients)
        {
            client.Begin();
        }

        _world.Admin.Begin();
    }

    private void Heal()
    {
        _world.Note("run", "everything heals");
        _world.Faults.EndAll();
        _world.Admin.HasStopped = true;
        foreach (ClusterClient client in _world.Clients)
        {
            client.HasStopped = true;
        }

        if (_world.Plan.IsWild)
        {
            // Founders may have lost their disks: what must never be was looked at all the time.
            _world.Later(BalancedWithin, EventKind.Schedule, () => IsOver = true);
            return;
        }

        Await(RunClaims.ProgressFormation, ServesWithin, WhyNotServing, () => AwaitBalance(
            () => _world.Later(SettlesFor, EventKind.Schedule, () => AwaitBalance(AwaitCalm))));
    }

    private void AwaitBalance(Action then)
    {
        long handing = _world.Checks.Newest!.Partitions.Count * _world.Plan.Settings.BalanceInterval.Microseconds;
        Await(RunClaims.ProgressBalance, BalancedWithin + handing, WhyNotBalanced, then);
    }

    /// <summary>Looks again and again until nothing is in the way; then goes on.</summary>
    private void Await(string claim, long within, Func<string?> problem, Action then)
    {
        long until = _world.Now + within;
        void Look()
        {
            string? why = problem();
            if (why is null)
            {
                then();
            }
            else if (_world.Now >= until)
            {
                RunClaims.Break(claim, $"{within / 1000} ms after everything was well: {why}");
            }
            else
            {
                _world.Later(LookInterval, EventKind.Schedule, Look);
            }
        }

        Look();
    }

    private string? WhyNotServing()
    {
        foreach (ClusterMachine machine in _world.Machines)
        {
            if (machine is not { State: NodeState.Up, Node: { } node })
            {
                return $"{machine.Name} belongs to no cluster";
            }

            // A change that was refused has a version of its own, which nobody is shown until he starts anew.
            if (!node.View.HasKeyspaces || !ClusterChecks.AreAlike(node.View.State, _world.Checks.Newest!))
            {
                return $"{machine.Name} knows version {node.View.Version} of the metadata";
            }
        }

        if (Array.Find(_world.Clients, client => client.IsBusy) is { } busy)
        {
            return $"client {busy.Number + 1} still waits";
        }

        foreach (ClusterMachine machine in _world.Machines)
        {
            ClusterReport report = machine.Node!.Report();
            if (report.MetadataLeader.IsNone)
            {
                return $"{machine.Name} knows no leader of the metadata group";
            }

            ClusterMachine? deaf = Array.Find(
                _world.Machines,
                other => report.Nodes.Any(node => node.Id == other.Identity!.Node && !node.IsHeard));
            if (deaf is not null)
            {
                return $"{machine.Name} does not hear {deaf.Name}";
            }
        }

        foreach (PartitionRecord row in _world.Checks.Newest!.Partitions)
        {
            if (LeaderOf(row.Group) is null)
            {
                return $"partition {row.Group} has no leader";
            }
        }

        // A machine that lost its disk is another node; the one that it was stays in the map until someone removes it.
        int nodes = _world.Checks.Newest.Nodes.Count - _world.Machines.Sum(machine => machine.Wipes);
        return nodes > _world.Machines.Length ? $"there are {nodes} nodes of {_world.Machines.Length} machines" : null;
    }

    private ClusterMachine? LeaderOf(uint group)
    {
        ClusterMachine[] leaders =
        [
            .. _world.Machines.Where(
                machine => machine.IsUp && machine.Node?.Runtime.Find(new(group)) is { IsLeader: true }),
        ];
        return leaders.Length == 1 ? leaders[0] : null;
    }

    private string? WhyNotBalanced()
    {
        foreach (PartitionReport partition in _world.Machines[0].Node!.Report().Partitions)
        {
            // Who lost its disk is not there any more.
            ClusterMachine? preferred = Array.Find(
                _world.Machines, machine => machine.Identity?.Node == partition.PreferredLeader);
            if (preferred is not null && LeaderOf((uint)partition.Group.Value) != preferred)
            {
                return $"partition {partition.Group} is led by {LeaderOf((uint)partition.Group.Value)?.Name}, and it "
                    + $"belongs to {preferred.Name}";
            }
        }

        return null;
    }

    private void AwaitCalm()
    {
        _world.Note("run", "leaders are where they belong");
        _world.Judgements.Note(ClusterJudgements.Healed);
        if (_world.Machines.Any(machine => machine.Wipes > 0))
        {
            _world.Judgements.Note(ClusterJudgements.Rejoins);
        }

        long changes = _world.Changes;
        _world.Later(CalmFor, EventKind.Schedule, () =>
        {
            if (_world.Changes != changes)
            {
                RunClaims.Break(
                    RunClaims.ProgressBalance,
                    $"{_world.Changes - changes} leaders were elected in {CalmFor / 1000} ms in which nothing went "
                        + "wrong");
            }

            _world.Encryption.CheckPlaintext();
            Await(RunClaims.ProgressReplicas, FollowsWithin, _world.Checks.WhyNotFollowing, () => Await(
                RunClaims.ProgressRewritten, RewrittenWithin, _world.Encryption.WhyNotRewritten, ReadAll));
        });
    }

    /// <summary>Every key can be read, at any node.</summary>
    private void ReadAll()
    {
        foreach (KeyspaceRecord keyspace in _world.Checks.Newest!.Keyspaces)
        {
            for (int key = 0; key < 2 * _world.Plan.Work.Keys; key++)
            {
                _reads.Enqueue((keyspace.Name, key));
            }
        }

        ReadNext();
    }

    private void ReadNext()
    {
        if (!_reads.TryDequeue(out (string Keyspace, int Key) next))
        {
            AwaitStop();
            return;
        }

        ClusterMachine at = _world.Machines[_random.Next(_world.Machines.Length)];
        _reader.Do(_reader.Read(next.Keyspace, next.Key), at, ended =>
        {
            if (ended.Outcome != Outcome.Done)
            {
                RunClaims.Break(
                    RunClaims.ProgressWrites, $"{ended} is {ended.Outcome} at {at.Name}, where all is well");
            }

            ReadNext();
        });
    }

    /// <summary>One node stops well, while others write: nobody notices.</summary>
    private void AwaitStop()
    {
        bool mayStop = _world.Machines.Length >= 3 && _world.Plan.Expect >= 3
            && _world.Machines.All(machine => machine.Wipes == 0);
        if (!mayStop)
        {
            AwaitClean();
            return;
        }

        ClusterMachine stopping = _world.Machines[_random.Next(_world.Machines.Length)];
        _isStopLoadOn = true;
        Load(stopping);
        _world.Note("run", $"{stopping.Name} is asked to stop");
        stopping.Later(0, EventKind.Schedule, 0, () => stopping.Node!.BeginStop());
        Await(
            RunClaims.ProgressStop,
            _world.Plan.Settings.StopAfter.Microseconds + StopSlack,
            () => stopping.IsStopReady ? null : $"{stopping.Name} is not ready to stop",
            () => Stopped(stopping));
    }

    private void Stopped(ClusterMachine stopping)
    {
        _world.Judgements.Note(ClusterJudgements.Stops);
        stopping.Stop();
        _world.Later(1_500_000, EventKind.Schedule, () =>
        {
            _isStopLoadOn = false;
            stopping.Start();
            Await(RunClaims.ProgressFormation, ServesWithin, WhyNotServing, AwaitClean);
        });
    }

    /// <summary>Writes to the keyspace that outlives one node, at the others.</summary>
    private void Load(ClusterMachine stopping)
    {
        if (!_isStopLoadOn)
        {
            return;
        }

        ClusterMachine[] others = [.. _world.Machines.Where(machine => machine != stopping)];
        ClusterMachine at = others[_random.Next(others.Length)];
        int key = _world.Plan.Work.Keys + (int)_random.Next(_world.Plan.Work.Keys);
        _reader.Do(_reader.Increase("default", key), at, ended =>
        {
            // Now and then one is refused, and told to try again; that works.
            _refusals = ended.Outcome == Outcome.Refused ? _refusals + 1 : 0;
            if (ended.Outcome == Outcome.Unknown || _refusals > StopRefusalsMax)
            {
                RunClaims.Break(
                    RunClaims.ProgressStop,
                    $"{ended} is {ended.Outcome} at {at.Name} while {stopping.Name} stops well");
            }

            _world.Later(StopPace, EventKind.Schedule, () => Load(stopping));
        });
    }

    private void AwaitClean() => Await(
        RunClaims.ProgressClean, CleanWithin, () => _world.Checks.Remains(_world.Checks.Newest!), () =>
        {
            MetadataState state = _world.Checks.Newest!;
            if (state.NextKeyspace > state.Keyspaces.Count + 1)
            {
                _world.Judgements.Note(ClusterJudgements.Drops);
            }

            _world.Encryption.CheckPlaintext();
            IsOver = true;
        });
}
