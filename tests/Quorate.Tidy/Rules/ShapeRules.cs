using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Tidy.Rules;

/// <summary>Rules about the shape of C# files: how long, how named, how commented.</summary>
internal static class ShapeRules
{
    public const int FileLinesMax = 400;

    public const int ExceptionLinesMax = 600;

    public const int MethodLinesMax = 70;

    /// <summary>A file over the limit must be among the exceptions, and an exception must still be needed.</summary>
    public static IEnumerable<Finding> FileLength(Source file, IReadOnlyDictionary<string, string> exceptions)
    {
        int lines = file.Lines.Count;
        bool excepted = exceptions.ContainsKey(file.Path);
        int limit = excepted ? ExceptionLinesMax : FileLinesMax;
        if (lines > limit)
        {
            yield return new(file.Path, limit + 1, $"{lines} lines, the limit is {limit}");
        }
        else if (excepted && lines <= FileLinesMax)
        {
            yield return new(file.Path, 1, $"{lines} lines, so it needs its exception no more");
        }
    }

    /// <summary>Methods, properties and top-level code, from the first attribute to the closing brace.</summary>
    public static IEnumerable<Finding> MethodLength(Source file)
    {
        IEnumerable<SyntaxNode> bodies = file.Root.DescendantNodes()
            .Where(node => node is BaseMethodDeclarationSyntax or BasePropertyDeclarationSyntax);
        foreach (SyntaxNode body in bodies)
        {
            int lines = LastLine(body) - FirstLine(body) + 1;
            if (lines > MethodLinesMax)
            {
                yield return file.At(body, $"{lines} lines, the limit is {MethodLinesMax}");
            }
        }

        GlobalStatementSyntax[] script = [.. file.Root.Members.OfType<GlobalStatementSyntax>()];
        if (script.Length > 0 && LastLine(script[^1]) - FirstLine(script[0]) >= MethodLinesMax)
        {
            yield return file.At(script[0], $"top-level code is over {MethodLinesMax} lines");
        }
    }

    /// <summary>Public types, and what is public inside them, say what they are.</summary>
    public static IEnumerable<Finding> TypeComments(Source file)
    {
        foreach (MemberDeclarationSyntax type in Types(file.Root))
        {
            bool isPublic = type.AncestorsAndSelf().OfType<MemberDeclarationSyntax>()
                .Where(outer => outer is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax)
                .All(outer => outer.Modifiers.Any(SyntaxKind.PublicKeyword));
            bool isFirstPart = !type.Modifiers.Any(SyntaxKind.PartialKeyword);
            if (isPublic && isFirstPart && !HasDocComment(type))
            {
                yield return file.At(type, $"{NameOf(type)} has no doc comment");
            }
        }
    }

    /// <summary>src/Quorate.X/A/B.cs declares the file-scoped namespace Quorate.X.A. Top-level code has none.</summary>
    public static IEnumerable<Finding> Namespaces(Source file)
    {
        string folder = file.Folder.Replace("tests/hosts/", "tests/", StringComparison.Ordinal);
        string expected = folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.');
        foreach (NamespaceDeclarationSyntax block in file.Root.DescendantNodes().OfType<NamespaceDeclarationSyntax>())
        {
            yield return file.At(block, "a namespace in braces; write it file-scoped");
        }

        foreach (var scoped in file.Root.Members.OfType<FileScopedNamespaceDeclarationSyntax>())
        {
            if (scoped.Name.ToString() != expected)
            {
                yield return file.At(scoped, $"namespace {scoped.Name}, the folder says {expected}");
            }
        }

        if (file.Root.Members.FirstOrDefault() is BaseTypeDeclarationSyntax bare
            && !file.Root.Members.OfType<GlobalStatementSyntax>().Any())
        {
            yield return file.At(bare, $"no namespace, the folder says {expected}");
        }
    }

    public static IEnumerable<Finding> Regions(Source file) =>
        file.Root.DescendantTrivia(descendIntoTrivia: true)
            .Where(trivia => trivia.IsKind(SyntaxKind.RegionDirectiveTrivia))
            .Select(trivia => file.At(trivia.GetLocation(), "a region"));

    /// <summary>
    /// A comment that reads as code: it ends as a statement or a block does, and the compiler's parser takes it.
    /// A sentence that happens to end in a semicolon holds neither a call nor an assignment, so it passes.
    /// </summary>
    public static IEnumerable<Finding> CommentedOutCode(Source file) =>
        file.Root.DescendantTrivia(descendIntoTrivia: true)
            .Where(trivia => trivia.IsKind(SyntaxKind.SingleLineCommentTrivia)
                || trivia.IsKind(SyntaxKind.MultiLineCommentTrivia))
            .Where(trivia => trivia.ToString().Trim('/', '*').Split('\n').Any(ReadsAsCode))
            .Select(trivia => file.At(trivia.GetLocation(), $"commented-out code: {trivia}"));

    /// <summary>The types a file declares, nested ones too.</summary>
    public static IEnumerable<MemberDeclarationSyntax> Types(SyntaxNode root) =>
        root.DescendantNodes()
            .Where(node => node is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax)
            .Cast<MemberDeclarationSyntax>();

    public static string NameOf(MemberDeclarationSyntax type) => type switch
    {
        BaseTypeDeclarationSyntax declared => declared.Identifier.ValueText,
        DelegateDeclarationSyntax declared => declared.Identifier.ValueText,
        _ => "",
    };

    private static bool ReadsAsCode(string comment)
    {
        string text = comment.Trim();
        if (text is "{" or "}" || (text.EndsWith('{') && text.Contains('(', StringComparison.Ordinal)))
        {
            return true;
        }

        if (!text.EndsWith(';'))
        {
            return false;
        }

        StatementSyntax statement = SyntaxFactory.ParseStatement(text, options: Source.ParseOptions);
        bool acts = statement is ReturnStatementSyntax or ThrowStatementSyntax
            || statement.DescendantNodes().Any(node =>
                node is InvocationExpressionSyntax or AssignmentExpressionSyntax or EqualsValueClauseSyntax);
        return acts && statement.FullSpan.Length == text.Length && !statement.ContainsDiagnostics;
    }

    private static bool HasDocComment(SyntaxNode type) =>
        type.GetLeadingTrivia().Any(trivia => trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia));

    private static int FirstLine(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line;

    private static int LastLine(SyntaxNode node) => node.GetLocation().GetLineSpan().EndLinePosition.Line;
}
