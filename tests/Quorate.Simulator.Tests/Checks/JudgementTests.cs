using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>A claim that no run ever comes to judge shows nothing: each is judged in a share of the seeds.</summary>
public sealed class JudgementTests
{
    private const ulong FirstSeed = 201;
    private const int Seeds = 60;

    /// <summary>In so many of the seeds at least; at most about half of what sweeps showed.</summary>
    private static readonly SortedDictionary<string, int> SeedsAtLeast = new(StringComparer.Ordinal)
    {
        [Judgements.ColdEnds] = 3,
        [Judgements.ColdOvertaken] = 10,
        [Judgements.ColdRoleChanges] = 2,
        [Judgements.ColdWaits] = 20,
        [Judgements.FastReads] = 15,
        [Judgements.FastReadsWithin] = 7,
        [Judgements.FilesMissed] = 5,
        [Judgements.FilesUnneeded] = 3,
        [Judgements.LogSpace] = 50,
        [Judgements.MemoryOverfull] = 5,
        [Judgements.MemoryQuiet] = 50,
        [Judgements.MemoryShort] = 20,
        [Judgements.MemoryWaits] = 8,
        [Judgements.MergesBehind] = 2,
        [Judgements.NamesFailed] = 5,
        [Judgements.Repeats] = 5,
        [Judgements.Rotations] = 5,
        [Judgements.SessionsCounted] = 40,
        [Judgements.SessionsFull] = 1,
        [Judgements.SnapshotsTaken] = 5,
        [Judgements.StateHashes] = 50,
        [Judgements.StrictFiles] = 50,
        [Judgements.WorkBesideOthers] = 5,
        [Judgements.WorkReserved] = 25,
    };

    [Fact]
    public void Every_claim_is_judged_in_its_share_of_seeds()
    {
        var seeds = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (ulong seed = FirstSeed; seed < FirstSeed + Seeds; seed++)
        {
            RunResult result = RunResult.Of(PlanDrawing.Draw(seed, new PlanOverrides { Values = true }));
            Assert.True(result.Broken is null, $"seed {seed}: {result.Broken}");
            foreach (string name in result.Judged.Keys)
            {
                seeds[name] = seeds.GetValueOrDefault(name) + 1;
            }
        }

        foreach ((string name, int least) in SeedsAtLeast)
        {
            int judged = seeds.GetValueOrDefault(name);
            Assert.True(judged >= least, $"{name} was judged in {judged} of {Seeds} seeds, {least} are demanded");
        }
    }

    [Fact]
    public void Every_claim_has_its_share() =>
        Assert.Equal(Judgements.Demanded.Order(StringComparer.Ordinal), SeedsAtLeast.Keys);
}
