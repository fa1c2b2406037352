using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// An open file of the data folder and what may be done to it, each call's result checked: an interrupted call is made
/// again, a short one goes on, and an error becomes a <see cref="DiskStatus"/>.
/// </summary>
internal sealed unsafe class FileHandle(int descriptor, bool isSelfSyncing) : IDisposable
{
    private const int SeekEnd = 2;
    private const int ZerosBytes = 1024 * 1024;

    /// <summary>
    /// Zeros are synced after so many bytes, so that a file being made ready does not hold up a log write for long.
    /// </summary>
    private const long ZerosSyncBytes = 4 * ZerosBytes;

    private static readonly byte[] Zeros = new byte[ZerosBytes];

    /// <summary>Changes that this process began, and how many of them a sync has covered.</summary>
    private long _changes;
    private long _covered;

    /// <summary>
    /// Something was written here that no sync has covered. Such a file stays open: the system tells of an error in
    /// writing back to whoever had the file open by then, and to others only perhaps.
    /// </summary>
    public bool IsUnsynced => !isSelfSyncing && Interlocked.Read(ref _changes) != Interlocked.Read(ref _covered);

    public int Descriptor => descriptor;

    /// <summary>
    /// The last write was refused as none that can be, before anything was written: a file system that opens files
    /// for direct writes and then takes none, or only longer ones, says so.
    /// </summary>
    public bool IsRefused { get; private set; }

    /// <summary>Opens a file; creates it when asked to.</summary>
    public static DiskStatus Open(string path, int flags, out FileHandle? handle)
    {
        int descriptor = NativeFile.Retry(
            () => NativeFile.Open(path, flags | NativeFile.CloseOnExec, 0b110_000_000));
        handle = descriptor < 0 ? null : new FileHandle(descriptor, (flags & NativeFile.DataSync) != 0);
        return descriptor < 0 ? StatusOf(NativeFile.LastError) : DiskStatus.Done;
    }

    public static DiskStatus StatusOf(int error) => error switch
    {
        NativeFile.NotFound => DiskStatus.NotFound,
        NativeFile.NoSpace or NativeFile.QuotaExceeded => DiskStatus.Full,
        _ => DiskStatus.Failed,
    };

    /// <summary>The file's length in bytes; -1 when the device refuses to say.</summary>
    public long Length() => NativeFile.Seek(descriptor, 0, SeekEnd);

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    public DiskStatus Read(Span<byte> buffer, long offset, out int count)
    {
        count = 0;
        fixed (byte* start = buffer)
        {
            while (count < buffer.Length)
            {
                nint read = NativeFile.Read(descriptor, start + count, buffer.Length - count, offset + count);
                if (read < 0)
                {
                    if (NativeFile.LastError == NativeFile.Interrupted)
                    {
                        continue;
                    }

                    return StatusOf(NativeFile.LastError);
                }

                if (read == 0)
                {
                    break;
                }

                count += (int)read;
            }
        }

        return DiskStatus.Done;
    }

    public DiskStatus Write(ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* start = data)
        {
            return Write(start, data.Length, offset);
        }
    }

    public DiskStatus Write(byte* start, int length, long offset)
    {
        // Counted before and after: a sync that runs meanwhile covers neither all of it nor none.
        Interlocked.Increment(ref _changes);
        DiskStatus status = WriteAll(start, length, offset);
        Interlocked.Increment(ref _changes);
        return status;
    }

    private DiskStatus WriteAll(byte* start, int length, long offset)
    {
        int done = 0;
        IsRefused = false;
        while (done < length)
        {
            nint written = NativeFile.Write(descriptor, start + done, length - done, offset + done);
            if (written < 0)
            {
                if (NativeFile.LastError == NativeFile.Interrupted)
                {
                    continue;
                }

                IsRefused = done == 0 && NativeFile.LastError == NativeFile.Invalid;
                return StatusOf(NativeFile.LastError);
            }

            // A device that takes nothing and says nothing would be asked for ever.
            if (written == 0)
            {
                return DiskStatus.Failed;
            }

            done += (int)written;
        }

        return DiskStatus.Done;
    }

    /// <summary>
    /// Makes durable the bytes and what is needed to find them again. Any error is a failure, a lack of space too:
    /// nothing is known then of what was written before (pitfall R11).
    /// </summary>
    public DiskStatus SyncData()
    {
        long changes = Interlocked.Read(ref _changes);
        DiskStatus status = JudgeSync(NativeFile.Retry(() => NativeFile.SyncData(descriptor)));
        if (status == DiskStatus.Done)
        {
            Interlocked.Exchange(ref _covered, changes);
        }

        return status;
    }

    /// <summary>Makes durable bytes, length and all other metadata; of a folder its names.</summary>
    public DiskStatus Sync() => JudgeSync(NativeFile.Retry(() => NativeFile.Sync(descriptor)));

    /// <summary>Cuts the file to a length that it exceeds.</summary>
    public DiskStatus Truncate(long length)
    {
        long before = Length();
        if (before <= length)
        {
            return before < 0 ? DiskStatus.Failed : DiskStatus.Done;
        }

        Interlocked.Increment(ref _changes);
        int result = NativeFile.Retry(() => NativeFile.Truncate(descriptor, length));
        int error = NativeFile.LastError;
        Interlocked.Increment(ref _changes);
        return result == 0 ? DiskStatus.Done : StatusOf(error);
    }

    /// <summary>
    /// Makes the file at least this long. The space is claimed first, so that what can not fit fails at once, and then
    /// filled with zeros: a first write into merely claimed space changes metadata and makes its sync slower.
    /// <para>The length follows the zeros, so that a file found after a crash says how many are there.</para>
    /// </summary>
    public DiskStatus Allocate(long length)
    {
        long from = Length();
        if (from < 0 || from >= length)
        {
            return from < 0 ? DiskStatus.Failed : DiskStatus.Done;
        }

        int claimed = NativeFile.Retry(
            () => NativeFile.Allocate(descriptor, NativeFile.KeepLength, from, length - from));
        if (claimed != 0 && NativeFile.LastError != NativeFile.NotSupported)
        {
            return StatusOf(NativeFile.LastError);
        }

        DiskStatus status = DiskStatus.Done;
        for (long at = from; at < length && status == DiskStatus.Done; at += ZerosBytes)
        {
            status = Write(Zeros.AsSpan(0, (int)Math.Min(ZerosBytes, length - at)), at);
            bool isDue = (at - from + ZerosBytes) % ZerosSyncBytes == 0 || at + ZerosBytes >= length;
            status = status == DiskStatus.Done && isDue ? SyncData() : status;
        }

        return status;
    }

    public void Dispose()
    {
        // What matters was synced before, and its result looked at; close can not lose it.
        _ = NativeFile.Close(descriptor);
    }

    private static DiskStatus JudgeSync(int result) =>
        result == 0 || !Guards.NativeSyncErrorsAreReported ? DiskStatus.Done : DiskStatus.Failed;
}
