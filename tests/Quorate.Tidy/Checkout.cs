namespace Quorate.Tidy;

/// <summary>The files of the repository that this test assembly was built in.</summary>
internal static class Checkout
{
    private static readonly string[] FoldersLeftOut =
        ["artifacts", "BenchmarkDotNet.Artifacts", "quorate-data", "bin", "obj", "node_modules"];

    private static readonly string[] Endings =
    [
        ".cs", ".csproj", ".props", ".targets", ".slnx", ".json", ".md", ".txt", ".sh", ".cmd", ".yml", ".proto",
        ".editorconfig", ".gitignore", ".gitattributes", "/quorate", ".ci/run",
    ];

    private static readonly Lazy<IReadOnlyList<Source>> AllFiles = new(Read);

    /// <summary>The folder that holds Quorate.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every text file that people write here, ordered by path.</summary>
    public static IReadOnlyList<Source> Files => AllFiles.Value;

    public static IEnumerable<Source> Code => Files.Where(file => file.IsCode);

    public static IEnumerable<Source> Documents =>
        Files.Where(file => file.Path.EndsWith(".md", StringComparison.Ordinal));

    public static Source? Find(string path) => Files.FirstOrDefault(file => file.Path == path);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Quorate.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException(
            $"No folder above {AppContext.BaseDirectory} holds Quorate.slnx; build the tests inside the checkout.");
    }

    private static List<Source> Read()
    {
        List<Source> files = [];
        ReadFolder(new DirectoryInfo(Root), files);
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return files;
    }

    private static void ReadFolder(DirectoryInfo folder, List<Source> files)
    {
        foreach (FileInfo file in folder.EnumerateFiles())
        {
            string path = Path.GetRelativePath(Root, file.FullName).Replace('\\', '/');
            if (Endings.Any(ending => ("/" + path).EndsWith(ending, StringComparison.Ordinal)))
            {
                files.Add(new Source(path, File.ReadAllText(file.FullName)));
            }
        }

        foreach (DirectoryInfo inner in folder.EnumerateDirectories())
        {
            bool hidden = inner.Name.StartsWith('.') && inner.Name != ".ci";
            if (!hidden && !FoldersLeftOut.Contains(inner.Name))
            {
                ReadFolder(inner, files);
            }
        }
    }
}
