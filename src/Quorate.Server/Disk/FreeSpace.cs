using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// Keeps a reserve of the file system free. The system is asked now and then, not at every write: what was written
/// since is counted, and others who write to the same file system are seen at the next look (pitfall S5).
/// </summary>
internal sealed class FreeSpace(string folder, RealDiskSettings settings)
{
    private readonly Lock _lock = new();
    private long _left;
    private volatile bool _isReserveOpen;

    /// <summary>While true, files may grow into the reserve.</summary>
    public bool IsReserveOpen
    {
        get => _isReserveOpen;
        set => _isReserveOpen = value;
    }

    /// <summary>May files grow by this many bytes? Done, Full, or Failed when the system does not say.</summary>
    public DiskStatus Take(long bytes)
    {
        if (bytes <= 0 || settings.ReserveBytes == 0 || IsReserveOpen || !Guards.FreeSpaceReserveIsKept)
        {
            return DiskStatus.Done;
        }

        lock (_lock)
        {
            if (_left < bytes)
            {
                if (!TryMeasure(out long free))
                {
                    return DiskStatus.Failed;
                }

                _left = Math.Min(free - settings.ReserveBytes, Math.Max(settings.ReserveGrainBytes, bytes));
            }

            if (_left < bytes)
            {
                _left = 0;
                return DiskStatus.Full;
            }

            _left -= bytes;
            return DiskStatus.Done;
        }
    }

    /// <summary>What a process without privileges may still write, in bytes.</summary>
    private unsafe bool TryMeasure(out long free)
    {
        // struct statvfs of glibc on 64 bits: f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, and more.
        ulong* words = stackalloc ulong[32];
        int result;
        do
        {
            result = NativeFile.FileSystem(folder, words);
        }
        while (result != 0 && NativeFile.LastError == NativeFile.Interrupted);

        free = result == 0 ? (long)(words[1] * words[4]) : 0;
        return result == 0;
    }
}
