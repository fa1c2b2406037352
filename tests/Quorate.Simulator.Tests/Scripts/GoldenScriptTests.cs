using Quorate.Simulator.Scripts;

namespace Quorate.Simulator.Tests.Scripts;

/// <summary>
/// Every script in tests/scripts gives the output that it expects. With QUORATE_REWRITE=1 in the environment a
/// script that gives other output is rewritten, and its test fails once: read the difference before it is kept.
/// </summary>
public sealed class GoldenScriptTests
{
    private static readonly string Folder = Path.Combine(RepositoryRoot(), "tests", "scripts");

    public static TheoryData<string> All() =>
        [.. ScriptsCommand.Files(Folder).Select(file => Path.GetRelativePath(Folder, file))];

    [Theory]
    [MemberData(nameof(All))]
    public void A_script_gives_the_output_that_it_expects(string script)
    {
        string file = Path.Combine(Folder, script);
        string expected = File.ReadAllText(file);
        string actual = ScriptRunner.Run(expected);
        if (actual != expected && Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1")
        {
            File.WriteAllText(file, actual);
            Assert.Fail($"{script} was rewritten; read the difference and run again");
        }

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void There_are_at_least_sixty_scripts_for_Raft() =>
        Assert.True(ScriptsCommand.Files(Path.Combine(Folder, "raft")).Count() >= 60);

    private static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Quorate.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("the tests run outside the repository");
    }
}
