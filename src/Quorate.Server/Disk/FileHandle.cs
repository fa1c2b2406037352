using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// An open file of the data folder and what may be done to it, each call's result checked: an interrupted call is made
/// again, a short one goes on, and an error becomes a <see cref="DiskStatus"/>.
/// </summary>
internal sealed unsafe class FileHandle(string name, int descriptor) : IDisposable
{
    private const int SeekEnd = 2;
    private const int ZerosBytes = 1024 * 1024;

    private static readonly byte[] Zeros = new byte[ZerosBytes];

    public string Name => name;

    public int Descriptor => descriptor;

    /// <summary>Opens a file; creates it when asked to.</summary>
    public static DiskStatus Open(string path, string name, int flags, out FileHandle? handle)
    {
        int descriptor;
        do
        {
            descriptor = NativeFile.Open(path, flags | NativeFile.CloseOnExec, 0b110_000_000);
        }
        while (descriptor < 0 && NativeFile.LastError == NativeFile.Interrupted);

        handle = descriptor < 0 ? null : new FileHandle(name, descriptor);
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
        int done = 0;
        while (done < length)
        {
            nint written = NativeFile.Write(descriptor, start + done, length - done, offset + done);
            if (written < 0)
            {
                if (NativeFile.LastError == NativeFile.Interrupted)
                {
                    continue;
                }

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

    /// <summary>Bytes and what is needed to find them again. Never made again after a failure (pitfall R11).</summary>
    public DiskStatus SyncData() => Judge(NativeFile.SyncData(descriptor));

    /// <summary>Bytes, length and all other metadata; of a folder its names.</summary>
    public DiskStatus Sync() => Judge(NativeFile.Sync(descriptor));

    public DiskStatus Truncate(long length) => Judge(NativeFile.Truncate(descriptor, length));

    /// <summary>
    /// Makes the file at least this long. The space is claimed first, so that what can not fit fails at once, and then
    /// filled with zeros: a first write into merely claimed space changes metadata and makes its sync slower.
    /// </summary>
    public DiskStatus Allocate(long length)
    {
        long from = Length();
        if (from < 0 || from >= length)
        {
            return from < 0 ? DiskStatus.Failed : DiskStatus.Done;
        }

        int result = NativeFile.Allocate(descriptor, 0, from, length - from);
        if (result != 0 && NativeFile.LastError is not (NativeFile.NotSupported or NativeFile.Interrupted))
        {
            return StatusOf(NativeFile.LastError);
        }

        for (long at = from; at < length; at += ZerosBytes)
        {
            DiskStatus status = Write(Zeros.AsSpan(0, (int)Math.Min(ZerosBytes, length - at)), at);
            if (status != DiskStatus.Done)
            {
                return status;
            }
        }

        return DiskStatus.Done;
    }

    public void Dispose()
    {
        // What matters was synced before, and its result looked at; close can not lose it.
        _ = NativeFile.Close(descriptor);
    }

    private static DiskStatus Judge(int result)
    {
        if (result == 0)
        {
            return DiskStatus.Done;
        }

        return Guards.NativeErrorsAreReported ? StatusOf(NativeFile.LastError) : DiskStatus.Done;
    }
}
