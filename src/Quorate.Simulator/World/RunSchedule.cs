using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.World;

/// <summary>
/// The order of a run: faults and clients together, then everything heals, and from then on progress is demanded
/// step by step, each within its named time.
/// </summary>
internal sealed class RunSchedule(Simulation world)
{
    /// <summary>How often the schedule looks, in microseconds.</summary>
    private const long Interval = 100_000;

    /// <summary>How long after its deadline a request may still be answered, in microseconds.</summary>
    private const long AnswerSlack = 3_000_000;

    private readonly long _settleTime = 60_000_000;
    private readonly long _writeTime = 60_000_000;
    private readonly long _convergeTime = Standing.SnapshotsAreSlow(world.Plan) ? 120_000_000 : 30_000_000;
    private readonly long _spaceTime = 30_000_000;
    private readonly long _sleepTime = 30_000_000;
    private readonly long _wakeTime = 15_000_000;

    private readonly Standing _standing = new(world);
    private readonly SpaceRound _space = new(world);
    private Phase _phase = Phase.Faults;
    private long _since;
    private SimulatedNode? _killed;
    private readonly List<(int Group, ReplicaId Leader)> _orphans = [];

    private enum Phase
    {
        Faults,
        Settling,
        Writing,
        Converging,

        /// <summary>Typed values only: every replica is asked for every key.</summary>
        Auditing,
        Audited,

        /// <summary>Typed values only: the logs ask for space.</summary>
        Releasing,
        FallingAsleep,
        Waking,
        FallingAsleepAgain,
        Electing,
        Over,
    }

    public bool IsOver => _phase == Phase.Over;

    private bool IsLate(long time) => world.Now > _since + time;

    public void Begin() => Again();

    public void Step()
    {
        CheckAnswers();
        Phase before = _phase;
        switch (_phase)
        {
            case Phase.Faults:
                EndFaults();
                break;
            case Phase.Settling:
                Settle();
                break;
            case Phase.Writing:
                Write(Phase.Converging, _writeTime, RunClaims.ProgressWrites);
                break;
            case Phase.Converging or Phase.Audited:
                Converge();
                break;
            case Phase.Auditing:
                Write(Phase.Audited, _writeTime, RunClaims.ProgressWrites);
                break;
            case Phase.Releasing:
                Release();
                break;
            case Phase.FallingAsleep or Phase.FallingAsleepAgain:
                FallAsleep();
                break;
            case Phase.Waking:
                Write(Phase.FallingAsleepAgain, _wakeTime, RunClaims.ProgressWake);
                break;
            default:
                Elect();
                break;
        }

        if (_phase != before)
        {
            _since = world.Now;
            if (world.Trace.Verbose)
            {
                world.Note("run", $"{_phase}");
            }
        }

        Again();
    }

    private void Again() =>
        world.Queue.Add(world.Now + Interval, new SimEvent { Kind = EventKind.Schedule, Target = -1 });

    private void CheckAnswers()
    {
        foreach (SimulatedNode node in world.Nodes)
        {
            if (node.State == NodeState.Up)
            {
                foreach (SimulatedReplica? replica in node.Replicas)
                {
                    replica?.CheckAnswers(AnswerSlack);
                }
            }
        }
    }

    private void EndFaults()
    {
        bool isDone = world.Operations >= world.Plan.OperationsMax && world.Clients.All(client => client.IsIdle);
        if (world.Now < world.Plan.SafetyTime && !isDone)
        {
            return;
        }

        foreach (SimulatedClient client in world.Clients)
        {
            client.Works = false;
        }

        world.Faults.EndAll();
        _phase = Phase.Settling;
    }

    private void Settle()
    {
        if (!world.Operator.Rot.IsSettled())
        {
            if (IsLate(_settleTime))
            {
                RunClaims.Break(
                    RunClaims.RotFound, $"a turned bit is not found {_settleTime / 1000} ms after everything healed");
            }

            return;
        }

        for (int group = 0; group < world.Checks.Length; group++)
        {
            if (world.Operator.IsSettled(group))
            {
                continue;
            }

            if (IsLate(_settleTime))
            {
                bool led = world.Operator.LeaderOf(group, out _) is not null;
                RunClaims.Break(
                    led ? RunClaims.ProgressMembership : RunClaims.ProgressLeader,
                    $"group {group + 1} has {(led ? "not come to rest" : "no leader")} {_settleTime / 1000} ms "
                        + "after everything healed; "
                        + $"committed membership {world.Checks[group].Committed.Membership}",
                    _standing.States(group));
            }

            return;
        }

        for (int client = 0; client < world.Clients.Count; client++)
        {
            for (int group = 0; group < world.Checks.Length; group++)
            {
                AskToWrite(client, group);
            }
        }

        _phase = Phase.Writing;
    }

    /// <summary>Each client writes each key, and each key is read by one of them.</summary>
    private void AskToWrite(int client, int group)
    {
        int written = KeysOf(isWrite: true);
        int read = KeysOf(isWrite: false);
        for (int key = 0; key < Math.Max(written, read); key++)
        {
            if (key < written)
            {
                world.Clients[client].Do(new FinalTask(group, key, IsWrite: true));
            }

            if (key < read && (client + key) % world.Clients.Count == 0)
            {
                world.Clients[client].Do(new FinalTask(group, key, IsWrite: false));
            }
        }
    }

    private int KeysOf(bool isWrite) => world.Plan.Values is { } values
        ? ValueAsking.FinalKeys(values, isWrite)
        : world.Plan.Workload.KeysPerGroup;

    /// <summary>Every replica shows every key as it holds it, so that the model is compared with all.</summary>
    private void AskAllReplicas()
    {
        int client = 0;
        for (int group = 0; group < world.Checks.Length; group++)
        {
            foreach (ReplicaId id in world.Checks[group].Committed.Membership.AllReplicas)
            {
                for (int key = 0; key < KeysOf(isWrite: false); key++)
                {
                    client = (client + 1) % world.Clients.Count;
                    world.Clients[client].Do(new FinalTask(group, key, IsWrite: false, (int)id.Node - 1));
                }
            }
        }
    }

    private void Write(Phase next, long time, string claim)
    {
        if (world.Clients.All(client => client.IsIdle))
        {
            _phase = next;
        }
        else if (IsLate(time))
        {
            int tasks = world.Clients.Sum(client => client.TasksLeft);
            RunClaims.Break(
                claim,
                $"{tasks} requests are not done {time / 1000} ms after they were asked",
                Enumerable.Range(0, world.Checks.Length).SelectMany(_standing.States));
        }
    }

    private void Converge()
    {
        for (int group = 0; group < world.Checks.Length; group++)
        {
            if (_standing.Behind(group, _killed) is not { } behind)
            {
                continue;
            }

            if (IsLate(_convergeTime))
            {
                RunClaims.Break(RunClaims.ProgressConvergence, $"group {group + 1}: {behind}", _standing.States(group));
            }

            return;
        }

        if (_standing.Leaving() is { } leaving)
        {
            if (IsLate(_convergeTime))
            {
                RunClaims.Break(RunClaims.ProgressConvergence, leaving);
            }

            return;
        }

        if (_phase == Phase.Converging && world.Plan.Values is not null)
        {
            AskAllReplicas();
            _phase = Phase.Auditing;
        }
        else if (_phase == Phase.Audited && !world.RecordsDisks)
        {
            _space.Ask();
            _phase = Phase.Releasing;
        }
        else
        {
            Rest();
        }
    }

    private void Release()
    {
        if (_space.Kept() is not { } kept)
        {
            Rest();
        }
        else if (IsLate(_spaceTime))
        {
            RunClaims.Break(RunClaims.LogSpace, kept);
        }
    }

    private void Rest()
    {
        if (world.Plan.Raft.SleepAfterTicks > 0)
        {
            _phase = Phase.FallingAsleep;
        }
        else
        {
            Orphan();
        }
    }

    private void FallAsleep()
    {
        for (int group = 0; group < world.Checks.Length; group++)
        {
            foreach (ReplicaId id in world.Checks[group].Committed.Membership.AllReplicas)
            {
                if (world.Nodes[id.Node - 1].Replicas[group] is { Replica.Group.IsAsleep: true })
                {
                    continue;
                }

                if (IsLate(_sleepTime))
                {
                    RunClaims.Break(
                        RunClaims.ProgressSleep,
                        $"replica {id} of group {group + 1} is awake {_sleepTime / 1000} ms after the last request",
                        _standing.States(group));
                }

                return;
            }
        }

        if (_phase == Phase.FallingAsleepAgain)
        {
            Orphan();
            return;
        }

        for (int group = 0; group < world.Checks.Length; group++)
        {
            world.Clients[0].Do(new FinalTask(group, 0, IsWrite: true));
        }

        _phase = Phase.Waking;
    }

    /// <summary>Kills a leader's node for good; groups that keep a majority must elect without anyone asking.</summary>
    private void Orphan()
    {
        _phase = Phase.Over;
        if (world.Operator.LeaderOf(0, out SimulatedNode? node) is null || node is null)
        {
            return;
        }

        for (int group = 0; group < world.Checks.Length; group++)
        {
            Membership membership = world.Checks[group].Committed.Membership;
            bool leads = world.Operator.LeaderOf(group, out SimulatedNode? other) is not null && other == node;
            if (leads && MembershipChecks.IsQuorum(membership, id => id.Node != node.Number + 1))
            {
                _orphans.Add((group, world.Operator.LeaderOf(group, out _)!.Replica.Id));
            }
        }

        if (_orphans.Count > 0)
        {
            world.Operator.HeldDown[node.Number] = true;
            node.Kill(powerLoss: false);
            _killed = node;
            _phase = Phase.Electing;
        }
    }

    private void Elect()
    {
        foreach ((int group, ReplicaId dead) in _orphans)
        {
            bool led = world.Operator.LeaderOf(group, out _) is { } leader && leader.Replica.Id != dead
                && _standing.Behind(group, _killed) is null;
            if (led)
            {
                continue;
            }

            if (IsLate(_wakeTime))
            {
                RunClaims.Break(
                    RunClaims.ProgressWake,
                    $"group {group + 1} has no leader {_wakeTime / 1000} ms after the node of {dead} died",
                    _standing.States(group));
            }

            return;
        }

        _phase = Phase.Over;
    }
}
