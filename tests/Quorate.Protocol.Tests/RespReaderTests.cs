using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Quorate.Protocol.Tests;

/// <summary>What a client sends becomes commands, whatever it sends.</summary>
[CollectionDefinition(nameof(RespReaderTests), DisableParallelization = true)]
[Collection(nameof(RespReaderTests))]
public sealed class RespReaderTests
{
    private static readonly RespLimits Small = new()
    {
        WordsMax = 1000,
        WordBytesMax = 100,
        CommandBytesMax = 4000,
        SkippedBytesMax = 2000,
        InlineBytesMax = 200,
    };

    [Theory]
    [InlineData("*1\r\n$4\r\nPING\r\n", "PING")]
    [InlineData("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "GET,")]
    [InlineData("*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", "a")]
    [InlineData("*1\r\n$4\r\na\r\nb\r\n*1\r\n$1\r\nc\r\n", "a\r\nb|c")]
    [InlineData("PING\r\n", "PING")]
    [InlineData("\r\n\n  set  k\tv \n", "set,k,v")]
    [InlineData("set \"a b\" 'c\\'d' \"\\x41\\n\"\r\n", "set,a b,c'd,A\n")]
    [InlineData("GET / HTTP/1.1\r\n", "GET,/,HTTP/1.1")]
    public void Commands_are_read(string bytes, string expected) => Assert.Equal(expected, Read(bytes, [bytes.Length]));

    [Theory]
    [InlineData("*x\r\n", "invalid multibulk length")]
    [InlineData("*1 \r\n", "invalid multibulk length")]
    [InlineData("*1\n", "invalid multibulk length")]
    [InlineData("*1\rx", "invalid multibulk length")]
    [InlineData("*1001\r\n", "invalid multibulk length")]
    [InlineData("*99999999999999999999\r\n", "invalid multibulk length")]
    [InlineData("*1\r\n+PING\r\n", "expected '$', got '+'")]
    [InlineData("*1\r\n\r\n", "expected '$', got '\\x0d'")]
    [InlineData("*1\r\n$x\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$-1\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$2001\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$2147483648\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$1\r\nabc", "expected CRLF behind an argument")]
    [InlineData("get \"a\r\n", "unbalanced quotes in request")]
    [InlineData("get \"a\"b\r\n", "unbalanced quotes in request")]
    [InlineData("POST / HTTP/1.1\r\n", "this is not an HTTP server, the connection is closed")]
    [InlineData("host: example.org\r\n", "this is not an HTTP server, the connection is closed")]
    public void What_is_no_command_says_why(string bytes, string expected)
    {
        Assert.Equal($"!ERR Protocol error: {expected}", Read(bytes, [bytes.Length]));
        Assert.Equal($"!ERR Protocol error: {expected}", Read(bytes, [1]));
    }

    [Fact]
    public void A_line_without_end_is_refused_at_its_limit()
    {
        string line = new('a', 201);

        Assert.Equal("!ERR Protocol error: too big inline request", Read(line, [line.Length]));
        Assert.Equal("!ERR Protocol error: too big inline request", Read(line, [7]));
        Assert.Equal(new string('a', 199), Read(line[..199] + "\n", [7]));
    }

    [Fact]
    public void A_word_that_is_too_long_is_skipped_and_the_next_command_is_read()
    {
        string bytes = $"*2\r\n$3\r\nSET\r\n$150\r\n{new string('x', 150)}\r\n*1\r\n$4\r\nPING\r\n";

        foreach (int cut in (int[])[1, 10, bytes.Length])
        {
            Assert.Equal(
                "?ERR argument 1 of the command has 150 bytes, more than the 100 allowed; nothing was done|PING",
                Read(bytes, [cut]));
        }
    }

    [Fact]
    public void A_command_that_is_too_large_is_skipped_whether_by_its_bytes_or_by_its_words()
    {
        const string error = "?ERR the command has more than the 4000 bytes allowed; nothing was done|PING";
        string words = $"*500\r\n{string.Concat(Enumerable.Repeat("$0\r\n\r\n", 500))}*1\r\n$4\r\nPING\r\n";
        string bytes = $"*50\r\n{string.Concat(Enumerable.Repeat($"$90\r\n{new string('x', 90)}\r\n", 50))}PING\r\n";

        Assert.Equal(error, Read(words, [words.Length]));
        Assert.Equal(error, Read(bytes, [33]));
    }

    [Fact]
    public void The_commands_are_the_same_however_the_bytes_are_cut() => Prop
        .ForAll(
            ArbMap.Default.GeneratorFor<int>().ArrayOf().Select(seeds => MakeBytes(seeds)).ToArbitrary(),
            Gen.Choose(1, 40).ArrayOf().Where(cuts => cuts.Length > 0).ToArbitrary(),
            (bytes, cuts) => Assert.Equal(Read(bytes, [Math.Max(1, bytes.Length)]), Read(bytes, cuts)))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Commands_come_out_as_they_went_in() => Prop
        .ForAll(
            ArbMap.Default.GeneratorFor<byte[]>().Select(Encoding.Latin1.GetString).ArrayOf()
                .Where(words => words.Length > 0).ArrayOf().ToArbitrary(),
            Gen.Choose(1, 40).ArrayOf().Where(cuts => cuts.Length > 0).ToArbitrary(),
            (commands, cuts) => Assert.Equal(
                string.Join('|', commands.Select(words => string.Join(',', words))),
                Read(string.Concat(commands.Select(Encode)), cuts)))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    /// <summary>While it grows, the smaller buffers that it had before no longer count.</summary>
    [Fact]
    public void A_command_that_arrives_in_pieces_takes_what_it_has_and_no_more()
    {
        const int Length = 8 << 20;
        var limits = new RespLimits { CommandBytesMax = 2 * Length, WordBytesMax = Length };
        var budget = new RespBudget(2 * Length);
        var reader = new RespReader(limits);
        var command = new RespCommand(budget);
        Feed(reader, command, $"*2\r\n$3\r\nGET\r\n${Length}\r\n");
        string piece = new('x', 64 * 1024);
        for (int i = 0; i < Length / piece.Length; i++)
        {
            Feed(reader, command, piece);
        }

        Assert.Null(command.Problem);
        Assert.InRange(budget.Taken, Length, Length * 5 / 4);
        ReadOnlySpan<byte> end = "\r\n"u8;
        Assert.Equal(RespRead.Command, reader.Read(ref end, command));
        Assert.Equal(Length, command[1].Length);
        command.Clear();
        Assert.Equal(0, budget.Taken);
    }

    [Fact]
    public void Lengths_reserve_nothing_and_all_memory_stays_below_the_limit()
    {
        var limits = new RespLimits { CommandBytesMax = 256 * 1024, WordBytesMax = 128 * 1024 };
        var random = new Random(5);
        var budget = new RespBudget(512 * 1024);
        var readers = new List<(RespReader Reader, RespCommand Command)>();
        // Of the whole process: no other test runs beside these.
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 500; i++)
        {
            var reader = new RespReader(limits);
            var command = new RespCommand(budget);
            readers.Add((reader, command));
            Feed(reader, command, "*1000000\r\n$100000000\r\n");
            Feed(reader, command, new string('x', random.Next(100)));
        }

        long after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 500 * 2048, $"{(after - before) / 500} bytes each for lengths alone");

        // Each sends half of a large command: together they get what the budget has, and not more.
        foreach ((RespReader reader, RespCommand command) in readers)
        {
            command.Clear();
            var fresh = new RespReader(limits);
            Feed(fresh, command, "*2\r\n$100000\r\n");
            ReadOnlySpan<byte> half = new byte[50_000];
            if (fresh.Read(ref half, command) == RespRead.NeedsRoom)
            {
                // It may wait, or be told; then its rest is read and forgotten.
                Assert.Equal(50_000, half.Length);
                Assert.False(command.HasRoom);
                command.RefuseForRoom();
                Assert.Equal(RespRead.NeedsMore, fresh.Read(ref half, command));
            }

            Assert.True(half.IsEmpty);
            Assert.True(budget.Taken <= 512 * 1024);
        }

        Assert.Contains(
            readers,
            each => each.Command.Problem is { } problem && problem.StartsWith("OOM", StringComparison.Ordinal));
        foreach ((_, RespCommand command) in readers)
        {
            command.Clear();
        }

        Assert.Equal(0, budget.Taken);
    }

    /// <summary>One half is for all; of the other one large command takes what it needs, so that one ends.</summary>
    [Fact]
    public void Large_commands_wait_for_each_other_and_one_of_them_comes_to_its_end()
    {
        const int Length = 300_000;
        var limits = new RespLimits { CommandBytesMax = 1 << 20, WordBytesMax = 1 << 20 };
        var budget = new RespBudget(1 << 20);
        (RespReader Reader, RespCommand Command)[] large =
        [
            .. Enumerable.Range(0, 8).Select(_ => (new RespReader(limits), new RespCommand(budget))),
        ];
        int told = 0;
        budget.RoomCame = () => told++;
        foreach ((RespReader reader, RespCommand command) in large)
        {
            Feed(reader, command, $"*2\r\n$3\r\nGET\r\n${Length}\r\n");
        }

        int[] left = [.. large.Select(_ => Length)];
        int waiting = -1;
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < large.Length; i++)
            {
                ReadOnlySpan<byte> piece = new byte[Math.Min(20_000, left[i])];
                bool waits = large[i].Reader.Read(ref piece, large[i].Command) == RespRead.NeedsRoom;
                waiting = waits ? i : waiting;
                left[i] -= waits ? 0 : Math.Min(20_000, left[i]);
            }
        }

        Assert.Single(left, 0);
        Assert.True(budget.IsTight);
        Assert.False(large[waiting].Command.HasRoom);

        // A small one waits for nobody.
        var small = new RespCommand(budget);
        Feed(new RespReader(limits), small, "*1\r\n$50000\r\n" + new string('x', 40_000));
        Assert.Null(small.Problem);

        int first = Array.IndexOf(left, 0);
        ReadOnlySpan<byte> end = "\r\n"u8;
        Assert.Equal(RespRead.Command, large[first].Reader.Read(ref end, large[first].Command));
        large[first].Command.Finish();
        Assert.True(budget.Unfinished < budget.Taken);
        Assert.True(large[waiting].Command.HasRoom, "another one may be the foremost");
        Assert.True(told > 0, "who waits is told");
        Assert.All(large, each => each.Command.Clear());
        small.Clear();
        Assert.Equal((0, 0), (budget.Taken, budget.Unfinished));
    }

    [Fact]
    public void A_line_counts_while_it_arrives_and_one_that_is_refused_is_not_kept()
    {
        var limits = new RespLimits { InlineBytesMax = 64 * 1024 };
        var budget = new RespBudget(300 * 1024);
        var readers = new List<(RespReader Reader, RespCommand Command)>();
        for (int i = 0; i < 10; i++)
        {
            (RespReader Reader, RespCommand Command) each = (new(limits), new(budget));
            readers.Add(each);
            ReadOnlySpan<byte> line = Encoding.Latin1.GetBytes("GET " + new string('x', 30_000));
            if (each.Reader.Read(ref line, each.Command) == RespRead.NeedsRoom)
            {
                each.Command.RefuseForRoom();
                Assert.Equal(RespRead.NeedsMore, each.Reader.Read(ref line, each.Command));
            }
        }

        Assert.InRange(budget.Taken, 60_000, 300 * 1024);
        (RespReader reader, RespCommand refused) = readers.First(each => each.Command.Problem is not null);
        ReadOnlySpan<byte> end = "xx\nPING\n"u8;
        Assert.Equal(RespRead.Command, reader.Read(ref end, refused));
        Assert.StartsWith("OOM", refused.Problem, StringComparison.Ordinal);
        refused.Clear();
        Assert.Equal(RespRead.Command, reader.Read(ref end, refused));
        Assert.Equal("PING", WordsOf(refused));
    }

    private static void Feed(RespReader reader, RespCommand command, string text)
    {
        ReadOnlySpan<byte> bytes = Encoding.Latin1.GetBytes(text);
        Assert.Equal(RespRead.NeedsMore, reader.Read(ref bytes, command));
    }

    /// <summary>Bytes that are nearly commands: pieces of the protocol, mixed with noise.</summary>
    private static string MakeBytes(int[] seeds)
    {
        string[] pieces =
        [
            "*1\r\n", "*2\r\n", "$1\r\n", "$3\r\nGET\r\n", "a\r\n", "\r\n", "PING\r\n", "*", "$", "-1",
            "\n", "\"", "'", " ",
            "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
            "*1\r\n$120\r\n" + new string('y', 120) + "\r\n", "\\x4", "\0", "$0\r\n\r\n",
        ];
        return string.Concat(seeds.Select(seed => pieces[(uint)seed % pieces.Length]));
    }

    private static string Encode(string[] words) =>
        $"*{words.Length}\r\n{string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"))}";

    /// <summary>
    /// All commands, cut as told: words between commas, commands between bars; a refused one behind ?, the end of a
    /// malformed connection behind !.
    /// </summary>
    private static string Read(string text, int[] cuts)
    {
        var reader = new RespReader(Small);
        var command = new RespCommand();
        var commands = new List<string>();
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        int at = 0;
        for (int cut = 0; at < bytes.Length; cut++)
        {
            int length = Math.Min(cuts[cut % cuts.Length], bytes.Length - at);
            ReadOnlySpan<byte> input = bytes.AsSpan(at, length);
            at += length;
            while (!input.IsEmpty)
            {
                RespRead end = reader.Read(ref input, command);
                if (end == RespRead.Malformed)
                {
                    commands.Add("!" + reader.Error);
                    return string.Join('|', commands);
                }

                if (end == RespRead.Command)
                {
                    commands.Add(command.Problem is { } problem ? "?" + problem : WordsOf(command));
                    command.Clear();
                }
            }
        }

        return string.Join('|', commands);
    }

    private static string WordsOf(RespCommand command) => string.Join(
        ',', Enumerable.Range(0, command.Count).Select(word => Encoding.Latin1.GetString(command[word])));
}
