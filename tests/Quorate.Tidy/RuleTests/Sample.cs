using Quorate.Tidy.Rules;

namespace Quorate.Tidy.RuleTests;

/// <summary>Bad and good samples for the rules: a rule that cannot find anything is a defect.</summary>
internal static class Sample
{
    public const string CorePath = "src/Quorate.Core/Model/Sample.cs";

    public static Source At(string path, string text) => new(path, text);

    /// <summary>A file of Core around some members of a class.</summary>
    public static Source Members(string members) => new(
        CorePath,
        $$"""
        namespace Quorate.Core.Model;

        /// <summary>A sample.</summary>
        public class Sample
        {
        {{members}}
        }

        """);

    /// <summary>The lines of the findings, ascending and each once.</summary>
    public static int[] Lines(IEnumerable<Finding> findings) =>
        [.. findings.Select(finding => finding.Line).Distinct().Order()];

    /// <summary>The compiled sample's findings; the sample itself must compile, or the rule would be blind.</summary>
    public static Finding[] Judge(Source file, Func<Source, DecidingCode, IEnumerable<Finding>> rule)
    {
        DecidingCode code = new([file]);
        Assert.Empty(code.Errors());
        return [.. rule(file, code)];
    }
}
