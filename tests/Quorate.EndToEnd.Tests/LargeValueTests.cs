using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A few clients that read what they are answered, with large values: the node lives and stays in its memory, and each
/// is answered rightly or told clearly that there is no room.
/// </summary>
[Collection(Alone.Name)]
public sealed class LargeValueTests
{
    private const int Keys = 20;

    private const int KeysOfMany = 10;

    private const int Rounds = 60;

    /// <summary>Of values that a client names in all its rounds: many times what fills the node.</summary>
    private const int RoundsBytesMax = 96 << 20;

    [Theory]
    [InlineData("256MiB", 256, 4, 1_000_000)]
    [InlineData("512MiB", 512, 20, 1_000_000)]
    [InlineData("1GiB", 1024, 4, 4_000_000)]
    public Task Values_that_are_set_and_read_by_many(string memory, int mebibytes, int clients, int bytes) =>
        Run(memory, mebibytes, clients, bytes, (client, random) =>
        {
            string value = new((char)('a' + random.Next(26)), bytes);
            if (random.Next(2) == 0)
            {
                return client.Call("SET", Key(random), value) is var set && (set == "+OK" || IsRefusal(set))
                    ? "" : set;
            }

            string many = client.Call(["MGET", .. Enumerable.Range(0, KeysOfMany).Select(_ => Key(random))]);
            return IsRefusal(many) || IsMany(many, bytes) ? "" : many;
        });

    [Theory]
    [InlineData("256MiB", 256, 10, 200_000)]
    [InlineData("512MiB", 512, 30, 500_000)]
    [InlineData("1GiB", 1024, 60, 1_000_000)]
    public Task Values_that_grow(string memory, int mebibytes, int clients, int bytes) =>
        Run(memory, mebibytes, clients, bytes, (client, random) =>
        {
            string reply = random.Next(5) > 0
                ? client.Call("APPEND", Key(random), new string('x', bytes))
                : client.Call("DEL", Key(random));
            bool isRight = reply[0] == ':'
                || IsRefusal(reply)
                || reply.StartsWith("-UNKNOWN", StringComparison.Ordinal)
                || reply.Contains("bytes at most", StringComparison.Ordinal);
            return isRight ? "" : reply;
        });

    private static async Task Run(
        string memory, int mebibytes, int clients, int bytes, Func<RespSession, Random, string> ask)
    {
        int rounds = Math.Max(8, Math.Min(Rounds * 4 / clients, RoundsBytesMax / bytes));
        using var cluster = new ServedCluster(1, "--memory", memory);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        long resident = 0;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(seed => Task.Factory.StartNew(
            () =>
            {
                var random = new Random(seed);
                using RespSession client = node.Connect();
                for (int i = 0; i < rounds; i++)
                {
                    Assert.Equal("", ask(client, random));
                    InterlockedMax(ref resident, node.ResidentBytes());
                }
            },
            TaskCreationOptions.LongRunning)));
        Assert.True(resident < mebibytes * (1L << 20) * 115 / 100, $"{resident} bytes are resident\n{node.Said}");
        await cluster.UntilSays(node, "+PONG", "PING");
    }

    private static void InterlockedMax(ref long most, long value)
    {
        long seen = Interlocked.Read(ref most);
        while (value > seen && Interlocked.CompareExchange(ref most, value, seen) is var now && now != seen)
        {
            seen = now;
        }
    }

    private static string Key(Random random) => "h" + random.Next(Keys).ToString(CultureInfo.InvariantCulture);

    /// <summary>Surely nothing was done, and it says so.</summary>
    private static bool IsRefusal(string reply) =>
        reply.StartsWith("-OOM", StringComparison.Ordinal)
        || reply.StartsWith("-TRYAGAIN", StringComparison.Ordinal)
        || reply.StartsWith("-REFUSED", StringComparison.Ordinal);

    /// <summary>Each is whole and of one letter, or is not there.</summary>
    private static bool IsMany(string reply, int bytes)
    {
        string[] values = reply.TrimStart('[').TrimEnd(']').Split(", ");
        return values.Length == KeysOfMany && values.All(value =>
            value == RespSession.Absent
            || (value.Length == bytes && !value.AsSpan().ContainsAnyExcept(value[0])));
    }
}
