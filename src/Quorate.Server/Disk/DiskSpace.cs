using System.Runtime.InteropServices;

namespace Quorate.Server.Disk;

/// <summary>How much room the file system of a folder has, in bytes, as a process without privileges sees it.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DiskSpace(long FreeBytes, long TotalBytes)
{
    /// <summary>Asks the system; zeros when it does not say.</summary>
    public static DiskSpace Of(string folder)
    {
        try
        {
            var drive = new DriveInfo(Path.GetFullPath(folder));
            return new(drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return default;
        }
    }
}
