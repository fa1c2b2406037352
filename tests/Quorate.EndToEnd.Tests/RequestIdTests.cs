using System.Globalization;
using System.Net.Sockets;

namespace Quorate.EndToEnd.Tests;

/// <summary>Numbered requests happen once, however often they are sent, across the death of leaders.</summary>
public sealed class RequestIdTests
{
    private const int Clients = 8;
    private const int IncrementsMin = 200;
    private const int Kills = 3;

    [Fact]
    public async Task Increments_that_are_sent_until_answered_count_exactly_once()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        using var killsAreOver = new CancellationTokenSource();
        Task<(long Done, long Resent)>[] clients = [.. Enumerable.Range(0, Clients).Select(id => Task.Factory.StartNew(
            () => Increment(cluster, id, killsAreOver.Token), TaskCreationOptions.LongRunning))];
        for (int i = 0; i < Kills; i++)
        {
            ServedNode leader = await cluster.LeaderOfWhole();
            leader.Kill();
            await cluster.LeaderOfWhole(leader);
            leader.Start();
            await cluster.UntilReady(leader);
        }

        await killsAreOver.CancelAsync();
        (long Done, long Resent)[] results = await Task.WhenAll(clients);
        long done = results.Sum(result => result.Done);
        long resent = results.Sum(result => result.Resent);
        TestContext.Current.TestOutputHelper!.WriteLine($"{done} increments, {resent} sent again");
        Assert.True(resent > 0, "no request had to be sent again: nothing was tried");
        await cluster.UntilSaysOf("whole", cluster.Nodes[0], Text(done), "GET", "counter");
        string again = Text(done);
        await cluster.UntilSaysOf("whole", cluster.Nodes[1], again, "GET", "counter");
    }

    private static (long Done, long Resent) Increment(ServedCluster cluster, int id, CancellationToken stop)
    {
        (long done, long resent, int at) = (0, 0, id);
        RespSession? connection = null;
        string session = "";
        long last = 0;
        while (done < IncrementsMin || !stop.IsCancellationRequested)
        {
            string? reply = null;
            try
            {
                connection ??= cluster.Nodes[at++ % cluster.Nodes.Length].ConnectTo("whole");
                if (session.Length == 0)
                {
                    session = connection.Call("CLIENT", "SESSION");
                }

                string numbered = connection.Call("CLIENT", "REQUESTID", session, Text(done + 1), Text(done));
                reply = numbered == "+OK" ? connection.Call("INCR", "counter") : null;
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                reply = null;
            }

            if (reply is [':', ..])
            {
                long value = long.Parse(reply.AsSpan(1), CultureInfo.InvariantCulture);
                Assert.True(value > last, $"after {last} an increment gave {value}");
                (last, done) = (value, done + 1);
                continue;
            }

            Assert.True(reply is null or ['-', ..], reply);
            Assert.False(reply?.StartsWith("-REFUSED", StringComparison.Ordinal) is true
                && reply.Contains("remembered", StringComparison.Ordinal), reply);
            resent++;
            connection?.Dispose();
            connection = null;

            // A node that is gone refuses at once; the others need a moment to choose.
            Thread.Sleep(20);
        }

        connection?.Dispose();
        return (done, resent);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
