using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Cluster;

/// <summary>
/// Nodes of a cluster on disks in memory, joined by a network that delivers in order and at once, under a clock that
/// goes on when nothing else is left to do.
/// </summary>
internal sealed class TestWorld
{
    private readonly Queue<(Machine From, Machine To, PeerClass By, byte[] Bytes)> _messages = new();
    private readonly Queue<Action> _asked = new();

    public TestWorld(int machines, int? expect = null, ClusterSettings? settings = null, bool isStarted = true)
    {
        Settings = settings ?? new()
        {
            Node = new() { Log = new() { SegmentBytes = 64 * 1024 } },
            DefaultPartitions = 4,
        };
        Expect = expect ?? machines;
        Machines = [.. Enumerable.Range(1, machines).Select(number => new Machine(this, number))];
        Seeds = [.. Machines.Take(Expect).Select(machine => machine.Address)];
        if (isStarted)
        {
            foreach (Machine machine in Machines)
            {
                machine.Start();
            }
        }
    }

    public ClusterSettings Settings { get; set; }

    public int Expect { get; }

    public IReadOnlyList<string> Seeds { get; }

    public List<Machine> Machines { get; }

    public Instant Now { get; private set; } = new(1_000_000);

    public long WallClock => 1_700_000_000_000 + (Now.Microseconds / 1000);

    /// <summary>Whether a question of a node without a cluster, and its answer, get through.</summary>
    public Func<Machine, Machine, bool>? AskPasses { get; set; }

    /// <summary>Sees each message before it is delivered; false drops it.</summary>
    public Func<Machine, Machine, PeerClass, byte[], bool>? Passes { get; set; }

    public IEnumerable<ClusterNode> Nodes => Machines.Where(machine => machine.Node is not null).Select(m => m.Node!);

    public void Carry(Machine from, NodeId to, PeerClass by, ReadOnlySpan<byte> bytes)
    {
        if (Find(from, to) is { } target)
        {
            _messages.Enqueue((from, target, by, bytes.ToArray()));
        }
    }

    /// <summary>The machine of that id in the same cluster, as a handshake would find out.</summary>
    public Machine? Find(Machine from, NodeId id) => Machines.Find(
        machine => machine.Id == id && machine.ClusterId == from.ClusterId);

    public void Ask(Machine from, string address, byte[] question)
    {
        Machine? to = Machines.Find(machine => machine.Address == address);
        int life = from.Life;
        _asked.Enqueue(() =>
        {
            if (to is null || !Reaches(from, to) || AskPasses?.Invoke(from, to) == false)
            {
                return;
            }

            byte[]? answer = to.Answer(question);
            if (answer is not null)
            {
                _asked.Enqueue(() =>
                {
                    if (from.Life == life && Reaches(to, from))
                    {
                        from.Formation?.Answered(address, answer);
                    }
                });
            }
        });
    }

    public static bool Reaches(Machine from, Machine to) => !from.IsCutOff && !to.IsCutOff && to.IsUp && from.IsUp;

    /// <summary>Does all that can be done without time passing.</summary>
    public void Settle()
    {
        bool isMoving = true;
        while (isMoving)
        {
            isMoving = false;
            foreach (Machine machine in Machines)
            {
                isMoving |= machine.RunOne();
            }

            if (_asked.TryDequeue(out Action? asked))
            {
                isMoving = true;
                asked();
            }

            if (_messages.TryDequeue(out (Machine From, Machine To, PeerClass By, byte[] Bytes) next))
            {
                isMoving = true;
                if (Reaches(next.From, next.To)
                    && Passes?.Invoke(next.From, next.To, next.By, next.Bytes) != false)
                {
                    next.To.Receive(next.From.Id, next.Bytes);
                }
            }
        }
    }

    /// <summary>Lets time pass, with all that happens in it.</summary>
    public void Run(long milliseconds)
    {
        Instant end = Now + Duration.FromMilliseconds(milliseconds);
        Settle();
        while (true)
        {
            Instant next = Machines.Min(machine => machine.Deadline);
            if (next > end)
            {
                break;
            }

            Now = Instant.Max(new Instant(Now.Microseconds + 100), next);
            foreach (Machine machine in Machines)
            {
                if (machine.Deadline <= Now)
                {
                    machine.Tick();
                }
            }

            Settle();
        }

        Now = end;
    }

    /// <summary>Runs until something holds; fails when it does not within so long.</summary>
    public long Await(string what, Func<bool> holds, long milliseconds = 10_000)
    {
        Instant begin = Now;
        for (long waited = 0; waited <= milliseconds; waited += 10)
        {
            if (holds())
            {
                return (Now - begin).Microseconds / 1000;
            }

            Run(10);
        }

        Assert.Fail($"{what} within {milliseconds} ms");
        return 0;
    }

    /// <summary>A machine that comes later.</summary>
    public Machine Add()
    {
        var added = new Machine(this, Machines.Count + 1);
        Machines.Add(added);
        return added;
    }

    /// <summary>The cluster is formed, and every partition of `default` is led.</summary>
    public TestWorld Formed()
    {
        Await("the cluster serves", () => Machines.Where(machine => machine.IsUp && !machine.IsCutOff).All(
            machine => machine.Node is { } node && node.View.TryFind("default", out _) && IsLed("default")));
        return this;
    }

    public bool IsLed(string keyspace) => Nodes.Any(node => node.View.TryFind(keyspace, out KeyspaceView? view)
        && view.Partitions.All(row => LeaderOf(new(row.Group)) is not null));

    /// <summary>The machine that leads a partition and is not cut off; null when there is not one.</summary>
    public Machine? LeaderOf(GroupId group)
    {
        Machine[] leaders =
        [
            .. Machines.Where(machine => machine is { IsUp: true, IsCutOff: false }
                && machine.Node?.Runtime.Find(group) is { IsLeader: true }),
        ];
        return leaders.Length == 1 ? leaders[0] : null;
    }

    public Machine LeaderOf(string key, string keyspace = "default") =>
        LeaderOf(GroupOf(key, keyspace)) ?? throw new InvalidOperationException($"{key} is led");

    public GroupId GroupOf(string key, string keyspace = "default")
    {
        ClusterNode node = Nodes.First();
        bool isThere = node.View.TryFind(keyspace, out KeyspaceView? view);
        Assert.True(isThere);
        return new(view!.PartitionOf(KeyHash.SlotOf(System.Text.Encoding.UTF8.GetBytes(key))).Group);
    }

    /// <summary>Hands a command to a machine's node and waits for what comes of it.</summary>
    public string Do(Machine machine, string line, Action<TestCall>? change = null)
    {
        TestCall call = Submit(machine, line, change);
        Await($"'{line}' is answered", () => call.IsDone, 20_000);
        return call.Text;
    }

    public TestCall Submit(Machine machine, string line, Action<TestCall>? change = null)
    {
        bool isThere = machine.Node!.View.TryFind("default", out KeyspaceView? view);
        Assert.True(isThere, "the keyspace is there");
        var call = new TestCall(line) { Keyspace = view!.Record.Id, Deadline = Now + Duration.FromSeconds(5) };
        change?.Invoke(call);
        machine.Node.Submit(call);
        return call;
    }

    public (Quorate.Core.Raft.Outcome Outcome, MetadataResult? Result, string? Warning) Do(
        Machine machine, MetadataCommand command, int partitions = 0, long milliseconds = 5000)
    {
        var call = new TestMetadataCall
        {
            Command = command, Partitions = partitions, Deadline = Now + Duration.FromMilliseconds(milliseconds),
        };
        machine.Node!.Submit(call);
        Await("the metadata call is answered", () => call.IsDone, milliseconds + 1000);
        return (call.Outcome, call.Result, call.Warning);
    }
}
