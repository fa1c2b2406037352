using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A leader is stopped (SIGSTOP) until another leads and has written; then it goes on and does not know how long it was
/// away. What it is asked on connections from before must never be answered by an older value.
/// </summary>
public sealed class PausedLeaderTests
{
    private const int Rounds = 3;
    private const int Connections = 8;

    [Fact]
    public async Task A_leader_that_was_stopped_reads_no_old_value()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        int valuesFromOld = 0;
        for (int round = 0; round < Rounds; round++)
        {
            ServedNode old = await cluster.LeaderOfWhole();
            ServedNode other = cluster.Nodes.First(node => node != old);
            string before = Text((2 * round) + 1);
            string after = Text((2 * round) + 2);
            await cluster.UntilSaysOf("whole", old, "+OK", "SET", "a", before);
            RespSession[] sessions = [.. Enumerable.Range(0, Connections).Select(_ => old.ConnectTo("whole"))];
            await cluster.UntilSaysOf("whole", old, before, "GET", "a");

            old.Signal("STOP");
            await cluster.UntilSaysOf("whole", other, "+OK", "SET", "a", after);

            // The first half is asked while it sleeps: that is what it finds when it wakes, its lease long over.
            Array.ForEach(sessions[..(Connections / 2)], session => session.Send("GET", "a"));
            old.Signal("CONT");
            Array.ForEach(sessions[(Connections / 2)..], session => session.Send("GET", "a"));
            foreach (RespSession session in sessions)
            {
                string reply = session.Receive();
                Assert.True(reply == after || reply.StartsWith('-'), $"after {after} was written: {reply}");
                valuesFromOld += reply == after ? 1 : 0;
                session.Dispose();
            }

            await cluster.UntilSaysOf("whole", old, after, "GET", "a");
            await cluster.UntilReady();
        }

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{valuesFromOld} of {Rounds * Connections} reads were answered, the others refused");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
