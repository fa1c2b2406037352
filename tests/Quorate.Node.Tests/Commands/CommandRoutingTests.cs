using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Tests.Commands;

/// <summary>An edge knows where a command belongs, and makes one reply of those to its parts.</summary>
public sealed class CommandRoutingTests
{
    private const int Partitions = 7;

    [Theory]
    [InlineData("get k", RouteKind.OneSlot)]
    [InlineData("MGET {t}a {t}b", RouteKind.OneSlot)]
    [InlineData("MGET a b", RouteKind.SeveralSlots)]
    [InlineData("SINTERCARD 2 {t}a {t}b", RouteKind.OneSlot)]
    [InlineData("SINTERCARD 2 a b", RouteKind.SeveralSlots)]
    [InlineData("SINTERCARD x a b", RouteKind.NoKeys)]
    [InlineData("DBSIZE", RouteKind.NoKeys)]
    [InlineData("GET", RouteKind.Error)]
    [InlineData("NOSUCH a", RouteKind.Error)]
    [InlineData("MSET a 1 b", RouteKind.OneSlot)]
    public void A_command_is_routed_by_its_keys(string words, RouteKind kind)
    {
        CommandRoute route = CommandRouting.Route(Line(words));

        Assert.Equal(kind, route.Kind);
        Assert.Equal(kind == RouteKind.Error, route.Error is not null);
        Assert.Equal(kind == RouteKind.Error, route.Spec is null);
    }

    [Fact]
    public void Errors_are_worded_as_Redis_words_them()
    {
        Assert.Equal(
            "ERR unknown command 'NOSUCH', with args beginning with: 'a' ",
            CommandRouting.Route(Line("NOSUCH a")).Error);
        Assert.Equal(
            "ERR wrong number of arguments for 'get' command", CommandRouting.Route(Line("GeT")).Error);
    }

    [Fact]
    public void A_route_has_the_slot_of_each_key_that_the_table_names()
    {
        var lines = new RandomLines(1);
        for (int i = 0; i < 5000; i++)
        {
            CommandLine line = TestNode.Line(lines.Next());
            CommandRoute route = CommandRouting.Route(line);
            if (CommandTable.Check(line, out _) is not { } spec)
            {
                Assert.Equal(RouteKind.Error, route.Kind);
                continue;
            }

            Slot[] slots =
            [
                .. CommandTable.KeyWordsOf(spec, line).Select(word => KeyHash.SlotOf(line[word])).Distinct(),
            ];
            RouteKind expected = slots.Length switch
            {
                0 => RouteKind.NoKeys,
                1 => RouteKind.OneSlot,
                _ => RouteKind.SeveralSlots,
            };
            bool isMispaired = spec.Name == "MSET" && line.Count % 2 == 0;
            Assert.Equal(isMispaired ? RouteKind.OneSlot : expected, route.Kind);
            Assert.True(route.Kind is RouteKind.NoKeys or RouteKind.Error || slots[0] == route.Slot);
        }
    }

    [Theory]
    [InlineData("GET k")]
    [InlineData("set k v EX 10")]
    [InlineData("HGETALL h")]
    [InlineData("MGET a b c")]
    [InlineData("DBSIZE")]
    public void Routing_allocates_nothing(string words)
    {
        CommandLine line = Line(words);
        for (int i = 0; i < 100; i++)
        {
            CommandRouting.Route(line);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            CommandRouting.Route(line);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Run as parts over several partitions, a command answers what it would answer in one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Parts_answer_together_what_the_whole_would(ulong seed)
    {
        var random = new SeededRandom(seed);
        var whole = new TestNode();
        TestNode[] parts = [.. Enumerable.Range(0, Partitions).Select(_ => new TestNode())];
        string[] patterns =
        [
            "MGET", "DEL", "UNLINK", "EXISTS", "TOUCH", "MSET", "MSET", "MSET", "DBSIZE", "KEYS", "RANDOMKEY",
            "LPUSH", "FLUSHDB",
        ];
        for (int i = 0; i < 2000; i++)
        {
            string name = patterns[random.Next(patterns.Length - (random.Chance(20_000) ? 0 : 1))];
            CommandLine line = Draw(name, random);
            string expected = ReplyText.Of(whole.Run([line], isBatch: false));

            string actual = ReplyText.Of(RunScattered(line, parts));

            if (name == "KEYS")
            {
                Assert.Equal(Sorted(expected), Sorted(actual));
            }
            else if (name == "RANDOMKEY")
            {
                Assert.Equal(expected == "null", actual == "null");
                Assert.True(actual == "null" || whole.Run($"EXISTS {actual.Trim('"')}") == "1");
            }
            else
            {
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void A_random_key_is_any_of_them_and_none_of_what_is_not_one()
    {
        var node = new TestNode();
        Assert.Equal("null", node.Run("RANDOMKEY"));
        for (int i = 0; i < 20; i++)
        {
            node.Run($"RPUSH k{i} a b c");
        }

        node.Run("SET gone 1 PX 1");
        node.Time = HybridTime.FromMilliseconds(node.Time.Milliseconds + 1000);
        var drawn = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < 2000; i++)
        {
            drawn.Add(node.Run("RANDOMKEY"));
        }

        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => $"\"k{i}\"").Order(StringComparer.Ordinal), drawn);
    }

    private static byte[] RunScattered(CommandLine line, TestNode[] nodes)
    {
        CommandRoute route = CommandRouting.Route(line);
        var reply = new Reply();
        switch (route)
        {
            case { Kind: RouteKind.OneSlot }:
                return nodes[route.Slot.Value % Partitions].Run([line], isBatch: false);
            case { Kind: RouteKind.SeveralSlots, MayScatter: true }:
                List<CommandPart> parts = ScatteredCommand.Split(route.Spec!, line, slot => slot.Value % Partitions);
                List<ReadOnlyMemory<byte>> replies =
                    [.. parts.Select(part => (ReadOnlyMemory<byte>)nodes[part.Partition].Run([part.Line], false))];
                ScatteredCommand.Gather(route.Spec!, parts, replies, reply);
                break;
            default:
                Assert.Equal(RouteKind.NoKeys, route.Kind);
                List<ReadOnlyMemory<byte>> all =
                    [.. nodes.Select(node => (ReadOnlyMemory<byte>)node.Run([line], isBatch: false))];
                ScatteredCommand.Gather(route.Spec!, all, reply);
                break;
        }

        return reply.ToArray();
    }

    private static CommandLine Draw(string name, SeededRandom random)
    {
        var words = new List<string> { name };
        int keys = name is "DBSIZE" or "RANDOMKEY" or "FLUSHDB" ? 0 : name is "LPUSH" ? 1 : (int)random.Between(1, 6);
        if (name == "KEYS")
        {
            words.Add("k*");
            keys = 0;
        }

        for (int i = 0; i < keys; i++)
        {
            words.Add($"k{random.Next(12)}");
            if (name is "MSET" or "LPUSH")
            {
                words.Add($"{random.Next(100)}");
            }
        }

        return Line(string.Join(' ', words));
    }

    private static string Sorted(string array) => string.Join(' ', array.Trim('[', ']').Split(", ").Order());

    private static CommandLine Line(string words) =>
        new([.. words.Split(' ').Select(word => (ReadOnlyMemory<byte>)Encoding.Latin1.GetBytes(word))]);
}
