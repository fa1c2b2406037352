using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Tidy.Rules;

/// <summary>
/// Finds places where the order of a hash collection could decide something: it is enumerated, spread, or handed
/// on as a plain sequence. Looking a key up is free. Where order truly cannot matter, a comment on the line or
/// above it says so: `// order-free: why`.
/// </summary>
internal static class HashOrder
{
    private const string Excuse = "// order-free: ";

    private static readonly string[] Unordered =
    [
        "Dictionary", "HashSet", "KeyCollection", "ValueCollection", "IDictionary", "IReadOnlyDictionary", "ISet",
        "IReadOnlySet", "FrozenDictionary", "FrozenSet", "ImmutableDictionary", "ImmutableHashSet", "Hashtable",
        "ConditionalWeakTable",
    ];

    /// <summary>Collections that end the same in whatever order they are fed.</summary>
    private static readonly string[] IndifferentTakers =
        ["Dictionary", "HashSet", "SortedDictionary", "SortedSet", "FrozenDictionary", "FrozenSet"];

    private static readonly string[] IndifferentOperators =
    [
        "All", "Any", "Contains", "Count", "LongCount", "Max", "Min", "Order", "OrderDescending", "Sum", "ToHashSet",
    ];

    public static IEnumerable<Finding> In(Source file, SemanticModel model) =>
        file.Root.DescendantNodes()
            .Where(node => Enumerates(node, model))
            .Select(node => file.At(node, $"hash order: {FirstLineOf(node)}"))
            .Where(finding => !Excused(file, finding.Line));

    private static bool Enumerates(SyntaxNode node, SemanticModel model) => node switch
    {
        CommonForEachStatementSyntax loop => IsUnordered(model.GetTypeInfo(loop.Expression).Type),
        SpreadElementSyntax spread => IsUnordered(model.GetTypeInfo(spread.Expression).Type),
        FromClauseSyntax from => IsUnordered(model.GetTypeInfo(from.Expression).Type),
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access } call =>
            IsUnordered(model.GetTypeInfo(access.Expression).Type) && CallEnumerates(call, model),
        ArgumentSyntax argument => HandsOn(argument.Expression, model) && !TakerIsIndifferent(argument, model),
        ExpressionSyntax { Parent: not ArgumentSyntax } expression => HandsOn(expression, model),
        _ => false,
    };

    private static bool CallEnumerates(InvocationExpressionSyntax call, SemanticModel model)
    {
        if (model.GetSymbolInfo(call).Symbol is not IMethodSymbol method)
        {
            return false;
        }

        return method.ReducedFrom is { } extension
            ? !IsUnordered(extension.Parameters[0].Type) && !IndifferentOperators.Contains(method.Name)
            : method.Name is "GetEnumerator" or "CopyTo";
    }

    /// <summary>A hash collection becomes a sequence, and whoever gets it will see its order.</summary>
    private static bool HandsOn(ExpressionSyntax expression, SemanticModel model)
    {
        TypeInfo info = model.GetTypeInfo(expression);
        return IsUnordered(info.Type)
            && info.ConvertedType is { TypeKind: TypeKind.Interface } target
            && !IsUnordered(target)
            && !SymbolEqualityComparer.Default.Equals(info.Type, target)
            && expression.Parent is not MemberAccessExpressionSyntax;
    }

    private static bool TakerIsIndifferent(ArgumentSyntax argument, SemanticModel model)
    {
        ISymbol? taker = argument.Parent?.Parent is { } call ? model.GetSymbolInfo(call).Symbol : null;
        return taker is not null && IndifferentTakers.Contains(taker.ContainingType?.Name);
    }

    private static bool IsUnordered(ITypeSymbol? type)
    {
        string space = type?.ContainingNamespace?.ToDisplayString() ?? "";
        bool collection = space.StartsWith("System.Collections", StringComparison.Ordinal)
            || space == "System.Runtime.CompilerServices";
        bool sorted = type?.ContainingType?.Name.StartsWith("Sorted", StringComparison.Ordinal) ?? false;
        return collection && !sorted && Unordered.Contains(type!.Name);
    }

    private static bool Excused(Source file, int line) =>
        HasExcuse(file.Lines[line - 1]) || (line > 1 && HasExcuse(file.Lines[line - 2]));

    private static bool HasExcuse(string line)
    {
        int at = line.IndexOf(Excuse, StringComparison.Ordinal);
        return at >= 0 && at + Excuse.Length < line.TrimEnd().Length;
    }

    private static string FirstLineOf(SyntaxNode node) => node.ToString().Split('\n')[0].Trim();
}
