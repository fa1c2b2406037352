using Quorate.Storage.Memtables;

namespace Quorate.Storage.Tests;

/// <summary>The memtable against a sorted dictionary, under random steps of every kind.</summary>
public sealed class MemtableModelTests
{
    private static readonly MemtableSettings Small = new() { UnorderedRowsMax = 40, StepRowsMax = 200 };

    [Theory]
    [InlineData(1, 40, 2)]
    [InlineData(2, 300, 1)]
    [InlineData(3, 300, 3)]
    [InlineData(4, 1000, 300)]
    [InlineData(5, 3000, 2)]
    [InlineData(6, 20, 20)]
    public void It_agrees_with_a_sorted_dictionary(int seed, int keys, int tags) =>
        Run((ulong)seed, Small, keys, tags, steps: 6_000);

    [Theory]
    [InlineData(7, 0x7, 300)]
    [InlineData(8, 0x0, 60)]
    [InlineData(9, 0xC000_0000_0000_0000, 3000)]
    public void Colliding_hashes_cost_time_only(int seed, ulong mask, int keys) =>
        Run((ulong)seed, Small with { HashMask = mask }, keys, tags: 2, steps: 3_000);

    private static void Run(ulong seed, MemtableSettings settings, int keys, int tags, int steps)
    {
        using var model = new MemtableModel(seed, settings, keys, tags);
        for (int i = 0; i < steps; i++)
        {
            model.Step();
            if (i % 500 == 0)
            {
                model.Compare();
            }
        }

        model.Compare();
        model.Dispose();
        Assert.Equal(0, model.Budget.UsedBytes);
    }
}
