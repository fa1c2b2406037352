namespace Quorate.Storage.Memory;

/// <summary>
/// What one user takes of a node's memory, told whenever it may have changed, and given back at its end.
/// </summary>
internal sealed class CountedMemory(MemoryBudget budget, MemoryUse use) : IDisposable
{
    private long _bytes;

    public void Set(long bytes)
    {
        budget.Take(use, bytes - _bytes);
        _bytes = bytes;
    }

    public void Dispose() => Set(0);
}
