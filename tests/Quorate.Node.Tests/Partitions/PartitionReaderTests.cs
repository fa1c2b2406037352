using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Storage.Memtables;

namespace Quorate.Node.Tests.Partitions;

/// <summary>A read on a thread of its own sees what it may rely on, or is sent to the partition.</summary>
public sealed class PartitionReaderTests
{
    [Fact]
    public void A_leader_under_lease_serves_what_is_in_memory()
    {
        TestCluster cluster = NewCluster();
        cluster.Do("SET k hello");
        cluster.Do("HSET h f 1");

        Assert.Equal("$5\r\nhello", Read(cluster, cluster.Leader, "GET k"));
        Assert.Equal("_", Read(cluster, cluster.Leader, "GET nokey"));
        Assert.Equal("$1\r\n1", Read(cluster, cluster.Leader, "HGET h f"));
        Assert.Equal("*2\r\n$5\r\nhello\r\n_", Read(cluster, cluster.Leader, "MGET k nokey"));
        Assert.Equal(cluster.Do("GETV k"), Read(cluster, cluster.Leader, "GETV k"));
        Assert.Null(Read(cluster, cluster.Leader, "SET k 1"));
        Assert.Null(Read(cluster, cluster.Leader, "HGETALL h"));
        Assert.Null(Read(cluster, cluster.Leader, "NOSUCH k"));
    }

    [Fact]
    public void A_reply_that_is_too_long_here_is_left_to_the_partition()
    {
        TestCluster cluster = NewCluster();
        cluster.Do($"SET k {new string('v', 1000)}");
        var limits = new EvaluationLimits { ReplyBytesMax = 500 };
        Assert.Null(Read(cluster, cluster.Leader, "GET k", limits: limits));
        Assert.Equal(":1000", Read(cluster, cluster.Leader, "STRLEN k", limits: limits));
        Assert.Equal(1000 + "$1000\r\n".Length, Read(cluster, cluster.Leader, "GET k")!.Length);
    }

    [Fact]
    public void Others_serve_only_what_needs_no_lease()
    {
        TestCluster cluster = NewCluster();
        PartitionReply written = cluster.Ask(cluster.Leader, TestCluster.Request("SET k 1"));
        cluster.Run(100);
        TestNode follower = cluster.Nodes.First(node => node != cluster.Leader);

        Assert.Null(Read(cluster, follower, "GET k"));
        Assert.Equal("$1\r\n1", Read(cluster, follower, "GET k", ReadLevel.Eventual));
        Assert.Equal("$1\r\n1", Read(cluster, follower, "GET k", ReadLevel.Session, written.Token));
        var later = new ReadToken(written.Token.Term, written.Token.Index.Next.Next);
        Assert.Null(Read(cluster, follower, "GET k", ReadLevel.Session, later));
        var other = new ReadToken(written.Token.Term.Next, written.Token.Index);
        Assert.Null(Read(cluster, follower, "GET k", ReadLevel.Session, other));
    }

    [Fact]
    public void What_was_acknowledged_at_level_leader_is_seen_or_waited_for()
    {
        TestCluster cluster = NewCluster();
        TestNode leader = cluster.Leader;
        cluster.Do("SET k old");
        foreach (TestNode node in cluster.Nodes)
        {
            node.IsCutOff = node != leader;
        }

        ulong id = cluster.Submit(leader, TestCluster.Request("SET k new") with { WriteLevel = WriteLevel.Leader });
        cluster.Settle();
        Assert.Equal("+OK", TestCluster.Text(leader.ReplyTo(id)!.Value));

        Assert.Null(Read(cluster, leader, "GET k"));
    }

    [Fact]
    public void The_lease_ends_with_its_time_and_comes_back_with_word_of_the_others()
    {
        TestCluster cluster = NewCluster();
        TestNode leader = cluster.Leader;
        cluster.Do("SET k 1");
        foreach (TestNode node in cluster.Nodes)
        {
            node.IsCutOff = node != leader;
        }

        Duration lease = cluster.NodeSettings.Raft.LeaseDuration;
        Assert.NotNull(Read(cluster, leader, "GET k"));
        cluster.Run((lease.Microseconds / 1000) + 1);
        Assert.Null(Read(cluster, leader, "GET k"));
    }

    [Fact]
    public void The_lease_is_withdrawn_before_the_message_that_ends_it_leaves()
    {
        TestCluster cluster = NewCluster();
        TestNode leader = cluster.Leader;
        cluster.Do("SET k 1");
        int asked = 0;
        leader.Sends = message =>
        {
            if (message.Kind == MessageKind.TimeoutNow)
            {
                asked++;
                Assert.Null(Read(cluster, leader, "GET k"));
            }
        };

        ReplicaId heir = cluster.Nodes.First(node => node != leader).Id;
        leader.Runtime!.Transfer(new(1), new RequestId(1_000_000), heir);
        cluster.Settle();

        Assert.Equal(1, asked);
    }

    [Fact]
    public void A_new_leader_serves_nothing_before_an_entry_of_its_term_is_applied()
    {
        TestCluster cluster = NewCluster();
        TestNode old = cluster.Leader;
        cluster.Do("SET k 1");
        foreach (TestNode node in cluster.Nodes)
        {
            node.TurnsStandWhenElected = node != old;
        }

        old.IsCutOff = true;
        cluster.Run(2000);
        TestNode elected = cluster.Nodes.Single(node => node != old && node.Leads);
        Assert.True(elected.Partition!.Replica.Group!.LeaseUntil > cluster.Now);

        Assert.Null(Read(cluster, elected, "GET k"));

        elected.TurnsStandWhenElected = false;
        cluster.Run(100);
        Assert.Equal("$1\r\n1", Read(cluster, elected, "GET k"));
    }

    [Fact]
    public void A_row_that_is_due_by_the_clock_is_left_to_the_partition()
    {
        var settings = new PartitionSettings { ExpiryInterval = Duration.FromSeconds(100) };
        TestCluster cluster = NewCluster(settings);
        cluster.Do("SET other 1 PX 1");
        cluster.Run(300);
        cluster.Do("SET k 1 PX 50");
        Assert.Equal("$1\r\n1", Read(cluster, cluster.Leader, "GET k"));
        cluster.Run(60);

        Assert.Null(Read(cluster, cluster.Leader, "GET k"));
        Assert.Equal("_", cluster.Do("GET k"));
        Assert.Equal("_", Read(cluster, cluster.Leader, "GET k"));
    }

    [Fact]
    public void Reads_alone_keep_a_group_awake()
    {
        TestCluster cluster = NewCluster();
        cluster.Do("SET k 1");
        TestNode leader = cluster.Leader;
        for (int i = 0; i < 100; i++)
        {
            cluster.Run(50);
            Assert.NotNull(Read(cluster, leader, "GET k"));
        }

        cluster.Run(5000);
        Assert.Null(Read(cluster, leader, "GET k"));
    }

    [Fact]
    public void A_read_allocates_nothing()
    {
        TestCluster cluster = NewCluster();
        cluster.Do("SET k hello");
        TestNode leader = cluster.Leader;
        PartitionReader reader = NewReader(leader);
        Partition partition = leader.Partition!;
        CommandLine line = TestNode.Line("GET k");
        var read = new FastRead(ReadLevel.Linearizable, default, cluster.Now, cluster.WallClock);
        for (int i = 0; i < 100; i++)
        {
            Assert.True(reader.TryServe(partition, line, read, out _));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            reader.TryServe(partition, line, read, out _);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>
    /// Whatever happens between the look at the lease and that at the rows: a read that was begun after a write was
    /// acknowledged sees it or a later one, and reads do not go back.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Reads_are_linearizable_whatever_happens_in_between(ulong seed)
    {
        var random = new SeededRandom(seed);
        TestCluster cluster = NewCluster();
        PartitionReader[] readers = [.. cluster.Nodes.Select(NewReader)];
        var world = new Happenings(cluster, random);
        int served = 0;
        int afterYield = 0;
        for (int i = 0; i < 1500; i++)
        {
            world.Step();
            int number = (int)random.Next(readers.Length);
            long before = world.Seen;
            bool yielded = false;
            readers[number].Yields = () =>
            {
                yielded = true;
                for (long steps = random.Chance(300_000) ? random.Between(1, 4) : 0; steps > 0; steps--)
                {
                    world.Step();
                }
            };
            var read = new FastRead(ReadLevel.Linearizable, default, cluster.Now, cluster.WallClock);
            bool isServed = readers[number].TryServe(
                cluster.Nodes[number].Partition!, TestNode.Line("GET k"), read, out _);
            if (isServed)
            {
                served++;
                afterYield += yielded ? 1 : 0;
                long value = ValueOf(readers[number].Reply.ToArray());
                Assert.True(value >= before, $"{value} is read by {number + 1} after {before} was seen, step {i}");
                world.See(value);
            }
        }

        Assert.True(served > 200, $"{served} reads were served");
        Assert.True(afterYield > 0);
        Assert.True(world.Leaders > 1, $"{world.Leaders} leaders");
    }

    private static long ValueOf(byte[] reply)
    {
        string[] lines = Encoding.ASCII.GetString(reply).Split("\r\n");
        return lines[0] == "_" ? 0 : long.Parse(lines[1], CultureInfo.InvariantCulture);
    }

    private static TestCluster NewCluster(PartitionSettings? settings = null) =>
        new(3, settings, hasRealStores: true);

    private static PartitionReader NewReader(TestNode node) =>
        new(ConcurrentReader.TryMake(node.Readers)!, new EvaluationLimits(), seed: 1);

    /// <summary>The reply's text; null when the partition has to be asked.</summary>
    private static string? Read(
        TestCluster cluster, TestNode node, string line, ReadLevel level = ReadLevel.Linearizable,
        ReadToken token = default, EvaluationLimits? limits = null)
    {
        using var rows = ConcurrentReader.TryMake(node.Readers);
        var reader = new PartitionReader(rows!, limits ?? new EvaluationLimits(), seed: 1);
        var read = new FastRead(level, token, cluster.Now, cluster.WallClock + node.WallClockStray);
        return reader.TryServe(node.Partition!, TestNode.Line(line), read, out _)
            ? Encoding.UTF8.GetString(reader.Reply.Bytes).TrimEnd()
            : null;
    }

    /// <summary>A key that is written rising numbers while leaders come and go.</summary>
    private sealed class Happenings(TestCluster cluster, SeededRandom random)
    {
        private readonly List<(TestNode Node, ulong Id, long Value)> _open = [];
        private long _lastValue;
        private ulong _lastTransfer = 1_000_000;
        private ReplicaId _leader;

        /// <summary>The highest number that was acknowledged or read.</summary>
        public long Seen { get; private set; }

        public int Leaders { get; private set; }

        public void See(long value) => Seen = Math.Max(Seen, value);

        public void Step()
        {
            TestNode? leader = Array.Find(cluster.Nodes, node => !node.IsCutOff && node.Partition!.IsLeader);
            if (leader is not null && leader.Id != _leader)
            {
                _leader = leader.Id;
                Leaders++;
            }

            switch (random.Next(12))
            {
                case 0 when leader is not null:
                    ReplicaId heir = cluster.Nodes[random.Next(cluster.Nodes.Length)].Id;
                    leader.Runtime!.Transfer(new(1), new RequestId(++_lastTransfer), heir);
                    break;
                case 1:
                    foreach (TestNode node in cluster.Nodes)
                    {
                        node.IsCutOff = false;
                    }

                    if (random.Chance(300_000))
                    {
                        cluster.Nodes[random.Next(cluster.Nodes.Length)].IsCutOff = true;
                    }

                    break;
                case 2:
                    cluster.Run(random.Between(1, 400));
                    break;
                case 3 or 4 or 5 or 6 when leader is not null:
                    WriteLevel level = random.Chance(300_000) ? WriteLevel.Leader : WriteLevel.Majority;
                    long value = ++_lastValue;
                    string line = string.Create(CultureInfo.InvariantCulture, $"SET k {value}");
                    ulong id = cluster.Submit(leader, TestCluster.Request(line) with { WriteLevel = level });
                    if (level == WriteLevel.Majority)
                    {
                        _open.Add((leader, id, value));
                    }

                    break;
                default:
                    cluster.SettleSome((int)random.Between(1, 12));
                    break;
            }

            _open.RemoveAll(write =>
            {
                if (write.Node.ReplyTo(write.Id) is not { } reply)
                {
                    return false;
                }

                Seen = reply.Outcome == Outcome.Done ? Math.Max(Seen, write.Value) : Seen;
                return true;
            });
        }
    }
}
