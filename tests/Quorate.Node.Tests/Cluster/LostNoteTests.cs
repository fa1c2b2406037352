using Quorate.Node.Cluster.Forming;

namespace Quorate.Node.Tests.Cluster;

/// <summary>A data folder that does not say any more whose it is (pitfalls R20 and S8).</summary>
public sealed class LostNoteTests
{
    [Fact]
    public void A_folder_without_its_note_is_not_taken_for_a_new_one()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine lost = world.Machines[2];
        lost.Kill();
        lost.Disk.Put(FormationPlace.NoteName, null);
        lost.Start();
        world.Run(5000);
        Assert.Contains(
            "The file formation, which says what cluster this data folder belongs to, is missing", lost.Ending,
            StringComparison.Ordinal);
        Assert.Null(lost.Node);
    }
}
