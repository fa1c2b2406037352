using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Quorate.Bench.Log;

/// <summary>
/// A file of zeros that are really there, written past the page cache with O_DIRECT and O_DSYNC, as the log's segments
/// are, and with nothing around the system call.
/// </summary>
internal sealed unsafe partial class BareFile : IDisposable
{
    private const string Library = "libc.so.6";
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int DataSync = 0x1000;
    private const int PieceBytes = 1024 * 1024;
    private const int BlockBytes = 4096;

    private readonly int _file;
    private readonly long _bytes;
    private readonly byte* _buffer;
    private long _at;

    public BareFile(string path, long bytes)
    {
        _bytes = bytes;
        _buffer = (byte*)NativeMemory.AlignedAlloc(PieceBytes, BlockBytes);
        NativeMemory.Clear(_buffer, PieceBytes);
        int direct = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;
        _file = Open(path, ReadWrite | Create | DataSync | direct, 0b110_000_000);
        if (_file < 0)
        {
            throw new Win32Exception();
        }

        for (long at = 0; at < bytes; at += PieceBytes)
        {
            Write(at, PieceBytes);
        }
    }

    /// <summary>Writes so many bytes, whole blocks, behind those of before; from the file's end it goes back.</summary>
    public void Append(int bytes)
    {
        _at = _at + bytes > _bytes ? 0 : _at;
        Write(_at, bytes);
        _at += bytes;
    }

    public void Dispose()
    {
        _ = Close(_file);
        NativeMemory.AlignedFree(_buffer);
    }

    private void Write(long at, int bytes)
    {
        if (PositionedWrite(_file, _buffer, bytes, at) != bytes)
        {
            throw new Win32Exception();
        }
    }

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint PositionedWrite(int file, byte* buffer, nint count, long offset);
}
