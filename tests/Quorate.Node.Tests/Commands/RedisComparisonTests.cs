using System.Globalization;
using Quorate.Core.Model;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// Random command lines, evaluated here and by a real Redis 7: the replies are the same, but for what
/// <see cref="ReplyComparison"/> names. QUORATE_REDIS_LINES says how many of each seed, QUORATE_REDIS_SEED from which
/// seed on.
/// </summary>
public sealed class RedisComparisonTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Replies_are_those_of_Redis(ulong seed)
    {
        string? path = RedisProcess.Find();
        Assert.SkipWhen(path is null, "redis-server is not installed");
        int count = Said("QUORATE_REDIS_LINES", 6000);
        using var redis = new RedisProcess(path!);
        var node = new TestNode();
        var lines = new RandomLines(seed + (ulong)Said("QUORATE_REDIS_SEED", 0));
        for (int i = 0; i < count; i++)
        {
            string[] words = lines.Next();
            if (ReplyComparison.HangsOnTheServer(words))
            {
                continue;
            }

            node.Time = HybridTime.FromMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            bool isOfSet = words.Contains("nosort") && ReplyText.Of(redis.Run("TYPE", words[1])) == "set";
            byte[] theirs = redis.Run(words);
            byte[] ours = node.Run([TestNode.Line(words)], isBatch: false);
            string? difference = ReplyComparison.Difference(words, theirs, ours, isOfSet);
            Assert.True(difference is null, $"line {i}: {difference}");
            if (ReplyComparison.IsRounded(words) && ours[0] == (byte)'$' && !ours.AsSpan().SequenceEqual(theirs))
            {
                redis.Run(ReplyComparison.TakeOver(words, ours));
            }
        }
    }

    private static int Said(string variable, int unlessSaid) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : unlessSaid;
}
