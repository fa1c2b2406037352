using Quorate.Cli.Up;

namespace Quorate.Cli.Tests.Up;

/// <summary>A cluster's folder says what it is; a broken file is not passed over.</summary>
public sealed class UpSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-up-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_written_is_read()
    {
        Assert.Null(UpSettings.Read(_folder, out string? problem));
        Assert.Null(problem);
        var settings = new UpSettings(5, 7401, 7501, 7601, ["a", "b"], ClusterPort: 7701);
        settings.Write(_folder);
        UpSettings? found = UpSettings.Read(_folder, out problem);
        Assert.Null(problem);
        Assert.Equal((5, 7401, 7701, "a", "b", "a"), (
            found!.Nodes, found.RespPort, found.ClusterPort, found.ZoneOf(1), found.ZoneOf(2), found.ZoneOf(3)));

        // Of a cluster that was made before there was such a port.
        File.WriteAllText(
            Path.Combine(_folder, UpSettings.FileName),
            "{\"nodes\":1,\"respPort\":1,\"httpPort\":2,\"peerPort\":3,\"zones\":[]}");
        Assert.Equal(0, UpSettings.Read(_folder, out problem)!.ClusterPort);
    }

    [Fact]
    public void A_cluster_port_that_meets_another_is_named() => Assert.StartsWith(
        "--peer-port 7601 and --cluster-port 7602",
        new UpSettings(3, 7401, 7501, 7601, [], ClusterPort: 7602).PortProblem(),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(1, 1, 2, 3)]
    [InlineData(3, 7401, 7404, 7407)]
    [InlineData(32, 65504, 7501, 7601)]
    public void Ports_that_do_not_meet_are_right(int nodes, int resp, int http, int peer) =>
        Assert.Null(new UpSettings(nodes, resp, http, peer, []).PortProblem());

    [Theory]
    [InlineData(3, 7401, 7403, 7407, "--resp-port 7401 and --http-port 7403")]
    [InlineData(3, 7401, 7501, 7399, "--resp-port 7401 and --peer-port 7399")]
    [InlineData(1, 7401, 7401, 7601, "--resp-port 7401 and --http-port 7401")]
    [InlineData(33, 65504, 7501, 7601, "--resp-port 65504 is too high")]
    [InlineData(1, 7401, 65536, 7601, "--http-port: 65536 is no port")]
    public void Ports_that_meet_or_are_none_are_named(int nodes, int resp, int http, int peer, string says) =>
        Assert.StartsWith(says, new UpSettings(nodes, resp, http, peer, []).PortProblem(), StringComparison.Ordinal);

    [Theory]
    [InlineData("2026-11-21T20:00:01.234Z election: Node 1 leads.", "election: Node 1 leads.", true)]
    [InlineData("quorate: stopping.", "stopping.", false)]
    [InlineData("2026 something", "2026 something", false)]
    [InlineData("word", "word", false)]
    public void A_line_of_a_node_has_its_own_time_or_none(string line, string text, bool isTimed)
    {
        (DateTimeOffset? time, string rest) = LocalCluster.Parse(line);
        Assert.Equal((text, isTimed), (rest, time is not null));
        Assert.True(!isTimed || time == new DateTimeOffset(2026, 11, 21, 20, 0, 1, 234, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"nodes\":0,\"respPort\":1,\"httpPort\":2,\"peerPort\":3,\"zones\":[]}")]
    [InlineData("{\"nodes\":3}")]
    public void A_broken_file_is_named(string text)
    {
        File.WriteAllText(Path.Combine(_folder, UpSettings.FileName), text);
        Assert.Null(UpSettings.Read(_folder, out string? problem));
        Assert.Contains(UpSettings.FileName, problem, StringComparison.Ordinal);
    }
}
