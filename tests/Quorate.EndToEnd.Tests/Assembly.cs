namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Tests that fill the machine's memory or its processors: one of them at a time, and none beside them. All others run
/// two at once: each has a cluster, folders and ports of its own, most of their time goes into waiting for processes,
/// and what they demand holds on a busy machine, too.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
