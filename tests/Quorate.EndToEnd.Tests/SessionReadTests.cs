using System.Collections.Concurrent;
using System.Globalization;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Reads of level `session` at a read replica that lags behind, since the link to it is slow: the checker of session
/// guarantees judges what clients saw. Guards.SessionReadsOweTheirToken switched off, it finds reads that went back.
/// </summary>
public sealed class SessionReadTests
{
    private const string Keyspace = "whole";
    private const int Keys = 4;
    private const int Sessions = 8;
    private const int OperationsEach = 60;

    /// <summary>Each takes up to the request deadline.</summary>
    private const int AttemptsMax = 20;

    /// <summary>Less than the time after which a node counts as silent.</summary>
    private const int DelayMaxMilliseconds = 150;

    private readonly ConcurrentQueue<SessionOperation> _history = [];

    /// <summary>Values of writes of which nobody knows; whoever reads one shows where it stands.</summary>
    private readonly ConcurrentDictionary<long, bool> _unknown = new();
    private readonly ConcurrentDictionary<long, (ReadToken Token, long Key)> _shown = new();
    private int _lastValue;
    private int _staleEventualReads;

    [Fact]
    public async Task Session_reads_at_a_lagging_replica_see_their_own_writes_and_never_go_back()
    {
        ulong seed = (ulong)LongRun.Count("QUORATE_SEED", 1);
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole(Keyspace);
        int[] ports = TestPorts.Take(3);
        using var link = new SlowLink(ports[2], seed);
        using var replica = new ServedNode(
            Path.Combine(cluster.Folder, "replica"), ports,
            "--join", $"127.0.0.1:{Text(cluster.Nodes[0].PeerPort)}",
            "--advertise-peer", $"127.0.0.1:{Text(link.Port)}");
        replica.Start();
        await cluster.UntilSaysOf(Keyspace, cluster.Nodes[0], "+OK", "SET", "ready", "1");
        await cluster.Until(() => Task.FromResult(AnswersItself(replica)), "the replica answers of itself");
        link.DelayMaxMilliseconds = DelayMaxMilliseconds;

        // Two more clients change the same keys at the leader, so that there is always something to miss.
        Task[] clients = [.. Enumerable.Range(0, Sessions + 2).Select(id => Task.Run(() =>
            Run(id < Sessions ? replica : cluster.Nodes[0], id, new SeededRandom((seed * 100) + (ulong)id))))];
        await Task.WhenAll(clients);

        SessionOperation[] history = [.. _history];
        IReadOnlyList<BrokenClaim> broken = new SessionChecker(Committed(history)).Check(history);
        Assert.True(broken.Count == 0, string.Join('\n', broken.Take(10)));
        Assert.True(_staleEventualReads > 0, "no read lagged behind, so this shows nothing");
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{history.Length} operations; {_staleEventualReads} reads of level eventual missed their session's write");
    }

    private static bool AnswersItself(ServedNode replica) =>
        replica.Ask("INFO", "replication")?.Contains("read_replica:1", StringComparison.Ordinal) == true
        && replica.AskOf(Keyspace, "GET", "ready") == "1";

    /// <summary>One session: a connection that does one thing at a time.</summary>
    private void Run(ServedNode node, int id, SeededRandom chance)
    {
        using RespSession session = node.ConnectTo(Keyspace);
        var level = ReadLevel.Linearizable;
        long time = 0;
        int lastKey = -1;
        var written = new LogIndex[Keys];
        for (int i = 0; i < OperationsEach; i++)
        {
            // What was just written is what a lagging replica has not yet.
            bool goesBack = lastKey >= 0 && chance.Chance(600_000);
            int key = goesBack ? lastKey : (int)chance.Next(Keys);
            lastKey = -1;
            if (!goesBack && chance.Chance(300_000))
            {
                int value = Interlocked.Increment(ref _lastValue);
                string reply = Ask(session, "ENTRY.PUT", $"k{key}", "*", "-", "string", Text(value));
                if (reply.StartsWith("-UNKNOWN", StringComparison.Ordinal))
                {
                    _unknown[value] = true;
                    continue;
                }

                ReadToken token = TokenOf(reply.TrimStart('[').Split(", ")[0]);
                written[key] = token.Index;
                lastKey = key;
                _history.Enqueue(SessionOperation.Write(id, key, value, token, time++, time++));
                continue;
            }

            ReadLevel wanted = chance.Chance(150_000) ? ReadLevel.Linearizable
                : chance.Chance(goesBack ? 400_000 : 200_000) ? ReadLevel.Eventual
                : ReadLevel.Session;
            if (wanted != level)
            {
                level = wanted;
                Assert.Equal("+OK", session.Call("CONSISTENCY", "READ", level.ToString().ToLowerInvariant()));
            }

            string[] found = Ask(session, "GETV", $"k{key}").Trim('[', ']').Split(", ");
            bool isThere = found[0] != RespSession.Absent;
            LogIndex version = isThere ? TokenOf(found[1]).Index : LogIndex.Zero;
            long read = isThere ? long.Parse(found[0], CultureInfo.InvariantCulture) : 0;
            if (isThere && _unknown.ContainsKey(read))
            {
                _shown[read] = (TokenOf(found[1]), key);
            }

            if (level == ReadLevel.Eventual && version < written[key])
            {
                Interlocked.Increment(ref _staleEventualReads);
            }

            _history.Enqueue(SessionOperation.Read(id, key, level, read, version, default, time++, time++));
        }
    }

    /// <summary>Asks again while surely nothing was done: on a busy machine the leader may be silent for a while.
    /// </summary>
    private static string Ask(RespSession session, params string[] words)
    {
        for (int attempt = 0; ; attempt++)
        {
            string reply = session.Call(words);
            bool isRefused = reply.StartsWith("-CLUSTERDOWN", StringComparison.Ordinal)
                || reply.StartsWith("-TRYAGAIN", StringComparison.Ordinal)
                || reply.StartsWith("-REFUSED", StringComparison.Ordinal);
            if (!isRefused || attempt == AttemptsMax)
            {
                return reply;
            }
        }
    }

    /// <summary>What the group committed, as the versions of all writes tell it: there were no others.</summary>
    private CommittedHistory Committed(SessionOperation[] history)
    {
        var committed = new CommittedHistory();
        foreach ((ReadToken token, long key, long value) in history
            .Where(operation => operation.Kind == SessionOperationKind.Write)
            .Select(write => (write.Token, write.Key, write.Value))
            .Concat(_shown.Select(each => (each.Value.Token, each.Value.Key, each.Key)))
            .OrderBy(write => write.Token.Index))
        {
            while (committed.Last < token.Index)
            {
                committed.Append(token.Term);
            }

            committed.Write(key, value);
        }

        return committed;
    }

    /// <summary>A version names the term and the index of its entry.</summary>
    private static ReadToken TokenOf(string version)
    {
        string[] parts = version.Split('-');
        Assert.True(parts.Length == 3, $"'{version}' is no version");
        return new(
            new Term(ulong.Parse(parts[0], CultureInfo.InvariantCulture)),
            new LogIndex(ulong.Parse(parts[1], CultureInfo.InvariantCulture)));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
