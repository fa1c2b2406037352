namespace Quorate.Simulator.Scripts;

/// <summary>Runs all scripts of a folder, for a build that may be broken on purpose.</summary>
public static class ScriptsCommand
{
    /// <summary>Prints one line for each script that does not hold, and returns how many there are.</summary>
    public static int Run(string folder, TextWriter output)
    {
        int failed = 0;
        foreach (string file in Files(folder))
        {
            if (Problem(file) is string problem)
            {
                failed++;
                output.WriteLine($"{Path.GetFileName(file)}{problem}");
            }
        }

        return failed;
    }

    /// <summary>Why there is nothing to run in a folder; null when there is.</summary>
    public static string? FolderProblem(string folder) =>
        !Directory.Exists(folder) ? $"There is no folder '{folder}'."
        : !Files(folder).Any() ? $"The folder '{folder}' holds no script; scripts end in .txt."
        : null;

    public static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    /// <summary>What is wrong with a script, as <c>:line: sentence</c>; null when it holds.</summary>
    private static string? Problem(string file)
    {
        string expected = File.ReadAllText(file);
        try
        {
            string actual = ScriptRunner.Run(expected);
            return actual == expected ? null : FirstDifference(expected, actual);
        }
        catch (ScriptFailedException e)
        {
            return $":{e.Line}: {e.Message}";
        }
    }

    private static string FirstDifference(string expected, string actual)
    {
        string[] left = expected.Split('\n');
        string[] right = actual.Split('\n');
        int at = 0;
        while (at < left.Length && at < right.Length && left[at] == right[at])
        {
            at++;
        }

        return $":{at + 1}: expected '{left.ElementAtOrDefault(at)}', got '{right.ElementAtOrDefault(at)}'";
    }
}
