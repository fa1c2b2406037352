using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Storage.Encryption;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// An operator who creates, alters and drops keyspaces at any node, and gives encrypted ones new data keys. Each change
/// that can carries a number of its own (the life of keys, in hours), so that it is seen what came of it.
/// </summary>
internal sealed class KeyspaceAdmin : IEntropy
{
    /// <summary>No key expires within a run: the numbers begin here, in milliseconds.</summary>
    private const ulong MarkBase = 100_000_000;

    private const long Deadline = 2_000_000;

    /// <summary>A call is answered at most so long after its deadline, in microseconds.</summary>
    private const long AnswerAfterMax = 250_000;

    private static readonly string[] Names = ["a", "b", "c"];

    private readonly ClusterWorld _world;
    private readonly SeededRandom _random;
    private readonly SortedSet<ulong> _refused = [];
    private readonly SortedDictionary<ulong, uint> _created = [];
    private readonly SortedSet<uint> _encrypted = [];
    private ulong _marks = MarkBase;

    public KeyspaceAdmin(ClusterWorld world)
    {
        _world = world;
        _random = world.Streams.Open(StreamName.Operator);
        byte[] bytes = new byte[32];
        Fill(bytes);
        MasterKey = MasterKey.TryParse(bytes, "the run's seed", out _)!;
    }

    /// <summary>All nodes have it.</summary>
    public MasterKey MasterKey { get; }

    public bool HasStopped { get; set; }

    /// <summary>The ids of all encrypted keyspaces that there ever were.</summary>
    public IReadOnlyCollection<uint> Encrypted => _encrypted;

    /// <summary>Changes that were done, for the figures of a run.</summary>
    public int Done { get; private set; }

    public void Begin()
    {
        if (_world.Plan.Work.AdminTime > 0)
        {
            _world.Later(1 + _random.Next(2 * _world.Plan.Work.AdminTime), EventKind.Operator, Step);
        }
    }

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte next in bytes)
        {
            next = (byte)_random.Next(256);
        }
    }

    /// <summary>A version of the metadata is seen for the first time: nothing refused is in it.</summary>
    public void Look(MetadataState state)
    {
        foreach (KeyspaceRecord keyspace in state.Keyspaces)
        {
            ulong mark = keyspace.TtlMilliseconds;
            if (keyspace.Encrypted)
            {
                _encrypted.Add(keyspace.Id);
            }

            if (_refused.Contains(mark))
            {
                RunClaims.Break(
                    RunClaims.RefusedExecuted,
                    $"keyspace {keyspace.Id} '{keyspace.Name}' has what change {mark - MarkBase} asked for, which was "
                        + "refused");
            }

            if (_created.TryGetValue(mark, out uint id) && id != 0 && id != keyspace.Id)
            {
                RunClaims.Break(
                    RunClaims.ExecutedTwice, $"change {mark - MarkBase} has made keyspaces {id} and {keyspace.Id}");
            }

            if (_created.ContainsKey(mark))
            {
                _created[mark] = keyspace.Id;
            }
        }
    }

    private void Step()
    {
        if (HasStopped)
        {
            return;
        }

        ClusterMachine at = _world.Machines[_random.Next(_world.Machines.Length)];
        uint life = at.Life;
        if (at.IsUp && at.Node is { } node && node.View.HasKeyspaces && Draw(node.View, out ulong mark) is { } command)
        {
            at.Later(0, EventKind.Operator, mark, () => Submit(at, life, node, command, mark));
        }

        Begin();
    }

    private void Submit(ClusterMachine at, uint life, ClusterNode node, MetadataCommand command, ulong mark)
    {
        long asked = _world.Now;
        Instant deadline = at.Now + new Duration(Deadline);
        bool isDone = false;
        node.Submit(new AdminCall((outcome, result) =>
        {
            if (at.Life != life)
            {
                return;
            }

            if (isDone)
            {
                RunClaims.Break(RunClaims.SingleAnswer, $"{at.Name} has answered change {mark - MarkBase} twice");
            }

            isDone = true;
            if (outcome == Outcome.Done && result!.Refusal.Length == 0 && command.AddDataKey is not null)
            {
                _world.Judgements.Note(ClusterJudgements.Rotations);
            }

            Ended(at, node, mark, outcome, result, deadline);
        })
        {
            Command = command, Partitions = 1 << (int)_random.Next(3), Deadline = deadline,
        });
        at.Note($"is asked for change {mark - MarkBase}: {command}");
        at.Later(Deadline + AnswerAfterMax + (Deadline / 50), EventKind.Schedule, mark, () =>
        {
            if (!isDone && at.RunningSince <= asked)
            {
                RunClaims.Break(
                    RunClaims.SingleAnswer, $"{at.Name} has not answered change {mark - MarkBase} after its deadline");
            }
        });
    }

    private void Ended(
        ClusterMachine at, ClusterNode node, ulong mark, Outcome outcome, MetadataResult? result, Instant deadline)
    {
        at.Note($"change {mark - MarkBase}: {outcome} {result?.Refusal}");
        bool isRefused = outcome == Outcome.Refused || (outcome == Outcome.Done && result!.Refusal.Length > 0);
        if (isRefused)
        {
            if (mark > MarkBase && _created.GetValueOrDefault(mark) != 0)
            {
                RunClaims.Break(
                    RunClaims.RefusedExecuted, $"change {mark - MarkBase} is refused, and has made a keyspace");
            }

            _refused.Add(mark);
            return;
        }

        if (outcome != Outcome.Done)
        {
            return;
        }

        Done++;
        ulong shown = node.View.Version;
        if (shown < result!.Version && at.Now < deadline)
        {
            // A process that is about to end says what it knows; no other may.
            at.Later(0, EventKind.Schedule, mark, () => RunClaims.Break(
                RunClaims.WrongResult,
                $"{at.Name} says that change {mark - MarkBase} is done, version {result.Version}, and knows version "
                    + $"{shown}"));
        }
    }

    private MetadataCommand? Draw(ClusterView view, out ulong mark)
    {
        mark = ++_marks;
        string name = Names[_random.Next(Names.Length)];
        if (!view.TryFind(name, out KeyspaceView? keyspace))
        {
            _created[mark] = 0;
            return new() { CreateKeyspace = new() { Keyspace = New(name, mark) } };
        }

        // Of an encrypted one the data key is exchanged more often than anything else happens to it.
        int change = (int)_random.Next(keyspace.Record.Encrypted ? 8 : 4);
        switch (change)
        {
            case 0:
                return new() { DropKeyspace = new() { Keyspace = keyspace.Record.Id } };
            case 1 or > 3 when keyspace.Record.Encrypted:
                byte[] wrapped = WrappedKey.New(MasterKey, this);
                return new()
                {
                    AddDataKey = new() { Keyspace = keyspace.Record.Id, Wrapped = ByteString.CopyFrom(wrapped) },
                };
            case 2:
                // One that is there already, at least where this node looks.
                _created[mark] = 0;
                return new() { CreateKeyspace = new() { Keyspace = New(name, mark) } };
            default:
                KeyspaceRecord altered = keyspace.Record.Clone();
                altered.TtlMilliseconds = mark;
                return new() { AlterKeyspace = new() { Keyspace = altered } };
        }
    }

    private KeyspaceRecord New(string name, ulong mark)
    {
        uint replicas = _world.Plan.Faults.LosesDisks
            ? Math.Min(3, (uint)_world.Plan.Expect)
            : 1 + (uint)_random.Next(Math.Min(3, _world.Plan.Expect));
        return new()
        {
            Name = name,
            Replicas = replicas,
            Voters = replicas,
            TtlMilliseconds = mark,
            Encrypted = _world.Plan.Work.Encrypts && _random.Next(4) > 0,
            Compression = _random.Next(2) == 0 ? Compression.Snappy : Compression.None,
        };
    }

    private sealed class AdminCall(Action<Outcome, MetadataResult?> told) : MetadataCall
    {
        public override void Complete(Outcome outcome, MetadataResult? result, string? warning) =>
            told(outcome, result);
    }
}
