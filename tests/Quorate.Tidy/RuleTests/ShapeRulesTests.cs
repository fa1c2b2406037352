using Quorate.Tidy.Rules;

namespace Quorate.Tidy.RuleTests;

/// <summary>Samples for <see cref="ShapeRules"/>.</summary>
public sealed class ShapeRulesTests
{
    private static readonly SortedDictionary<string, string> NoExceptions = [];

    [Theory]
    [InlineData(400, false, 0)]
    [InlineData(401, false, 401)]
    [InlineData(401, true, 0)]
    [InlineData(600, true, 0)]
    [InlineData(601, true, 601)]
    [InlineData(400, true, 1)]
    public void A_file_over_its_limit_is_found_and_so_is_a_needless_exception(int lines, bool excepted, int line)
    {
        Source file = Sample.At("a.cs", string.Concat(Enumerable.Repeat("x\n", lines)));
        SortedDictionary<string, string> exceptions = excepted ? new() { ["a.cs"] = "a reason" } : NoExceptions;
        Assert.Equal(line == 0 ? [] : [line], Sample.Lines(ShapeRules.FileLength(file, exceptions)));
    }

    [Theory]
    [InlineData("public void Run()")]
    [InlineData("public Sample()")]
    [InlineData("public static int operator +(Sample a, Sample b)")]
    public void A_method_over_70_lines_is_found(string head)
    {
        Assert.Empty(ShapeRules.MethodLength(Sample.Members(Body(head, 67))));
        Assert.Equal([6], Sample.Lines(ShapeRules.MethodLength(Sample.Members(Body(head, 68)))));
    }

    [Fact]
    public void A_property_over_70_lines_is_found() =>
        Assert.Equal([6], Sample.Lines(ShapeRules.MethodLength(Sample.Members(
            "public int Value\n{\n" + Body("get", 68) + "\n}"))));

    [Fact]
    public void Top_level_code_over_70_lines_is_found()
    {
        string Code(int lines) => string.Concat(Enumerable.Repeat("Run();\n", lines));
        Assert.Empty(ShapeRules.MethodLength(Sample.At("Program.cs", Code(70))));
        Assert.Equal([1], Sample.Lines(ShapeRules.MethodLength(Sample.At("Program.cs", Code(71)))));
    }

    [Fact]
    public void Braces_in_strings_and_comments_are_not_counted_as_ends() =>
        Assert.Equal([6], Sample.Lines(ShapeRules.MethodLength(Sample.Members(
            Body("public void Run()", 68).Replace("Run(1);", "Run(\"}\"); // }", StringComparison.Ordinal)))));

    [Theory]
    [InlineData("public class A\n{\n}\n", 1)]
    [InlineData("/// <summary>Said.</summary>\npublic class A\n{\n}\n", 0)]
    [InlineData("// Not a doc comment.\npublic enum A\n{\n}\n", 2)]
    [InlineData("internal class A\n{\n    public class B\n    {\n    }\n}\n", 0)]
    [InlineData("/// <summary>Said.</summary>\npublic class A\n{\n    public record B;\n}\n", 4)]
    [InlineData("public delegate void A();\n", 1)]
    public void A_public_type_without_a_comment_is_found(string text, int line) =>
        Assert.Equal(line == 0 ? [] : [line], Sample.Lines(ShapeRules.TypeComments(Sample.At("a.cs", text))));

    [Theory]
    [InlineData("namespace Quorate.Core.Model;\n", true)]
    [InlineData("namespace Quorate.Core;\n", false)]
    [InlineData("namespace Quorate.Core.Model\n{\n}\n", false)]
    [InlineData("class A\n{\n}\n", false)]
    [InlineData("Console.WriteLine();\n", true)]
    public void A_namespace_that_does_not_follow_the_folder_is_found(string text, bool good) =>
        Assert.Equal(good ? [] : [1], Sample.Lines(ShapeRules.Namespaces(Sample.At(Sample.CorePath, text))));

    [Fact]
    public void A_region_is_found_and_its_name_in_a_string_is_not()
    {
        Assert.Equal([6], Sample.Lines(ShapeRules.Regions(Sample.Members("#region A\n#endregion"))));
        Assert.Empty(ShapeRules.Regions(Sample.Members("string a = \"#region\";")));
    }

    [Theory]
    [InlineData("// Run(1);", true)]
    [InlineData("// value = 2;", true)]
    [InlineData("// return value;", true)]
    [InlineData("// int value = 2;", true)]
    [InlineData("// if (value > 2) {", true)]
    [InlineData("// }", true)]
    [InlineData("/* Run(1); */", true)]
    [InlineData("// A lease counts from sending; nothing else would be safe (Raft, section 6);", false)]
    [InlineData("// it waits;", false)]
    [InlineData("// The value, see Run(1).", false)]
    [InlineData("/// <summary>Run(1);</summary>", false)]
    public void Commented_out_code_is_found_and_prose_is_not(string comment, bool bad)
    {
        Source file = Sample.Members(comment + "\nint value;");
        Assert.Equal(bad ? [6] : [], Sample.Lines(ShapeRules.CommentedOutCode(file)));
    }

    private static string Body(string head, int lines) =>
        $"{head}\n{{\n{string.Concat(Enumerable.Repeat("Run(1);\n", lines))}}}";
}
