using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>
/// Clients that number their requests and repeat them until they are answered count each of them once, while nodes
/// restart and are cut off.
/// </summary>
public sealed class ExactlyOnceTests
{
    private const int Clients = 4;
    private const int RequestsOfEach = 25;

    public static TheoryData<ulong, int> Seeds
    {
        get
        {
            var seeds = new TheoryData<ulong, int>();
            for (ulong seed = 1; seed <= 12; seed++)
            {
                seeds.Add(seed, (int)(seed % 3));
            }

            return seeds;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Each_numbered_request_is_executed_once(ulong seed, int kindOfStore)
    {
        var random = new SeededRandom(seed);
        var settings = new PartitionSettings
        {
            Replica = new() { CheckpointEntries = 7 },
            ProposalRequestsMax = 3,
        };
        var cluster = new TestCluster(
            3, settings, new MemoryStoreSettings { RowsAreCold = kindOfStore == 1 }, hasRealStores: kindOfStore == 2);
        var clients = new Client[Clients];
        for (int i = 0; i < Clients; i++)
        {
            clients[i] = new Client(cluster, (ulong)i + 1);
        }

        for (int step = 0; step < 20_000 && Array.Exists(clients, client => !client.IsDone); step++)
        {
            foreach (Client client in clients)
            {
                client.Step(random);
            }

            Disturb(cluster, random);
            cluster.Run(random.Next(60));
        }

        Assert.All(clients, client => Assert.True(client.IsDone));
        foreach (TestNode node in cluster.Nodes)
        {
            node.IsCutOff = false;
        }

        cluster.AwaitLeader();
        cluster.StoreSettings = new();
        foreach (TestNode node in cluster.Nodes)
        {
            cluster.Restart(node);
        }

        cluster.AwaitLeader();
        int total = Clients * RequestsOfEach;
        Assert.Equal($"${$"{total}".Length}\r\n{total}", cluster.Do("GET n"));
        cluster.AssertSameState();
    }

    private static void Disturb(TestCluster cluster, SeededRandom random)
    {
        if (random.Next(20) != 0)
        {
            return;
        }

        TestNode node = cluster.Nodes[random.Next(3)];
        if (Array.Exists(cluster.Nodes, other => other.IsCutOff))
        {
            foreach (TestNode other in cluster.Nodes)
            {
                other.IsCutOff = false;
            }
        }
        else if (random.Next(2) == 0)
        {
            node.IsCutOff = true;
        }
        else
        {
            cluster.Restart(node);
        }
    }

    private sealed class Client(TestCluster cluster, ulong session)
    {
        private ulong _number = 1;
        private (TestNode Node, ulong Id, Instant GiveUpAt)? _asked;
        private string? _lost;

        public bool IsDone => _number > RequestsOfEach;

        public void Step(SeededRandom random)
        {
            if (IsDone)
            {
                return;
            }

            if (_asked is { } asked)
            {
                PartitionReply? reply = asked.Node.ReplyTo(asked.Id);
                if (reply is { Outcome: Outcome.Done } done)
                {
                    Take(done, random);
                    _asked = null;
                }
                else if (reply is not null || cluster.Now > asked.GiveUpAt)
                {
                    Assert.NotEqual(DropReason.RequestForgotten, reply?.Reason);
                    Assert.NotEqual(DropReason.SessionExpired, reply?.Reason);
                    _asked = null;
                }
            }

            if (_asked is not null || IsDone)
            {
                return;
            }

            TestNode node = cluster.Nodes[random.Next(3)];
            PartitionRequest request = TestCluster.Request("INCR n") with
            {
                Session = new SessionRequest(session, _number, _number - 1),
                Deadline = cluster.Now + Duration.FromMilliseconds(400),
                WriteLevel = random.Next(4) == 0 ? WriteLevel.Count(2) : WriteLevel.Majority,
            };
            if (random.Next(5) == 0)
            {
                // The network repeats it; nobody waits for that answer.
                cluster.Submit(node, request);
            }

            _asked = (node, cluster.Submit(node, request), cluster.Now + Duration.FromMilliseconds(600));
        }

        /// <summary>The reply arrives, or is lost: then the request is sent again, and answered as before.</summary>
        private void Take(PartitionReply done, SeededRandom random)
        {
            string text = TestCluster.Text(done);
            Assert.Equal(_lost ?? text, text);
            bool isLost = random.Next(3) == 0;
            _lost = isLost ? text : null;
            _number += isLost ? 0UL : 1;
        }
    }
}
