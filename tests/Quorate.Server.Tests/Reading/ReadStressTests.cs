using System.Diagnostics;
using System.Globalization;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Partitions;

namespace Quorate.Server.Tests.Reading;

/// <summary>
/// Reads on many connections of three nodes while transactions write, checkpoints are taken and leaderships are handed
/// over, with real threads, sockets and disks. Each pair of keys has one writer, which counts upwards, so that every
/// read can be judged by itself: it shows both rows of one transaction, none older than any client had seen or been
/// told before the read began, and none that was not yet sent when it ended.
/// </summary>
public sealed class ReadStressTests
{
    private const int Writers = 3;
    private const int ReadersOfEach = 3;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(6);

    /// <summary>On a busy machine it goes on until enough was seen.</summary>
    private static readonly TimeSpan DurationMax = Soon.Patience;

    private readonly long[] _sent = new long[Writers];
    private readonly long[] _known = new long[Writers];
    private readonly List<string> _problems = [];
    private long _reads;
    private long _refused;
    private int _transfers;
    private volatile bool _isOver;

    [Fact]
    public async Task Reads_are_linearizable_and_never_see_half_a_transaction()
    {
        await using InProcessCluster cluster = await InProcessCluster.Start(3);
        using (var setup = new Resp.RawClient(cluster.Nodes[0].RespPort))
        {
            Assert.Equal("+OK\r\n", setup.Run("KEYSPACE CREATE race PARTITIONS 2"));
        }

        await cluster.UntilDone("race", "SET k 1");
        List<Thread> threads = [];
        for (int i = 0; i < Writers; i++)
        {
            int pair = i;
            threads.Add(new Thread(() => Guarded(() => Write(cluster, pair))));
            for (int j = 0; j < ReadersOfEach; j++)
            {
                int port = cluster.Nodes[j % cluster.Nodes.Count].RespPort;
                threads.Add(new Thread(() => Guarded(() => Read(port, pair))));
            }
        }

        threads.ForEach(thread => thread.Start());
        await Disturb(cluster);
        _isOver = true;
        threads.ForEach(thread => thread.Join());

        Assert.Empty(_problems);
        Assert.True(_transfers > 0, "leaderships were handed over");
        Assert.All(_known, known => Assert.True(known > 0, "every writer has written"));
        long here = await ReadsHere(cluster);
        Assert.True(here > 0, $"of {_reads} reads some are served on their connection's thread ({_refused} refused)");
    }

    /// <summary>Hands every leadership on and takes checkpoints, again and again.</summary>
    private async Task Disturb(InProcessCluster cluster)
    {
        ulong request = 1UL << 62;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Duration || (clock.Elapsed < DurationMax && !await HasSeenEnough(cluster)))
        {
            await Task.Delay(200, TestContext.Current.CancellationToken);
            foreach (InProcessNode server in cluster.Nodes)
            {
                server.Loop.Post(node =>
                {
                    foreach (GroupId group in node.Runtime.Partitions)
                    {
                        Partition partition = node.Runtime.Find(group)!;
                        partition.WantCheckpoint();
                        bool isRace = node.View.TryFind(group, out Quorate.Node.Metadata.Wire.PartitionRecord? row)
                            && node.View.TryFind("race", out KeyspaceView? race) && row.Keyspace == race.Record.Id;
                        if (isRace && partition.IsLeader)
                        {
                            node.Runtime.Transfer(group, new(++request), HeirOf(partition));
                            Interlocked.Increment(ref _transfers);
                        }
                    }
                });
            }
        }
    }

    private async Task<bool> HasSeenEnough(InProcessCluster cluster) =>
        HasProblem || (Volatile.Read(ref _transfers) > 0 && Enumerable.Range(0, Writers).All(pair => Known(pair) > 0)
            && await ReadsHere(cluster) > 0);

    private long Known(int pair) => Volatile.Read(ref _known[pair]);

    private static Task<long> ReadsHere(InProcessCluster cluster) =>
        cluster.CountOfMetric("quorate_reads_here_total");

    private bool HasProblem
    {
        get
        {
            lock (_problems)
            {
                return _problems.Count > 0;
            }
        }
    }

    private static ReplicaId HeirOf(Partition partition)
    {
        foreach (ReplicaId replica in partition.Replica.Group!.Membership.AllReplicas)
        {
            if (replica != partition.Replica.Id)
            {
                return replica;
            }
        }

        return ReplicaId.None;
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or FormatException)
        {
            Problem(e.ToString());
        }
    }

    private void Problem(string text)
    {
        lock (_problems)
        {
            _problems.Add(text);
        }
    }

    private void Write(InProcessCluster cluster, int pair)
    {
        using var client = new Resp.RawClient(cluster.Nodes[pair % cluster.Nodes.Count].RespPort);
        client.Run("KEYSPACE USE race");
        for (long number = 1; !_isOver; number++)
        {
            string text = number.ToString(CultureInfo.InvariantCulture);
            Volatile.Write(ref _sent[pair], number);
            string reply = client.RunAll("MULTI", $"SET {{p{pair}}}a {text}", $"SET {{p{pair}}}b {text}", "EXEC")[3];
            if (reply[0] == '*')
            {
                Raise(ref _known[pair], number);
            }
        }
    }

    private void Read(int port, int pair)
    {
        using var client = new Resp.RawClient(port);
        client.Run("KEYSPACE USE race");
        while (!_isOver)
        {
            long least = Volatile.Read(ref _known[pair]);
            string reply = client.Run($"MGET {{p{pair}}}a {{p{pair}}}b");
            Interlocked.Increment(ref _reads);
            if (reply[0] == '-')
            {
                Interlocked.Increment(ref _refused);
                continue;
            }

            string[] lines = reply.Split("\r\n");
            string[] values = [.. lines.Where(line => line.Length > 0 && line[0] is not ('*' or '$'))];
            if (values.Length is not (0 or 2) || (values.Length == 2 && values[0] != values[1]))
            {
                Problem($"half a transaction: {reply}");
                return;
            }

            long value = values.Length == 0 ? 0 : long.Parse(values[0], CultureInfo.InvariantCulture);
            if (value < least || value > Volatile.Read(ref _sent[pair]))
            {
                Problem($"pair {pair}: {value} read, after {least} was known, before {_sent[pair]} had been sent");
                return;
            }

            // Whoever begins to read from now on must not see an older one.
            Raise(ref _known[pair], value);
        }
    }

    private static void Raise(ref long place, long value)
    {
        long now = Volatile.Read(ref place);
        while (now < value)
        {
            long seen = Interlocked.CompareExchange(ref place, value, now);
            if (seen == now)
            {
                return;
            }

            now = seen;
        }
    }
}
