using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Tidy.Rules;

/// <summary>
/// Finds source files that nothing else names: neither one of their types nor one of their extension methods
/// appears in any other file.
/// </summary>
internal static class DeadFiles
{
    public static IEnumerable<Finding> In(
        IReadOnlyCollection<Source> code, IReadOnlyDictionary<string, string> exceptions)
    {
        Dictionary<string, int> filesThatSay = [];
        foreach (string word in code.SelectMany(Words))
        {
            filesThatSay[word] = filesThatSay.GetValueOrDefault(word) + 1;
        }

        foreach (Source file in code)
        {
            bool named = Offers(file).Any(name => filesThatSay.GetValueOrDefault(name) > 1);
            bool dead = !named && !StandsAlone(file);
            bool excepted = exceptions.ContainsKey(file.Path);
            if (dead && !excepted)
            {
                yield return new(file.Path, 1, "nothing outside this file names what it declares");
            }
            else if (excepted && !dead)
            {
                yield return new(file.Path, 1, "it is in use now, so it needs its exception no more");
            }
        }
    }

    /// <summary>Top-level code, tests, benchmarks and assembly attributes are reached without being named.</summary>
    private static bool StandsAlone(Source file) =>
        file.Root.Members.OfType<GlobalStatementSyntax>().Any()
        || !ShapeRules.Types(file.Root).Any()
        || file.Root.DescendantNodes().OfType<AttributeSyntax>().Any(IsTest);

    private static bool IsTest(AttributeSyntax attribute) =>
        attribute.Name.ToString() is "Fact" or "Theory" or "Property" or "Benchmark";

    private static IEnumerable<string> Offers(Source file)
    {
        IEnumerable<string> extensions = file.Root.DescendantNodes()
            .OfType<MethodDeclarationSyntax>()
            .Where(method => method.ParameterList.Parameters.FirstOrDefault() is { } first
                && first.Modifiers.Any(SyntaxKind.ThisKeyword))
            .Select(method => method.Identifier.ValueText);
        return ShapeRules.Types(file.Root).Select(ShapeRules.NameOf).Concat(extensions);
    }

    private static HashSet<string> Words(Source file) =>
    [
        .. file.Root.DescendantTokens()
            .Where(token => token.IsKind(SyntaxKind.IdentifierToken))
            .Select(token => token.ValueText),
    ];
}
