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
        var settings = new UpSettings(5, 7401, 7501, 7601, ["a", "b"]);
        settings.Write(_folder);
        UpSettings? found = UpSettings.Read(_folder, out problem);
        Assert.Null(problem);
        Assert.Equal((5, 7401, "a", "b", "a"), (
            found!.Nodes, found.RespPort, found.ZoneOf(1), found.ZoneOf(2), found.ZoneOf(3)));
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
