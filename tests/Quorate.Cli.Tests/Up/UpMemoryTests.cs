using Quorate.Cli.Up;

namespace Quorate.Cli.Tests.Up;

/// <summary>Nodes get memory that they can start with, or it is said that there is too little.</summary>
public sealed class UpMemoryTests
{
    [Theory]
    [InlineData(6000, 3, "1000MiB")]
    [InlineData(1200, 3, "256MiB")]
    [InlineData(768, 3, "256MiB")]
    [InlineData(767, 3, null)]
    [InlineData(300, 1, "256MiB")]
    [InlineData(200, 1, null)]
    public void A_share_holds_a_node_or_there_is_none(long availableMebibytes, int nodes, string? share) =>
        Assert.Equal(share, UpCommand.ShareOfMemory(availableMebibytes << 20, nodes));

    [Theory]
    [InlineData(1024, 1024, true)]
    [InlineData(1025, 1024, false)]
    public void A_node_gets_no_more_than_the_machine_has(long nodeMebibytes, long machineMebibytes, bool may) =>
        Assert.Equal(may, UpCommand.TooMuchMemory(nodeMebibytes << 20, machineMebibytes << 20) is null);
}
