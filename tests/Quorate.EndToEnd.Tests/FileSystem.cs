using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>A small file system in memory, mounted on a folder.</summary>
internal sealed class FileSystem : IDisposable
{
    private readonly string _folder;

    private FileSystem(string folder) => _folder = folder;

    public static FileSystem Mount(string folder, long bytes)
    {
        Directory.CreateDirectory(folder);
        string size = string.Create(CultureInfo.InvariantCulture, $"size={bytes}");
        (int code, _, string error) = Tools.Run("mount", "-t", "tmpfs", "-o", size, "none", folder);
        Assert.SkipUnless(code == 0, $"No file system can be mounted here: {error.Trim()}");
        return new(folder);
    }

    /// <summary>Writes a file so large that only this much is left.</summary>
    public void FillUp(string file, long leftBytes)
    {
        long bytes = new DriveInfo(_folder).AvailableFreeSpace - leftBytes;
        Assert.True(bytes > 0, $"only {bytes + leftBytes} bytes are free");
        Tools.Do("fallocate", "-l", bytes.ToString(CultureInfo.InvariantCulture), file);
    }

    public void Dispose() => Tools.Run("umount", "-l", _folder);
}
