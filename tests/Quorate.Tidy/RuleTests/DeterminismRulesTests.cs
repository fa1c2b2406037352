using Quorate.Tidy.Rules;

namespace Quorate.Tidy.RuleTests;

/// <summary>Samples for <see cref="HashOrder"/> and for what <see cref="BanList"/> finds in code.</summary>
public sealed class DeterminismRulesTests
{
    private static readonly BanList List = new(Sample.At(
        "BannedSymbols.txt", "T:System.DateTime;take an Instant\nN:System.Threading;return what is to be done\n"));

    [Theory]
    [InlineData("void A(Dictionary<int, int> d) { foreach (var x in d) { } }")]
    [InlineData("void A(Dictionary<int, int> d) { foreach (var (x, y) in d) { } }")]
    [InlineData("void A(Dictionary<int, int> d) { foreach (int x in d.Keys) { } }")]
    [InlineData("void A(IReadOnlyDictionary<int, int> d) { foreach (var x in d) { } }")]
    [InlineData("void A(HashSet<int> d) { foreach (int x in d.Where(x => x > 1)) { } }")]
    [InlineData("int[] A(HashSet<int> d) => [.. d];")]
    [InlineData("int[] A(HashSet<int> d) => d.ToArray();")]
    [InlineData("int A(Dictionary<int, int> d) => d.Values.First();")]
    [InlineData("IEnumerable<int> A(HashSet<int> d) => d;")]
    [InlineData("List<int> A(HashSet<int> d) => new(d);")]
    [InlineData("string A(HashSet<int> d) => string.Join(' ', d);")]
    [InlineData("object A(HashSet<int> d) => from x in d select x;")]
    [InlineData("void A(Dictionary<int, int> d) { using var e = d.GetEnumerator(); }")]
    [InlineData("void A(HashSet<int> d) => d.CopyTo(new int[9]);")]
    [InlineData("// order-free: \nint[] A(HashSet<int> d) => [.. d];")]
    public void A_hash_collection_that_is_enumerated_is_found(string member) =>
        Assert.NotEmpty(Sample.Judge(Sample.Members(member), Orders));

    [Theory]
    [InlineData("int A(Dictionary<int, int> d) => d.TryGetValue(1, out int x) ? x : d.Count;")]
    [InlineData("int A(Dictionary<int, int> d) => d.GetValueOrDefault(1);")]
    [InlineData("void A(SortedDictionary<int, int> d) { foreach (int x in d.Keys) { } }")]
    [InlineData("void A(List<int> d) { foreach (int x in d) { } }")]
    [InlineData("int A(HashSet<int> d) => d.Sum();")]
    [InlineData("bool A(Dictionary<int, int> d) => d.Values.Any(x => x > 1);")]
    [InlineData("int[] A(HashSet<int> d) => [.. d.Order()];")]
    [InlineData("SortedSet<int> A(HashSet<int> d) => new(d);")]
    [InlineData("void A(HashSet<int> d, HashSet<int> e) => d.UnionWith(e);")]
    [InlineData("IReadOnlyDictionary<int, int> A(Dictionary<int, int> d) => d;")]
    [InlineData("// order-free: the sum is the same\nint[] A(HashSet<int> d) => [.. d];")]
    public void Looking_up_sorting_and_counting_are_free(string member) =>
        Assert.Empty(Sample.Judge(Sample.Members(member), Orders));

    [Theory]
    [InlineData("DateTime? value;", true)]
    [InlineData("void A(CancellationToken token) { }", true)]
    [InlineData("List<Thread> threads;", true)]
    [InlineData("Task<int> A() => null;", true)]
    [InlineData("object A() => default(DateTime);", true)]
    [InlineData("TimeSpan value;", false)]
    [InlineData("List<int> values;", false)]
    public void A_banned_type_is_found_wherever_it_is_written(string member, bool bad) =>
        Assert.Equal(bad, Sample.Judge(Sample.Members(member), Types).Length > 0);

    [Fact]
    public void The_memtable_alone_may_order_its_readers()
    {
        const string Text = "class A { void B(ref int c) { Volatile.Write(ref c, Interlocked.Increment(ref c)); } }\n";
        Assert.Empty(Sample.Judge(Sample.At("src/Quorate.Storage/Memtables/A.cs", Text), Types));
        Assert.NotEmpty(Sample.Judge(Sample.At("src/Quorate.Storage/Log/A.cs", Text), Types));
    }

    [Theory]
    [InlineData("void A() { lock (this) { } }", 1)]
    [InlineData("async void A() { }", 1)]
    [InlineData("volatile int a;", 1)]
    [InlineData("// To lock or to be async and volatile.\nint a;", 0)]
    public void A_word_that_locks_or_waits_is_found(string member, int findings) =>
        Assert.Equal(findings, BanList.Words(Sample.Members(member)).Count());

    [Fact]
    public void Code_that_does_not_compile_is_found() =>
        Assert.NotEmpty(new DecidingCode([Sample.Members("Unheard value;")]).Errors());

    private static IEnumerable<Finding> Orders(Source file, DecidingCode code) => HashOrder.In(file, code.Model(file));

    private static IEnumerable<Finding> Types(Source file, DecidingCode code) => List.Types(file, code.Model(file));
}
