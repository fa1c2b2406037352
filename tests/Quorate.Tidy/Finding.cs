namespace Quorate.Tidy;

/// <summary>A place that breaks a rule. Line numbers begin at 1.</summary>
internal readonly record struct Finding(string Path, int Line, string What)
{
    public override string ToString() => $"{Path}:{Line}: {What}";
}

/// <summary>How a test speaks about findings.</summary>
internal static class Findings
{
    /// <summary>Fails with every finding and with what to do about it; passes when there is none.</summary>
    public static void MustBeNone(IEnumerable<Finding> findings, string whatToDo)
    {
        List<string> lines = [.. findings.Select(finding => finding.ToString()).Distinct()];
        if (lines.Count > 0)
        {
            lines.Sort(StringComparer.Ordinal);
            Assert.Fail($"{whatToDo}\n{string.Join('\n', lines)}");
        }
    }
}
