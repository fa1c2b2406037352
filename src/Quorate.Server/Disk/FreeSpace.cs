namespace Quorate.Server.Disk;

/// <summary>
/// Keeps a reserve of the file system free. The system is asked now and then, not at every write: what was written since
/// is counted, and others who write to the same file system are seen at the next look.
/// </summary>
internal sealed class FreeSpace(string folder, RealDiskSettings settings)
{
    private readonly DriveInfo _drive = new(folder);
    private readonly Lock _lock = new();
    private long _left;

    /// <summary>May files grow by this many bytes?</summary>
    public bool MayTake(long bytes)
    {
        if (settings.ReserveBytes == 0)
        {
            return true;
        }

        lock (_lock)
        {
            if (_left < bytes)
            {
                long free = _drive.AvailableFreeSpace - settings.ReserveBytes;
                _left = Math.Min(free, Math.Max(settings.ReserveGrainBytes, bytes));
            }

            if (_left < bytes)
            {
                _left = 0;
                return false;
            }

            _left -= bytes;
            return true;
        }
    }
}
