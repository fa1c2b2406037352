namespace Quorate.Storage.Tests.Stores;

/// <summary>The partition store against its twin (pitfalls S2, S4, S9).</summary>
public sealed class StoreTwinsTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public void They_show_the_same_whatever_happens_in_the_background(ulong seed, bool isEncrypted)
    {
        var twins = new StoreTwins(seed, isEncrypted, keys: seed % 2 == 0 ? 12 : 60);
        for (int i = 0; i < 2000; i++)
        {
            twins.Step();
        }

        twins.Settle();
        twins.CompareAll();
        Assert.True(twins.Compactions > 8, $"{twins.Compactions} compactions");
        Assert.True(twins.Steps.Count == 8 && twins.Steps.Values.Min() > 5, string.Join(", ", twins.Steps));
        Assert.True(twins.TablesMax >= 3, $"{twins.TablesMax} tables");
    }
}
