using Quorate.Core.Model;
using Quorate.Node.Tests.Commands;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Random lines of all families, in pipelines and transactions, to a node that is a process of its own and to a real
/// Redis 7: the replies are the same, but for what <see cref="ReplyComparison"/> names. QUORATE_REDIS_LINES says how
/// many, QUORATE_REDIS_SEED from which seed on.
/// </summary>
public sealed class RedisComparisonTests
{
    private const int PipelineMax = 16;

    /// <summary>What concerns all partitions, or the connection, is refused inside of MULTI.</summary>
    private static readonly string[] NotInTransactions = ["DBSIZE", "KEYS", "FLUSHDB"];

    /// <summary>At least one key of each type.</summary>
    private static readonly string[] Watched =
        ["{t}s0", "{t}s1", "{t}h1", "{t}a0", "{t}l1", "{t}z2", "{t}e0", "{t}m0", "{t}u1", "{t}j0"];

    private readonly List<string> _played = [];

    /// <param name="version">Of the protocol.</param>
    /// <param name="tag">Of all keys; without one they lie in many partitions.</param>
    [Theory]
    [InlineData(2, "{t}")]
    [InlineData(3, "{t}")]
    [InlineData(2, "")]
    public async Task A_served_node_answers_as_Redis_does(int version, string tag)
    {
        string? path = RedisProcess.Find();
        Assert.SkipWhen(path is null, "redis-server is not installed");
        int count = LongRun.Count("QUORATE_REDIS_LINES", 4000);
        ulong seed = (ulong)(LongRun.Count("QUORATE_REDIS_SEED", 0) + version + tag.Length);
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.UntilSays(cluster.Nodes[0], ":0", "DBSIZE");
        using var redis = new RedisProcess(path!);
        using var node = new RawReplies(cluster.Nodes[0].Resp);
        string[] hello = ["HELLO", version.ToString(System.Globalization.CultureInfo.InvariantCulture)];
        redis.Run(hello);
        node.Run(hello);
        var lines = new RandomLines(seed) { Tag = tag };
        var chance = new SeededRandom(seed ^ 0x51DE);
        while (_played.Count < count)
        {
            List<string[]> batch = Draw(lines, chance, mayBeAtomic: tag.Length > 0);
            byte[][] ours = node.RunAll(batch);
            (batch, ours) = WithoutCrossings(batch, ours);
            if (batch.Count == 0)
            {
                continue;
            }

            // Before the line itself, which may change it.
            bool isOfSet = batch[0].Contains("nosort") && ReplyText.Of(redis.Run("TYPE", batch[0][1])) == "set";
            byte[][] theirs = redis.Connection.RunAll(batch);
            _played.AddRange(batch.Select(words => string.Join(' ', words)));
            Compare(batch, theirs, ours, isOfSet);
            if (ReplyComparison.IsRounded(batch[^1]) && ours[^1][0] == (byte)'$')
            {
                redis.Run(ReplyComparison.TakeOver(batch[^1], ours[^1]));
            }
        }
    }

    /// <summary>Lines with keys of several slots did nothing here; a transaction with one of them did nothing at all.
    /// </summary>
    private static (List<string[]> Lines, byte[][] Replies) WithoutCrossings(List<string[]> batch, byte[][] replies)
    {
        bool[] crosses = [.. replies.Select(reply => reply.AsSpan().StartsWith("-CROSSSLOT"u8))];
        int multi = batch.FindIndex(words => words[0] == "MULTI");
        int atomic = multi >= 0 && Array.LastIndexOf(crosses, true) > multi ? multi : -1;
        int[] kept = [.. Enumerable.Range(0, atomic < 0 ? batch.Count : atomic)
            .Where(i => !crosses[i] && (atomic < 0 || batch[i][0] != "WATCH"))];
        return ([.. kept.Select(i => batch[i])], [.. kept.Select(i => replies[i])]);
    }

    /// <summary>
    /// One line, or a pipeline, or a transaction. Lines after which the two may have to be made equal again end a
    /// pipeline; what needs the type of its key stands alone.
    /// </summary>
    private static List<string[]> Draw(RandomLines lines, SeededRandom chance, bool mayBeAtomic)
    {
        bool isTransaction = mayBeAtomic && chance.Chance(150_000);
        bool isWatched = isTransaction && chance.Chance(500_000);
        long size = chance.Between(1, PipelineMax);
        List<string[]> batch = [];
        if (isWatched)
        {
            batch.Add(["WATCH", .. Watched]);
            batch.AddRange(NextFew(lines, chance.Next(3), inTransaction: true));
        }

        if (isTransaction)
        {
            batch.Add(["MULTI"]);
        }

        batch.AddRange(NextFew(lines, size, isTransaction));
        if (isTransaction)
        {
            batch.Add([chance.Chance(100_000) ? "DISCARD" : "EXEC"]);
        }

        return batch;
    }

    private static List<string[]> NextFew(RandomLines lines, long size, bool inTransaction)
    {
        List<string[]> few = [];
        while (few.Count < size)
        {
            string[] words = lines.Next();
            bool isSpecial = ReplyComparison.IsRounded(words) || words.Contains("nosort");
            if (ReplyComparison.HangsOnTheServer(words)
                || (inTransaction && (isSpecial || NotInTransactions.Contains(words[0].ToUpperInvariant())))
                || (words.Contains("nosort") && few.Count > 0))
            {
                continue;
            }

            few.Add(words);
            if (isSpecial)
            {
                break;
            }
        }

        return few;
    }

    private void Compare(List<string[]> batch, byte[][] theirs, byte[][] ours, bool isOfSet)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            bool isResult = batch[i][0] == "EXEC" && ReplyText.Split(theirs[i]) is not null;
            string? difference = isResult
                ? DifferenceOfExec(batch, theirs[i], ours[i])
                : ReplyComparison.Difference(batch[i], theirs[i], ours[i], isOfSet);
            Assert.True(
                difference is null,
                $"line {_played.Count - batch.Count + i}: {difference}\nof\n{string.Join('\n', _played.TakeLast(60))}");
        }
    }

    private static string? DifferenceOfExec(List<string[]> batch, byte[] theirs, byte[] ours)
    {
        List<byte[]> wanted = ReplyText.Split(theirs)!;
        if (ReplyText.Split(ours) is not { } got || got.Count != wanted.Count)
        {
            return $"EXEC\nRedis:   {ReplyText.Of(theirs)}\nQuorate: {ReplyText.Of(ours)}";
        }

        int first = batch.FindIndex(words => words[0] == "MULTI") + 1;
        return Enumerable.Range(0, wanted.Count)
            .Select(i => ReplyComparison.Difference(batch[first + i], wanted[i], got[i]))
            .FirstOrDefault(difference => difference is not null);
    }
}
