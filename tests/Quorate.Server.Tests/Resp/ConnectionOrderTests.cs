using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>
/// One connection without socket or thread: the test ends its calls in whatever order, and gives it turns whenever.
/// </summary>
public sealed class ConnectionOrderTests
{
    private static readonly string[] Pool =
    [
        "SET a 1", "SET a 2", "SET b 3", "INCR a", "GET a", "GET b", "MGET a b c d", "MSET a 5 c 6 d 7", "DEL a b",
        "EXISTS a b c", "PING", "DBSIZE", "FLUSHDB", "APPEND a x", "KEYS *", "SETRANGE b 2 y", "GETDEL c",
    ];

    [Fact]
    public void Replies_are_those_of_one_command_after_the_other_whatever_the_order_of_completions() => Prop
        .ForAll(
            Gen.Elements(Pool).ArrayOf().Where(lines => lines.Length > 0).ToArbitrary(),
            ArbMap.Default.ArbFor<int>(),
            (lines, seed) => Assert.Equal(Expected(lines), Run(lines, seed)))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(1500));

    [Fact]
    public void A_pipeline_that_touches_one_partition_makes_as_few_batches_as_its_order_allows()
    {
        using var world = new World(seed: 1);
        string greeting = string.Concat(Enumerable.Repeat(RawClient.Encode("PING"), 100));
        world.Give(greeting);
        string before = world.Output;

        // By now its replies are known to be small, so it may have many commands under way.
        world.Give(string.Concat(
            Enumerable.Range(0, 50).Select(i => $"{{t}}{i}")
                .Select(key => RawClient.Encode("SET", key, "v") + RawClient.Encode("GET", key))));

        // The writes go at once, but for keys that look alike to those of reads before them.
        Assert.InRange(world.Gateway.Waiting.Count, 20, 50);
        Assert.All(world.Gateway.Waiting, call => Assert.True(call.Writes));
        while (world.Gateway.Waiting.Count > 0)
        {
            world.EndAll(_ => true);
        }

        Assert.Equal(before + string.Concat(Enumerable.Repeat("+OK\r\n$1\r\nv\r\n", 50)), world.Output);
    }

    [Fact]
    public void A_new_connection_has_few_commands_under_way_until_its_replies_are_known_to_be_small()
    {
        using var world = new World(seed: 1);

        world.Give(string.Concat(Enumerable.Range(0, 200).Select(i => RawClient.Encode("GET", $"k{i}"))));

        Assert.InRange(world.Gateway.Waiting.Count, 1, new RespSettings().FirstCommandsMax + 1);
    }

    [Fact]
    public void No_more_is_taken_than_may_be_in_flight()
    {
        using var world = new World(seed: 1, new RespSettings { CommandsInFlightMax = 10 });
        string commands = string.Concat(Enumerable.Range(0, 25).Select(i => RawClient.Encode("GET", $"k{i}")));

        world.Give(commands);

        Assert.Equal(10, world.Gateway.Waiting.Count);
        Assert.True(world.Rest.Length > 0, "bytes are left with the driver");
        for (int i = 0; i < 25; i++)
        {
            world.EndAll(call => call == world.Gateway.Waiting[0]);
        }

        Assert.Equal(string.Concat(Enumerable.Repeat("$-1\r\n", 25)), world.Output);
    }

    private static string Expected(string[] lines)
    {
        using var world = new World(seed: 0);
        foreach (string line in lines)
        {
            world.Give(RawClient.Encode(line.Split(' ')));
            while (world.Gateway.Waiting.Count > 0)
            {
                world.EndAll(_ => true);
            }
        }

        return world.Output;
    }

    private static string Run(string[] lines, int seed)
    {
        using var world = new World(seed);
        var random = new Random(seed);
        string bytes = string.Concat(lines.Select(line => RawClient.Encode(line.Split(' '))));
        int at = 0;
        while (at < bytes.Length || world.Gateway.Waiting.Count > 0)
        {
            if (at < bytes.Length && random.Next(2) == 0)
            {
                int length = Math.Min(random.Next(1, 60), bytes.Length - at);
                world.Give(bytes.Substring(at, length));
                at += length;
            }
            else
            {
                world.EndSome(random);
                if (world.Gateway.Waiting.Count == 0)
                {
                    world.Give("");
                }
            }
        }

        return world.Output;
    }

    /// <summary>A connection, its driver and its node, in one thread.</summary>
    private sealed class World : IRespDriver, IDisposable
    {
        private readonly RespConnection _connection;
        private readonly ArrayBufferWriter<byte> _output = new();

        public World(int seed, RespSettings? settings = null)
        {
            Inner = new FakeGateway(seed);
            Gateway = new ManualGateway(Inner);
            _connection = new RespConnection(
                new RespShared(settings ?? new RespSettings(), Gateway, new RespNode()), this, 1, "test");
        }

        public FakeGateway Inner { get; }

        public ManualGateway Gateway { get; }

        public string Rest { get; private set; } = "";

        public string Output => Encoding.Latin1.GetString(_output.WrittenSpan);

        public void Give(string bytes)
        {
            Rest += bytes;
            int taken = _connection.Consume(Encoding.Latin1.GetBytes(Rest), _output);
            Rest = Rest[taken..];
        }

        /// <summary>Ends all waiting calls of a kind, and gives turns.</summary>
        public void EndAll(Func<ClientCall, bool> isMeant)
        {
            foreach (ClientCall call in Gateway.Waiting.Where(isMeant).ToArray())
            {
                Gateway.End(call);
            }

            Give("");
        }

        /// <summary>Ends a few calls in an order that a node may choose, with a turn now and then.</summary>
        public void EndSome(Random random)
        {
            for (int count = random.Next(1, 4); count > 0 && Gateway.Waiting.Count > 0; count--)
            {
                ClientCall call = Gateway.Waiting[random.Next(Gateway.Waiting.Count)];
                if (call.Writes)
                {
                    call = Gateway.Waiting.Find(each => each.Writes && each.Slot == call.Slot)!;
                }

                Gateway.End(call);
            }

            if (random.Next(2) == 0)
            {
                Give("");
            }
        }

        public void Wake()
        {
        }

        public void Abort()
        {
        }

        public void Dispose() => Inner.Dispose();
    }

    /// <summary>Keeps calls until the test ends them; each is evaluated at that moment.</summary>
    private sealed class ManualGateway(FakeGateway inner) : INodeGateway
    {
        public List<ClientCall> Waiting { get; } = [];

        public Instant Now => inner.Now;

        public ClusterView View => inner.View;

        public void End(ClientCall call)
        {
            Waiting.Remove(call);
            inner.Submit([call]);
        }

        public void Submit(ReadOnlySpan<ClientCall> calls) => Waiting.AddRange(calls);

        public void Submit(MetadataCall call) => inner.Submit(call);

        public void Post(Action<ClusterNode> action) => inner.Post(action);
    }
}
