namespace Quorate.Simulator.Disk;

/// <summary>What a <see cref="SimulatedDisk"/> may be told to fail at, once each.</summary>
[Flags]
public enum DiskFailures
{
    None = 0,

    /// <summary>A Sync of a file, or the sync within a WriteDurable.</summary>
    Sync = 1,

    /// <summary>A SyncFolder. What it covered may be lost with the power, though later ones end well.</summary>
    FolderSync = 2,

    /// <summary>A Read.</summary>
    Read = 4,

    /// <summary>A Write, WriteDurable or Allocate, perhaps after a part of it.</summary>
    Write = 8,

    /// <summary>A List, Rename, Delete or Truncate, which then has no effect.</summary>
    Names = 16,
}
