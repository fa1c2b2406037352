using Quorate.Tidy.Rules;

namespace Quorate.Tidy.RuleTests;

/// <summary>Samples for <see cref="Arrows"/>, <see cref="DeadFiles"/> and <see cref="BanList"/>.</summary>
public sealed class ProjectRulesTests
{
    private static readonly SortedDictionary<string, string> NoExceptions = [];

    [Theory]
    [InlineData("src/Quorate.Storage/Quorate.Storage.csproj", "../Quorate.Core/Quorate.Core.csproj", true)]
    [InlineData("src/Quorate.Core/Quorate.Core.csproj", "..\\Quorate.Storage\\Quorate.Storage.csproj", false)]
    [InlineData("src/Quorate.Node/Quorate.Node.csproj", "../Quorate.Server/Quorate.Server.csproj", false)]
    [InlineData("src/Quorate.Client/Quorate.Client.csproj", "../Quorate.Core/Quorate.Core.csproj", false)]
    [InlineData("src/Quorate.Unheard/Quorate.Unheard.csproj", "../Quorate.Core/Quorate.Core.csproj", false)]
    [InlineData("src/Quorate.Core/Quorate.Core.csproj", "../../tests/Quorate.Tidy/Quorate.Tidy.csproj", false)]
    [InlineData("tests/Quorate.Tidy/Quorate.Tidy.csproj", "../../src/Quorate.Cli/Quorate.Cli.csproj", true)]
    public void A_reference_against_the_arrows_is_found(string path, string reference, bool good)
    {
        string text = $"<Project><ItemGroup><ProjectReference Include=\"{reference}\" /></ItemGroup></Project>";
        Assert.Equal(good ? [] : [1], Sample.Lines(Arrows.InProject(Sample.At(path, text))));
    }

    [Theory]
    [InlineData("using System;\nusing Quorate.Core.Raft;\n", true)]
    [InlineData("using System;\nusing Quorate.Node;\n", false)]
    [InlineData("using System;\nusing static Quorate.Server.Limits;\n", false)]
    [InlineData("using System;\nglobal using Server = Quorate.Server.Server;\n", false)]
    public void A_using_against_the_arrows_is_found(string text, bool good) =>
        Assert.Equal(good ? [] : [2], Sample.Lines(Arrows.InUsings(Sample.At("src/Quorate.Storage/A.cs", text))));

    [Fact]
    public void A_file_that_nothing_names_is_found()
    {
        Source[] code =
        [
            Sample.At("used.cs", "class Used { }\n"),
            Sample.At("extension.cs", "static class Words { public static int Twice(this int a) => a; }\n"),
            Sample.At("dead.cs", "class Dead { Dead Self; }\n"),
            Sample.At("said.cs", "// Said is named in a comment alone.\nclass Said { }\n"),
            Sample.At("tests.cs", "class Tests { [Fact] public void A() { new Used(); 2.Twice(); } /* Said */ }\n"),
            Sample.At("Program.cs", "Run();\n"),
        ];
        string[] dead = [.. DeadFiles.In(code, NoExceptions).Select(finding => finding.Path)];
        Assert.Equal(["dead.cs", "said.cs"], dead);
    }

    [Fact]
    public void An_exception_for_a_file_that_is_used_is_found()
    {
        Source[] code = [Sample.At("a.cs", "class A { B B; }\n"), Sample.At("b.cs", "class B { }\n")];
        SortedDictionary<string, string> exceptions = new() { ["a.cs"] = "a reason", ["b.cs"] = "stale" };
        string[] found = [.. DeadFiles.In(code, exceptions).Select(finding => finding.Path)];
        Assert.Equal(["b.cs"], found);
    }

    [Fact]
    public void A_gap_in_the_ban_list_is_found()
    {
        string whole = string.Concat(BanList.MustName.Select(name => $"{name};use something else\n"));
        Assert.Empty(new BanList(Sample.At("BannedSymbols.txt", whole)).Gaps());
        string without = whole.Replace("T:System.Random;", "T:System.Half;", StringComparison.Ordinal);
        Assert.Contains("T:System.Random", Assert.Single(Gaps(without)).What, StringComparison.Ordinal);
        Assert.Single(Gaps(whole + "T:System.Version;\n"));
        Assert.Single(Gaps(whole + "System.Version;use something else\n"));
    }

    [Theory]
    [InlineData("Microsoft.CodeAnalysis.BannedApiAnalyzers", "../BannedSymbols.txt", 0)]
    [InlineData("Another.Analyzer", "../BannedSymbols.txt", 1)]
    [InlineData("Microsoft.CodeAnalysis.BannedApiAnalyzers", "../Other.txt", 1)]
    public void A_project_without_the_ban_list_is_found(string package, string list, int findings)
    {
        string text = $"""
            <Project><ItemGroup>
              <PackageReference Include="{package}" />
              <AdditionalFiles Include="{list}" />
            </ItemGroup></Project>
            """;
        Assert.Equal(findings, BanList.Unwired(Sample.At("src/Quorate.Core/Quorate.Core.csproj", text)).Count());
    }

    private static IEnumerable<Finding> Gaps(string list) => new BanList(Sample.At("BannedSymbols.txt", list)).Gaps();
}
