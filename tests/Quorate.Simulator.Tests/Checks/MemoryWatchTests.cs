using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Runtime;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;
using Quorate.Storage.Memory;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>What a node may use of memory, and what it must refuse when it uses more.</summary>
public sealed class MemoryWatchTests
{
    private readonly MemoryBudget _budget = new(800);
    private readonly MemoryWatch _watch;

    public MemoryWatchTests() => _watch = new(_budget, new NodeSettings(), new Judgements(), "n1");

    [Fact]
    public void Rows_without_a_checkpoint_may_be_over_the_total_and_nothing_else_may()
    {
        _budget.Take(MemoryUse.Memtables, 1000);
        _watch.CheckQuiet(dirtyBytes: 100);

        Breaks(() => _watch.CheckQuiet(dirtyBytes: 99));
    }

    [Fact]
    public void A_node_that_is_over_its_memory_must_refuse_writes()
    {
        _budget.Take(MemoryUse.Memtables, 900);
        Assert.False(_watch.MustRefuse);
        _budget.Take(MemoryUse.Memtables, 1);
        Assert.True(_watch.MustRefuse);

        _watch.CheckRefused(Write(Outcome.Refused));
        Breaks(() => _watch.CheckRefused(Write(Outcome.Done)));
        Breaks(() => _watch.CheckRefused(Write(null)));
    }

    [Fact]
    public void Work_on_files_takes_no_more_than_was_reserved_for_it()
    {
        _watch.CheckWork(readBytes: 0);
        _budget.Take(MemoryUse.Work, 10);

        // Blocks that are read for requests are not reserved, and here nothing else is.
        _watch.CheckWork(readBytes: 10);
        Breaks(() => _watch.CheckWork(readBytes: 9));
    }

    private static void Breaks(Action check) =>
        Assert.Equal(RunClaims.MemoryBudget, Assert.Throws<ClaimBrokenException>(check).Broken.Claim);

    private static Attempt Write(Outcome? outcome) => new()
    {
        Id = 1,
        Client = 0,
        Group = 0,
        Session = 0,
        IsWrite = true,
        Commands = [],
        Batch = [],
        Invoked = 0,
        Deadline = 1,
        Node = 0,
        Answer = outcome is { } known ? new(known, default, ReplicaId.None, default, default, 0) : null,
    };
}
