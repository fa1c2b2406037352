namespace Quorate.Node.Tests.Commands;

/// <summary>
/// Conversations by family: a line and what it answers, in turn. They hold where no Redis is at hand to compare with,
/// and what Redis does not have or does by chance.
/// </summary>
public sealed class FamilyTests
{
    public static TheoryData<string> Conversations => [.. Talks.All.Keys];

    [Theory]
    [MemberData(nameof(Conversations))]
    public void A_conversation_goes_as_written(string name)
    {
        var node = new TestNode();
        string[] lines = [.. Talks.All[name].Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        for (int i = 0; i + 1 < lines.Length; i += 2)
        {
            if (lines[i].StartsWith("wait ", StringComparison.Ordinal))
            {
                long milliseconds = long.Parse(lines[i].AsSpan(5));
                node.Time = Core.Model.HybridTime.FromMilliseconds(node.Time.Milliseconds + milliseconds);
                i--;
                continue;
            }

            Assert.Equal($"{lines[i]}\n{lines[i + 1]}", $"{lines[i]}\n{node.Run(lines[i]).TrimEnd()}");
        }
    }

    [Fact]
    public void Scan_shows_every_key_once_and_jumps_over_elements()
    {
        var node = new TestNode();
        for (int i = 0; i < 50; i++)
        {
            node.Run($"SET key{i} v");
            node.Run($"RPUSH list{i} a b c d");
        }

        node.Run("DEL list7");
        List<string> seen = [];
        string position = "0";
        do
        {
            byte[] reply = node.Run([TestNode.Line("SCAN", position, "COUNT", "7")], isBatch: false);
            List<string> parts = ReplyText.Parts(reply)!;
            position = parts[0][1..^1];
            seen.AddRange(parts[1].Trim('[', ']').Split(", ", StringSplitOptions.RemoveEmptyEntries));
        }
        while (position != "0");

        Assert.Equal(99, seen.Count);
        Assert.Equal(99, seen.Distinct().Count());
        Assert.Equal("99", node.Run("DBSIZE"));
    }

    [Theory]
    [InlineData("HSCAN", "HSET", 2)]
    [InlineData("SSCAN", "SADD", 1)]
    [InlineData("ZSCAN", "ZADD", 2)]
    public void Scans_of_elements_go_on_where_they_stopped(string scan, string add, int wordsEach)
    {
        var node = new TestNode();
        for (int i = 0; i < 40; i++)
        {
            node.Run(add == "SADD" ? $"SADD k m{i}" : add == "HSET" ? $"HSET k m{i} v" : $"ZADD k {i} m{i}");
        }

        List<string> seen = [];
        string position = "0";
        do
        {
            byte[] reply = node.Run([TestNode.Line(scan, "k", position, "COUNT", "7")], isBatch: false);
            List<string> parts = ReplyText.Parts(reply)!;
            position = parts[0][1..^1];
            seen.AddRange(parts[1].Trim('[', ']').Split(", ").Chunk(wordsEach).Select(words => words[0]));
        }
        while (position != "0");

        Assert.Equal(40, seen.Count);
        Assert.Equal(40, seen.Distinct().Count());
    }

    [Fact]
    public void One_push_and_one_pop_touch_one_element_and_the_header()
    {
        var node = new TestNode();
        node.Run("RPUSH l " + string.Join(' ', Enumerable.Range(0, 1000)));
        foreach (string line in new[] { "LPUSH l x", "RPUSH l x", "LPOP l", "RPOP l", "LSET l 500 y" })
        {
            node.Run(line);
            Assert.Equal(2, node.LastChangeCount);
        }

        node.Run("LINSERT l BEFORE 3 x");
        Assert.Equal(3 + 1 + 1, node.LastChangeCount);
        node.Run("LREM l 1 997");
        Assert.Equal(2 + 1 + 1, node.LastChangeCount);
        node.Run("DEL l");
        Assert.Equal(1, node.LastChangeCount);
    }

    [Fact]
    public void What_is_chosen_by_chance_hangs_on_the_seed_and_reaches_every_element()
    {
        var node = new TestNode();
        node.Run("SADD s a b c d e");
        HashSet<string> seen = [];
        for (int i = 0; i < 200; i++)
        {
            seen.Add(node.Run("SRANDMEMBER s"));
            List<string> three = ReplyText.Parts(node.Run([TestNode.Line("SRANDMEMBER", "s", "3")], false))!;
            Assert.Equal(3, three.Distinct().Count());
            Assert.Equal(9, ReplyText.Parts(node.Run([TestNode.Line("SRANDMEMBER", "s", "-9")], false))!.Count);
        }

        Assert.Equal(5, seen.Count);
        for (int left = 5; left > 0; left--)
        {
            Assert.Equal($"{left}", node.Run("SCARD s"));
            Assert.Contains(node.Run("SPOP s"), seen);
        }

        Assert.Equal("null", node.Run("SPOP s"));
        Assert.Equal("0", node.Run("EXISTS s"));
    }
}
