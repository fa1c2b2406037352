using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Tests.Commands;

/// <summary>Whole values with their versions: what HTTP gets and puts.</summary>
public sealed class EntryCommandTests
{
    private readonly TestNode _node = new();

    [Theory]
    [InlineData("string 5", "GET k", "\"5\"")]
    [InlineData("scalar 5", "GET k", "\"5\"")]
    [InlineData("scalar 1.50", "TYPE k", "string")]
    [InlineData("json {\"a\":[1]}", "GET k", "\"{\"a\":[1]}\"")]
    [InlineData("json []", "TYPE k", "json")]
    [InlineData("list s a j 1 j null", "LRANGE k 0 -1", "[\"a\", \"1\", \"null\"]")]
    [InlineData("hash f s a g j true", "HMGET k f g", "[\"a\", \"true\"]")]
    [InlineData("set b a", "SMEMBERS k", "{\"a\", \"b\"}")]
    [InlineData("zset a 2 b -1.5", "ZRANGE k 0 -1", "[\"b\", \"a\"]")]
    public void What_is_put_is_what_other_commands_see(string content, string look, string seen)
    {
        _node.Run("RPUSH k other things");

        Assert.DoesNotContain("ERR", _node.Run($"ENTRY.PUT k * - {content}"), StringComparison.Ordinal);
        Assert.Equal(seen, _node.Run(look));
    }

    [Theory]
    [InlineData("ENTRY.PUT n * - scalar 5", "INCR n", "scalar", "6")]
    [InlineData("ENTRY.PUT n * - string 5", "INCR n", "string", "6")]
    [InlineData("ENTRY.PUT n * - scalar 5", "INCRBYFLOAT n 0.25", "scalar", "5.25")]
    [InlineData("ENTRY.PUT n * - scalar 5", "PEXPIRE n 1000000", "scalar", "5")]
    [InlineData("ENTRY.PUT n * - scalar 5", "GETEX n PX 1000000", "scalar", "5")]
    [InlineData("ENTRY.PUT m * - scalar 5", "RENAME m n", "scalar", "5")]
    [InlineData("ENTRY.PUT n * - scalar 5", "SET n 5", "string", "5")]
    [InlineData("ENTRY.PUT n * - scalar 5", "APPEND n 5", "string", "55")]
    [InlineData("ENTRY.PUT n * - scalar true", "INCR n", "scalar", "true")]
    public void A_number_stays_one_where_it_is_counted_and_moved(string put, string change, string kind, string text)
    {
        _node.Run(put);
        _node.Run(change);
        Assert.Equal([kind, text], Shown("n")[..2]);
    }

    [Theory]
    [InlineData("LINSERT l BEFORE 2 x", "j 1 s x j 2 s 3 j null")]
    [InlineData("LINSERT l AFTER 3 x", "j 1 j 2 s 3 s x j null")]
    [InlineData("LREM l 1 2", "j 1 s 3 j null")]
    [InlineData("LREM l 1 3", "j 1 j 2 j null")]
    [InlineData("LTRIM l 1 -1", "j 2 s 3 j null")]
    [InlineData("LSET l 0 1", "s 1 j 2 s 3 j null")]
    [InlineData("LMOVE l l LEFT RIGHT", "j 2 s 3 j null j 1")]
    [InlineData("RPUSH l 1", "j 1 j 2 s 3 j null s 1")]
    public void Elements_keep_their_kind_when_others_come_and_go(string change, string elements)
    {
        _node.Run("ENTRY.PUT l * - list j 1 j 2 s 3 j null");
        _node.Run(change);
        Assert.Equal(["list", elements], Shown("l")[..2]);
        _node.Run("COPY l m");
        Assert.Equal(Shown("l")[..2], Shown("m")[..2]);
    }

    [Fact]
    public void Fields_keep_their_kind_when_they_are_counted()
    {
        _node.Run("ENTRY.PUT h * - hash a j 1 b s 1 c j 1.5");
        _node.Run("HINCRBY h a 1");
        _node.Run("HINCRBY h b 1");
        _node.Run("HINCRBYFLOAT h c 1");
        _node.Run("HINCRBY h d 1");
        Assert.Equal(["hash", "a j 2 b s 2 c j 2.5 d s 1"], Shown("h")[..2]);
    }

    [Fact]
    public void A_put_that_names_another_version_does_nothing()
    {
        string first = Version(_node.Run("ENTRY.PUT k 0 - string a"));
        string second = Version(_node.Run($"ENTRY.PUT k {first} - list s a s b"));

        Assert.Contains($"VERSION {second}", _node.Run($"ENTRY.PUT k {first} - string c"), StringComparison.Ordinal);
        Assert.Contains($"VERSION {second}", _node.Run("ENTRY.PUT k 0 - string c"), StringComparison.Ordinal);
        Assert.Contains("VERSION 0", _node.Run("ENTRY.PUT other + - string c"), StringComparison.Ordinal);
        Assert.Contains($"VERSION {second}", _node.Run($"ENTRY.DEL k {first}"), StringComparison.Ordinal);
        Assert.Equal("[\"a\", \"b\"]", _node.Run("LRANGE k 0 -1"));
        Assert.Equal(second, Shown("k")[2]);
        Assert.NotEqual(second, Version(_node.Run("ENTRY.PUT k + - string c")));
    }

    [Theory]
    [InlineData("string a")]
    [InlineData("scalar -0.0")]
    [InlineData("json [[]]")]
    [InlineData("list s a j 1 s a")]
    [InlineData("hash b s 1 a j 1")]
    [InlineData("set c a b")]
    [InlineData("zset c 1 a 3e2 b -0.0")]
    public void The_same_put_twice_is_one_write(string content)
    {
        string before = Version(_node.Run("ENTRY.PUT k 0 - string before"));
        string first = _node.Run($"ENTRY.PUT k {before} - {content}");
        string[] shown = Shown("k");
        string again = _node.Run($"ENTRY.PUT k {before} - {content}");

        Assert.Equal(0, _node.LastChangeCount);
        Assert.Equal(Version(first), Version(again));
        Assert.Equal(shown, Shown("k"));
        Assert.EndsWith($"\"{shown[4]}\", -1]", first, StringComparison.Ordinal);

        _node.Run("RENAME k kept");
        _node.Run("COPY kept k");
        _node.Run("APPEND k x");
        _node.Run("RPUSH k x");
        _node.Run("HSET k x x");
        _node.Run("SADD k x");
        _node.Run("ZADD k 1 x");
        _node.Run("JSON.SET k . 2");
        Assert.Contains("VERSION", _node.Run($"ENTRY.PUT k {before} - {content}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ENTRY.PUT k * - scalar a")]
    [InlineData("ENTRY.PUT k * - scalar \"a\"")]
    [InlineData("ENTRY.PUT k * - scalar []")]
    [InlineData("ENTRY.PUT k * - json {")]
    [InlineData("ENTRY.PUT k * - json 1 2")]
    [InlineData("ENTRY.PUT k * - list j a")]
    [InlineData("ENTRY.PUT k * - list x a")]
    [InlineData("ENTRY.PUT k * - list s")]
    [InlineData("ENTRY.PUT k * - hash a s")]
    [InlineData("ENTRY.PUT k * - hash a s 1 a s 2")]
    [InlineData("ENTRY.PUT k * - set a a")]
    [InlineData("ENTRY.PUT k * - zset a 1 a 2")]
    [InlineData("ENTRY.PUT k * - zset a b")]
    [InlineData("ENTRY.PUT k * - stringy a")]
    [InlineData("ENTRY.PUT k * - sc a")]
    [InlineData("ENTRY.PUT k * 0 string a")]
    [InlineData("ENTRY.PUT k * x string a")]
    [InlineData("ENTRY.PUT k x - string a")]
    [InlineData("ENTRY.DEL k x")]
    public void What_makes_no_sense_is_refused(string line)
    {
        Assert.Contains("ERR", _node.Run(line), StringComparison.Ordinal);
        Assert.Equal(0, _node.LastChangeCount);
        Assert.Equal("none", _node.Run("TYPE k"));
    }

    [Fact]
    public void An_expiry_is_given_kept_and_shown()
    {
        _node.Run("ENTRY.PUT k * 5000 list s a");
        Assert.Equal("5000", _node.Run("PTTL k"));
        Assert.Equal("5000", Shown("k")[3]);
        _node.Run("ENTRY.PUT k * = hash a s b");
        Assert.Equal("5000", _node.Run("PTTL k"));
        _node.Run("ENTRY.PUT k * - zset a 1");
        Assert.Equal("-1", Shown("k")[3]);
    }

    [Fact]
    public void What_asks_for_no_key_or_another_expiry_was_not_done_before()
    {
        string first = Version(_node.Run("ENTRY.PUT k 0 - string a"));
        Assert.Contains($"VERSION {first}", _node.Run("ENTRY.PUT k 0 - string a"), StringComparison.Ordinal);
        string second = Version(_node.Run($"ENTRY.PUT k {first} 5000 string b"));
        foreach (string expiry in (string[])["-", "5000", "9000"])
        {
            Assert.Contains(
                $"VERSION {second}", _node.Run($"ENTRY.PUT k {first} {expiry} string b"), StringComparison.Ordinal);
        }

        string again = _node.Run($"ENTRY.PUT k {first} = string b");
        Assert.Equal(second, Version(again));
        Assert.EndsWith(", 5000]", again, StringComparison.Ordinal);
        Assert.Equal(0, _node.LastChangeCount);
        _node.Run("PERSIST k");
        Assert.Contains("VERSION", _node.Run($"ENTRY.PUT k {first} 5000 string b"), StringComparison.Ordinal);
    }

    /// <summary>Whatever other commands have made is put under another key as it is shown, and is the same.</summary>
    [Fact]
    public void What_is_shown_can_be_put()
    {
        var random = new SeededRandom(9020002);
        string[] writes =
        [
            "SET k {0}", "APPEND k {0}", "INCRBY k 7", "RPUSH k {0} {1}", "LPUSH k {0}", "LREM k 0 {0}", "DEL k",
            "HSET k {0} {1}", "HDEL k {0}", "SADD k {0} {1}", "SREM k {0}", "ZADD k 1.5 {0} -2 {1}",
            "ZINCRBY k 0.1 {0}",
            "LINSERT k BEFORE {0} {1}", "JSON.SET k . [{2},null]", "ENTRY.PUT k * - list j 1 s {0} j false",
            "ENTRY.PUT k * - hash {0} j 1", "ENTRY.PUT k * - scalar {2}", "ZADD k inf {0}",
        ];
        int compared = 0;
        for (int i = 0; i < 3000; i++)
        {
            string write = writes[random.Next(writes.Length)];
            _node.Run(string.Format(null, write, $"a{random.Next(5)}", $"a{random.Next(5)}x", random.Next(100)));
            List<string>? parts = Parts("k");
            if (parts is null)
            {
                continue;
            }

            compared++;
            List<byte[]> words = [.. "ENTRY.PUT copy * -".Split(' ').Select(Encoding.ASCII.GetBytes)];
            byte[] reply = _node.Run([TestNode.Line("ENTRY.GET", "k")], isBatch: false);
            ReadOnlyMemory<byte>[] elements = ReplyParts.ElementsOf(reply);
            words.Add(Bulk(elements[0]));
            words.AddRange(elements[1].Span[0] == (byte)'*'
                ? ReplyParts.ElementsOf(elements[1]).Select(Bulk)
                : [Bulk(elements[1])]);
            _node.Run([new CommandLine([.. words.Select(word => (ReadOnlyMemory<byte>)word)])], isBatch: false);
            Assert.Equal(parts[..2], Parts("copy")![..2]);
            Assert.Equal(_node.Run("TYPE k"), _node.Run("TYPE copy"));
        }

        Assert.True(compared > 1000);
    }

    private static byte[] Bulk(ReadOnlyMemory<byte> reply) =>
        reply[(reply.Span.IndexOf((byte)'\n') + 1)..^2].ToArray();

    /// <summary>The version in what ENTRY.PUT answered: `["1-2-0", 1, "hash", -1]`.</summary>
    private static string Version(string reply) => reply[2..reply.IndexOf('"', 2)];

    private List<string>? Parts(string key) =>
        ReplyText.Parts(_node.Run([TestNode.Line("ENTRY.GET", key)], isBatch: false));

    /// <summary>Kind, content, version, time left and hash, without quotes and commas.</summary>
    private string[] Shown(string key) =>
    [
        .. Parts(key)!.Select(part => part
            .Replace("\"", "", StringComparison.Ordinal)
            .Replace(",", "", StringComparison.Ordinal)
            .Trim('[', ']')),
    ];
}
