using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Node.Tests.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// The same random requests, evaluated over rows at hand, over rows that are cold at first, over changes that are
/// pending in part, and over rows of which the invisible ones are swept away: replies and rows are the same.
/// </summary>
public sealed class EvaluationTests
{
    private const int Requests = 400;

    private static readonly string[] More =
    [
        "CAS {s} 0 {v}", "GETV {s}", "JSON.SET {s} . {i}", "JSON.GET {s}", "SCAN 0 COUNT 3", "SCAN 0 TYPE hash",
        "SPOP {a}", "SPOP {a} {n}", "EXPIRE {k} {t}", "EXPIRE {k} {t}", "RENAME {k} {k}", "COPY {k} {k} REPLACE",
        "LINSERT {l} BEFORE {f} {f}", "LREM {l} 0 {f}", "DEL {k}", "DEL {k}",
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_in_memory_pending_or_swept_away_decides_nothing(int part)
    {
        for (ulong seed = 0; seed < 12; seed++)
        {
            Compare((12 * (ulong)part) + seed);
        }
    }

    [Theory]
    [InlineData("MGET", 1)]
    [InlineData("DEL", 1)]
    [InlineData("SINTER", 1)]
    [InlineData("HMGET h", 2)]
    [InlineData("HDEL h", 2)]
    [InlineData("SADD s", 2)]
    [InlineData("ZMSCORE z", 2)]
    public void Many_cold_rows_of_one_line_are_fetched_together(string command, int fetches)
    {
        var node = new ColdNode(1, partsPerMillion: 1_000_000);
        string words = string.Join(' ', Enumerable.Range(0, 100).Select(i => $"w{i}"));
        node.Ask("HSET h f v", 1);
        node.Ask("SADD s m", 2);
        node.Ask("ZADD z 1 m", 3);

        node.Ask($"{command} {words}", 4);

        Assert.Equal(fetches, node.Fetches);
    }

    [Fact]
    public void A_command_that_fails_in_a_batch_changes_nothing_and_the_others_stand()
    {
        var node = new TestNode();
        byte[] reply = node.Run(
            [TestNode.Line("SET", "a", "1"), TestNode.Line("LPUSH", "a", "x"), TestNode.Line("INCR", "a")], true);

        Assert.Equal("[OK, (error) WRONGTYPE Operation against a key holding the wrong kind of value, 2]",
            ReplyText.Of(reply));
        Assert.Equal(2, node.LastChangeCount);
    }

    [Fact]
    public void A_batch_over_the_limit_of_changes_does_nothing()
    {
        var node = new TestNode(new EvaluationLimits { ChangesMax = 4 });
        byte[] reply = node.Run([TestNode.Line("SET", "a", "1"), TestNode.Line("RPUSH", "l", "1", "2", "3")], true);

        Assert.Equal("(error) ERR the request changes more than 4 rows, nothing was done", ReplyText.Of(reply));
        Assert.Equal(0, node.LastChangeCount);
        Assert.Equal(0, node.Rows.Count);
        Assert.Equal("3", node.Run("RPUSH l 1 2 3"));
    }

    [Fact]
    public void Changes_over_the_limit_of_bytes_are_not_made()
    {
        var node = new TestNode(new EvaluationLimits { ChangeBytesMax = 1000 });

        Assert.Equal(
            "(error) ERR the changes of the request exceed 1000 bytes, nothing was done",
            node.Run("SET a " + new string('x', 1000)));
        Assert.Equal(0, node.Rows.Count);
    }

    [Fact]
    public void Keys_elements_and_values_have_limits()
    {
        var node = new TestNode();
        string longKey = new('k', RowLimits.KeyBytesMax + 1);
        string longName = new('n', RowLimits.ElementBytesMax + 1);

        Assert.Equal("(error) ERR the key exceeds 65536 bytes", node.Run($"SET {longKey} v"));
        Assert.Equal("(error) ERR the key exceeds 65536 bytes", node.Run($"GET {longKey}"));
        Assert.Equal("(error) ERR a field or member exceeds 65536 bytes", node.Run($"HSET h ok 1 {longName} v"));
        Assert.Equal("(error) ERR a field or member exceeds 65536 bytes", node.Run($"SADD s {longName}"));
        Assert.Equal("(error) ERR a field or member exceeds 65536 bytes", node.Run($"ZADD z 1 {longName}"));
        Assert.Equal("null", node.Run($"HGET h {longName}"));
        Assert.Equal("0", node.Run($"SISMEMBER s {longName}"));
        Assert.Equal(0, node.Rows.Count);

        Assert.Equal("OK", node.Run($"SET {new string('\0', RowLimits.KeyBytesMax)} v"));
        string zeros = new('\0', RowLimits.KeyBytesMax - 1);
        Assert.Equal("1", node.Run($"ZADD {zeros} 1 {new string('n', RowLimits.ElementBytesMax)}"));
        string big = new('x', RowLimits.ValueBytesMax);
        Assert.Equal("OK", ReplyText.Of(node.Run([TestNode.Line("SET", "big", big)], isBatch: false)));
        Assert.StartsWith("(error) ERR string exceeds", node.Run("APPEND big x"));
        Assert.StartsWith("(error) ERR string exceeds", node.Run($"SETRANGE new {RowLimits.ValueBytesMax} x"));
    }

    [Fact]
    public void A_string_that_a_command_makes_is_no_longer_than_the_limit_for_these()
    {
        var node = new TestNode(new EvaluationLimits { ComposedBytesMax = 1000 });
        Assert.Equal("OK", node.Run($"SET k {new string('x', 998)}"));
        Assert.Equal("OK", node.Run($"SET long {new string('x', 2000)}"));
        int bytes = node.Rows.Count;
        string[] tooLong =
        [
            "APPEND k abc", "SETRANGE k 998 abc", "SETRANGE new 1000 a", "SETBIT k 8000 1",
            "SETBIT new 400000000 1", "BITFIELD new SET u8 8000 1", "BITOP NOT new long", "BITOP OR new k long",
            "APPEND long a", "SETBIT long 0 1",
        ];
        foreach (string line in tooLong)
        {
            Assert.Contains("1000 bytes at most", node.Run(line), StringComparison.Ordinal);
        }

        Assert.Equal(bytes, node.Rows.Count);
        Assert.Equal("1000", node.Run("APPEND k ab"));
        Assert.Equal("1000", node.Run("SETRANGE k 997 abc"));
        Assert.Equal("0", node.Run("SETBIT new 7999 1"));
        Assert.Equal("1", node.Run("GETBIT new 7999"));
        Assert.Equal("2000", node.Run("STRLEN long"));
        Assert.Equal("1000", node.Run("BITOP NOT other k"));
    }

    [Fact]
    public void Every_command_says_what_it_writes_and_where_its_keys_are()
    {
        Assert.True(CommandTable.All.Count > 100);
        var node = new TestNode();
        var lines = new RandomLines(77, More);
        for (int i = 0; i < 3000; i++)
        {
            CommandLine line = TestNode.Line(lines.Next());
            CommandSpec? spec = CommandTable.Check(line, out string? error);
            Assert.Equal(spec is null, error is not null);
            node.Run([line], isBatch: false);
            if (spec is null)
            {
                Assert.Equal(0, node.LastChangeCount);
                continue;
            }

            Assert.True(
                spec.Kind == CommandKind.Write || node.LastChangeCount == 0, $"{spec.Name} has written");
            foreach (int word in CommandTable.KeyWordsOf(spec, line))
            {
                string key = Encoding.Latin1.GetString(line[word]);
                Assert.True(word > 0 && word < line.Count, $"{spec.Name}: {key}");
            }
        }
    }

    private static void Compare(ulong seed)
    {
        var random = new SeededRandom(seed);
        var lines = new RandomLines(seed, More);
        IEvaluated[] nodes = [new WarmNode(), new ColdNode(seed), new PendingNode(seed), new SweptNode(seed)];
        long milliseconds = 1_000_000;
        for (ulong i = 1; i <= Requests; i++)
        {
            milliseconds += random.Chance(100_000) ? random.Next(20_000_000_000) : random.Next(10);
            bool isBatch = random.Chance(200_000);
            int count = isBatch ? (int)random.Between(1, 4) : 1;
            CommandLine[] request = [.. Enumerable.Range(0, count).Select(_ => TestNode.Line(lines.Next()))];
            var asked = new Request(
                request, isBatch, HybridTime.FromMilliseconds(milliseconds), new LogIndex(i), random.NextUInt64());
            string[] replies = [.. nodes.Select(node => ReplyText.Of(node.Run(asked)))];
            string words = string.Join(
                "; ", request.Select(line => string.Join(' ', Enumerable.Range(0, line.Count).Select(
                    word => Encoding.Latin1.GetString(line[word])))));
            Assert.True(replies.Distinct().Count() == 1, $"seed {seed}: {words}\n{string.Join('\n', replies)}");
        }

        string rows = nodes[0].Dump();
        Assert.Equal(rows, nodes[1].Dump());
        Assert.Equal(rows, nodes[2].Dump());
    }

    /// <summary>A request with all that an evaluation hangs on beside the rows.</summary>
    private sealed record Request(CommandLine[] Lines, bool IsBatch, HybridTime Time, LogIndex Index, ulong Seed)
    {
        public RowVersion First => RowVersion.At(Index, 0);
    }

    private interface IEvaluated
    {
        byte[] Run(Request request);

        string Dump();
    }

    private sealed class WarmNode : IEvaluated
    {
        private readonly CommandEvaluation _evaluation = new(new EvaluationLimits());
        private readonly SortedRows _rows = new();

        public byte[] Run(Request request)
        {
            Assert.Equal(EvaluationOutcome.Done, _evaluation.Run(
                _rows, request.Lines, request.IsBatch, request.Time, request.First, request.Seed));
            _rows.Apply(_evaluation.Changes, request.First);
            return _evaluation.Reply.ToArray();
        }

        public string Dump() => _rows.Dump();
    }

    /// <summary>Each look at a row or a range may find it cold once in a request.</summary>
    private sealed class ColdNode(ulong seed, long partsPerMillion = 500_000) : IEvaluated, IRowSource
    {
        private readonly CommandEvaluation _evaluation = new(new EvaluationLimits());
        private readonly SortedRows _rows = new();
        private readonly SeededRandom _random = new(seed);
        private readonly HashSet<string> _fetched = [];

        /// <summary>How often the last request had to wait for rows.</summary>
        public int Fetches { get; private set; }

        public void Ask(string line, ulong index) => Run(
            new Request([TestNode.Line(line.Split(' '))], false, HybridTime.Zero, new LogIndex(index), index));

        public byte[] Run(Request request)
        {
            _fetched.Clear();
            Fetches = 0;
            while (_evaluation.Run(
                this, request.Lines, request.IsBatch, request.Time, request.First, request.Seed)
                == EvaluationOutcome.Cold)
            {
                Fetches++;
                Assert.Equal(0, _evaluation.Reply.Length);
                Assert.Equal(0, _evaluation.ChangeCount);
                Assert.Equal(0, _evaluation.Changes.Length);
                Assert.True(_fetched.Count < 10_000);
            }

            _rows.Apply(_evaluation.Changes, request.First);
            return _evaluation.Reply.ToArray();
        }

        public string Dump() => _rows.Dump();

        public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
        {
            row = default;
            return IsCold(Convert.ToHexString(rowKey)) ? Lookup.Cold : _rows.Get(rowKey, out row);
        }

        public Lookup Scan(in RowRange range, IRowVisitor visitor)
        {
            var prefix = new Prefix(visitor, _random.Next(4));
            bool isCold = IsCold($"{Convert.ToHexString(range.From)}-{Convert.ToHexString(range.To)}");
            Lookup lookup = _rows.Scan(range, isCold ? prefix : visitor);
            return isCold ? Lookup.Cold : lookup;
        }

        private bool IsCold(string what) => _random.Chance(partsPerMillion) && _fetched.Add(what);

        private sealed class Prefix(IRowVisitor visitor, long count) : IRowVisitor
        {
            private long _left = count;

            public bool Visit(ReadOnlySpan<byte> rowKey, in Row row) => _left-- > 0 && visitor.Visit(rowKey, row);
        }
    }

    /// <summary>Changes stay pending for a while; now and then some that come to nothing lie on top of them.</summary>
    private sealed class PendingNode : IEvaluated
    {
        private readonly CommandEvaluation _evaluation = new(new EvaluationLimits());
        private readonly SortedRows _rows = new();
        private readonly RowOverlay _pending;
        private readonly SeededRandom _random;
        private readonly RandomLines _lost;
        private readonly Queue<(RowVersion First, byte[] Changes)> _entries = new();

        public PendingNode(ulong seed)
        {
            _pending = new RowOverlay(_rows);
            _random = new SeededRandom(seed);
            _lost = new RandomLines(seed + 1);
        }

        public byte[] Run(Request request)
        {
            if (_random.Chance(200_000))
            {
                RowVersion before = RowVersion.At(request.Index, 0);
                RowVersion after = RowVersion.At(request.Index.Next, 0);
                Evaluate(request with { Lines = [TestNode.Line(_lost.Next())], Index = request.Index.Next });
                _pending.CutAfter(_random.Chance(500_000) ? before : new RowVersion(after.Packed - 1));
            }

            Evaluate(request);
            _entries.Enqueue((request.First, _evaluation.Changes.ToArray()));
            while (_entries.Count > 0 && _random.Chance(600_000))
            {
                ApplyOne();
            }

            return _evaluation.Reply.ToArray();
        }

        public string Dump()
        {
            string seen = SortedRows.DumpOf(_pending, [], [0xFF, 0xFF]);
            while (_entries.Count > 0)
            {
                ApplyOne();
            }

            Assert.Equal(seen, _rows.Dump());
            return seen;
        }

        private void Evaluate(Request request)
        {
            Assert.Equal(EvaluationOutcome.Done, _evaluation.Run(
                _pending, request.Lines, request.IsBatch, request.Time, request.First, request.Seed));
            RowChangeReader reader = RowChanges.Read(_evaluation.Changes);
            RowVersion version = request.First;
            while (reader.TryNext(out RowChange change))
            {
                _pending.Change(change, version);
                version = new RowVersion(version.Packed + 1);
            }
        }

        private void ApplyOne()
        {
            (RowVersion first, byte[] changes) = _entries.Dequeue();
            _rows.Apply(changes, first);
            _pending.Applied(first.Index);
        }
    }

    /// <summary>Expired rows and the elements of lost collections go at any time, by this node's own choice.</summary>
    private sealed class SweptNode(ulong seed) : IEvaluated
    {
        private readonly CommandEvaluation _evaluation = new(new EvaluationLimits());
        private readonly SortedRows _rows = new();
        private readonly SeededRandom _random = new(seed);

        public byte[] Run(Request request)
        {
            if (_random.Chance(300_000))
            {
                _rows.Sweep(request.Time.Milliseconds);
            }

            Assert.Equal(EvaluationOutcome.Done, _evaluation.Run(
                _rows, request.Lines, request.IsBatch, request.Time, request.First, request.Seed));
            _rows.Apply(_evaluation.Changes, request.First);
            return _evaluation.Reply.ToArray();
        }

        public string Dump() => _rows.Dump();
    }
}
