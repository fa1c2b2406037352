using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A few bytes of a client make a value longer: it may be as long as the nodes have memory for, and no longer.
/// </summary>
[Collection(Alone.Name)]
public sealed class GrowingValueTests
{
    [Theory]
    [InlineData("256MiB", 4)]
    [InlineData("512MiB", 8)]
    [InlineData("1GiB", 16)]
    public async Task Values_that_commands_make_grow_up_to_the_limit_and_every_node_lives(string memory, int mebibytes)
    {
        using var cluster = new ServedCluster(3, "--memory", memory, "--request-deadline-ms", "60000");
        cluster.Start();
        await cluster.UntilReady();
        using RespSession client = cluster.Nodes[0].Connect();
        int bytes = mebibytes << 20;
        string piece = new('x', bytes / 8);
        for (int i = 1; i <= 8; i++)
        {
            int length = i * (bytes / 8);
            Until(() => Append(client, length, piece), Number(length));
            Until(() => client.Call("SETRANGE", "r", Text(length - piece.Length), piece), Number(length));
        }

        for (int i = 1; i <= 4; i++)
        {
            Until(() => client.Call("SETBIT", "b", Text((i * (bytes / 4) * 8L) - 1), "1"), ":0", ":1");
            Until(() => client.Call("SETBIT", $"new{i}", Text((bytes * 8L) - 1), "1"), ":0", ":1");
        }

        foreach (string[] tooLong in (string[][])
        [
            ["APPEND", "a", "x"], ["SETRANGE", "r", Text(bytes), "x"], ["SETBIT", "b", Text(bytes * 8L), "1"],
            ["SETBIT", "bb", "400000000", "1"],
        ])
        {
            string refused = "";
            await Soon.Is(
                () =>
                {
                    refused = client.Call(tooLong);
                    return !ServedNode.IsForLater(refused);
                },
                "there is a leader that refuses it");
            Assert.Contains($"{bytes} bytes at most", refused, StringComparison.Ordinal);
        }

        foreach (ServedNode node in cluster.Nodes)
        {
            await cluster.UntilSays(node, Number(bytes), "STRLEN", "a");
            await cluster.UntilSays(node, Number(bytes), "STRLEN", "b");
        }
    }

    /// <summary>Appends, unless a former try turns out to have been done.</summary>
    private static string Append(RespSession client, int length, string piece)
    {
        string before = client.Call("STRLEN", "a");
        return before == Number(length - piece.Length) ? client.Call("APPEND", "a", piece) : before;
    }

    /// <summary>On a busy machine leaders change: then nothing was done, or nobody knows, and it is said
    /// again.</summary>
    private static void Until(Func<string> ask, params string[] done)
    {
        Soon.IsHere(
            () =>
            {
                string reply = ask();
                bool isDone = done.Contains(reply);
                Assert.True(
                    isDone || ServedNode.IsForLater(reply) || reply.StartsWith("-UNKNOWN", StringComparison.Ordinal),
                    reply);
                return isDone;
            },
            $"it is done: {string.Join(" or ", done)}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Number(long number) => ":" + Text(number);
}
