using System.Reflection;
using Quorate.Core;
using Quorate.Protocol;
using Quorate.Tidy.Rules;

namespace Quorate.Tidy;

/// <summary>The rules, each over the whole checkout.</summary>
public sealed class CheckoutTests
{
    /// <summary>Files over 400 lines, up to 600, each with the reason why it reads better whole.</summary>
    private static readonly SortedDictionary<string, string> LongFiles = new()
    {
        ["src/Quorate.Core/Guards.cs"] = "every guard stands in one place, where it is looked for",
        ["src/Quorate.Node/Cluster/ClusterNode.cs"] = "where everything that a node of a cluster is meets",
        ["src/Quorate.Node/Cluster/Routing/CallRouter.cs"] = "what becomes of a call, on each of its ways",
        ["src/Quorate.Node/Evaluation/CommandEvaluation.cs"] = "one evaluation, seen from the command and from outside",
        ["src/Quorate.Node/Partitions/Partition.cs"] = "where replica, requests and readers of a partition meet",
        ["src/Quorate.Node/Replicas/Replica.cs"] = "where group, log, checkpoints and state machine meet",
        ["src/Quorate.Node/Runtime/NodeRuntime.cs"] = "where a node's partitions, log, clock and memory meet",
        ["src/Quorate.Server/Runtime/NodeLoop.cs"] = "who drives when: its invariants are read together",
        ["src/Quorate.Simulator/Clusters/ClusterMachine.cs"] = "one machine, with all that its process asks for",
        ["src/Quorate.Simulator/World/ValueProcess.cs"] = "one life of a process, with all that is watched of it",
        ["src/Quorate.Storage/Log/NodeLog.cs"] = "where the log's parts meet",
    };

    /// <summary>Files that nothing names yet, each with the reason why it is there all the same.</summary>
    private static readonly SortedDictionary<string, string> FilesAheadOfTheirUse = [];

    private static readonly Lazy<DecidingCode> Deciding = new(() => new DecidingCode(Checkout.Code));

    [Fact]
    public void The_checkout_is_found_and_read()
    {
        Assert.NotNull(Checkout.Find("Quorate.slnx"));
        Assert.NotNull(Checkout.Find("src/Quorate.Core/Guards.cs"));
        Assert.NotNull(Checkout.Find("tests/Quorate.Tidy/CheckoutTests.cs"));
        Assert.DoesNotContain(Checkout.Files, file => file.Path.Contains("artifacts/", StringComparison.Ordinal));
    }

    [Fact]
    public void Lines_are_at_most_120_columns() =>
        Each(TextRules.LineLength, "Wrap the line.");

    [Fact]
    public void There_are_no_tabs() =>
        Each(TextRules.Tabs, "Indent with spaces; write \\t in a string.");

    [Fact]
    public void Lines_end_without_spaces() =>
        Each(TextRules.TrailingSpace, "Remove the space; `dotnet format` does it in C# files.");

    [Fact]
    public void Lines_end_in_a_newline_alone() =>
        Each(TextRules.CarriageReturns, "Save the file with LF line ends.");

    [Fact]
    public void Files_end_with_one_newline() =>
        Each(TextRules.FinalNewline, "End the file with exactly one newline.");

    [Fact]
    public void There_are_no_marks_for_later() =>
        Each(TextRules.Marks, "Do it now, or write it down as an issue.");

    [Fact]
    public void Advice_about_damaged_folders_stands_in_one_place() =>
        Each(TextRules.Advice, "Say FolderAdvice.Sentence: other ways have turned out not to exist.");

    [Fact]
    public void Files_are_at_most_400_lines() =>
        EachCode(
            file => ShapeRules.FileLength(file, LongFiles),
            "Split the file by noun, or add it to LongFiles with the reason.");

    [Fact]
    public void Methods_are_at_most_70_lines() =>
        EachCode(ShapeRules.MethodLength, "Give its parts names of their own.");

    [Fact]
    public void Public_types_say_what_they_are() =>
        EachCode(ShapeRules.TypeComments, "Write a /// summary: what it is, its invariants, its source.");

    [Fact]
    public void Namespaces_follow_folders() =>
        EachCode(ShapeRules.Namespaces, "Use the file-scoped namespace that the folder names.");

    [Fact]
    public void There_are_no_regions() =>
        EachCode(ShapeRules.Regions, "Split the file or the type instead.");

    [Fact]
    public void There_is_no_commented_out_code() =>
        EachCode(ShapeRules.CommentedOutCode, "Delete it, history keeps it; or write a sentence.");

    [Fact]
    public void Every_file_is_used() =>
        Findings.MustBeNone(
            DeadFiles.In([.. Checkout.Code], FilesAheadOfTheirUse),
            "Delete the file or use it; keep FilesAheadOfTheirUse true.");

    [Fact]
    public void Projects_reference_along_the_arrows() =>
        Findings.MustBeNone(
            Checkout.Files.Where(IsProject).SelectMany(Arrows.InProject),
            "See Arrows.Allowed: move the code to the room that may know this.");

    [Fact]
    public void Usings_point_along_the_arrows() =>
        EachCode(Arrows.InUsings, "See Arrows.Allowed: move the code to the room that may know this.");

    [Fact]
    public void The_ban_list_is_whole_and_wired()
    {
        BanList list = TheBanList();
        string[] projects = ["Core", "Storage", "Node"];
        IEnumerable<Finding> unwired = projects
            .Select(name => Checkout.Find($"src/Quorate.{name}/Quorate.{name}.csproj")!)
            .SelectMany(BanList.Unwired);
        Findings.MustBeNone(list.Gaps().Concat(unwired), "Restore the ban: what decides must be deterministic.");
        Assert.Contains("dotnet_diagnostic.RS0030.severity = error", Checkout.Find(".editorconfig")!.Lines);
    }

    [Fact]
    public void The_deciding_projects_compile_here() =>
        Findings.MustBeNone(Deciding.Value.Errors(), "The rules about meanings are blind here; see DecidingCode.");

    [Fact]
    public void The_deciding_projects_write_no_banned_type()
    {
        BanList list = TheBanList();
        Findings.MustBeNone(
            Deciding.Value.Files.SelectMany(file => list.Types(file, Deciding.Value.Model(file))),
            "src/BannedSymbols.txt says what to use instead.");
    }

    [Fact]
    public void The_deciding_projects_neither_lock_nor_wait() =>
        Findings.MustBeNone(
            Deciding.Value.Files.SelectMany(BanList.Words),
            "Data has one owner here, and an end that is awaited comes as an input.");

    [Fact]
    public void Hash_order_decides_nothing() =>
        Findings.MustBeNone(
            Deciding.Value.Files.SelectMany(file => HashOrder.In(file, Deciding.Value.Model(file))),
            "Use a sorted collection, sort first, or say `// order-free: why`.");

    [Fact]
    public void Golden_scripts_open_with_a_sentence() =>
        Findings.MustBeNone(
            Checkout.Files.Where(IsScript).SelectMany(Documents.ScriptOpening),
            "Say in the first line what the script shows.");

    [Fact]
    public void Links_lead_somewhere() =>
        Findings.MustBeNone(
            Checkout.Documents.SelectMany(page => Documents.Links(page, ExistsOnDisk, Checkout.Find)),
            "Correct the link, or write the page.");

    [Fact]
    public void The_pitfalls_page_names_every_guard()
    {
        Source page = PageOrSkip("docs/pitfalls.md");
        Findings.MustBeNone(
            CodeReferences.GuardMap(page, GuardNames()), "Keep docs/pitfalls.md and Guards.cs in step.");
    }

    [Fact]
    public void The_table_of_what_kills_mutants_names_what_exists()
    {
        string[] files = [.. Checkout.Files.Select(file => file.Path)];
        Findings.MustBeNone(
            CodeReferences.Killers(PageOrSkip("tests/mutants/killers.txt"), GuardNames(), files),
            "Name a guard, then 'script' and a script, or the means and a test class; take out what is gone.");
    }

    [Fact]
    public void The_tour_of_figure_2_names_code_that_exists() =>
        Findings.MustBeNone(
            CodeReferences.Figure(PageOrSkip("docs/ARCHITECTURE.md"), typeof(Guards).Assembly),
            "Name the member of Quorate.Core that carries the rule out.");

    private static string[] GuardNames()
    {
        string[] names =
        [
            .. ((Type[])[typeof(Guards), typeof(ProtocolGuards)])
                .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static))
                .Select(property => property.Name),
        ];
        Assert.NotEmpty(names);
        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());
        return names;
    }

    private static void Each(Func<Source, IEnumerable<Finding>> rule, string whatToDo) =>
        Findings.MustBeNone(Checkout.Files.SelectMany(rule), whatToDo);

    private static void EachCode(Func<Source, IEnumerable<Finding>> rule, string whatToDo) =>
        Findings.MustBeNone(Checkout.Code.SelectMany(rule), whatToDo);

    private static BanList TheBanList() => new(Checkout.Find("src/BannedSymbols.txt")!);

    private static Source PageOrSkip(string path)
    {
        Source? page = Checkout.Find(path);
        Assert.SkipWhen(page is null, $"{path} is not written yet");
        return page!;
    }

    private static bool IsProject(Source file) => file.Path.EndsWith(".csproj", StringComparison.Ordinal);

    private static bool IsScript(Source file) =>
        file.Path.StartsWith("tests/scripts/", StringComparison.Ordinal)
        && file.Path.EndsWith(".txt", StringComparison.Ordinal);

    private static bool ExistsOnDisk(string path) => Path.Exists(Path.Combine(Checkout.Root, path));
}
