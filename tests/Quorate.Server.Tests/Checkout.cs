namespace Quorate.Server.Tests;

/// <summary>The checkout that the tests are run from.</summary>
internal static class Checkout
{
    /// <summary>The path of a page below docs.</summary>
    public static string Page(params string[] names)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Quorate.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        Assert.SkipWhen(folder is null, "the tests are not run from a checkout");
        return Path.Combine([folder!, "docs", .. names]);
    }
}
