using System.Runtime.InteropServices;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// Writes whole blocks past the page cache, durable when the call returns (O_DIRECT and O_DSYNC). For one thread.
/// <para>Invariant: only blocks that the file has already are written so; the system would have to sync metadata for
/// others.</para>
/// </summary>
internal sealed unsafe class DirectWriter : IDisposable
{
    /// <summary>What offset, length and memory must be aligned to, in bytes.</summary>
    public const int BlockBytes = 4096;

    /// <summary>A longer write goes in several pieces, in bytes.</summary>
    private const int PieceBytes = 1024 * 1024;

    private readonly OpenFiles _files;
    private byte* _buffer;
    private bool _hasWritten;
    private bool _isUseless;

    public DirectWriter(string folder, RealDiskSettings settings)
    {
        int flags = NativeFile.ReadWrite | NativeFile.Direct | NativeFile.DataSync;
        _files = new OpenFiles(folder, settings.OpenFilesMax, flags);
        _buffer = (byte*)NativeMemory.AlignedAlloc(PieceBytes, BlockBytes);
    }

    /// <summary>
    /// Writes bytes that end within the file. False when the file system has no such writes, which it says at the
    /// opening or at the first of them; nothing was written.
    /// </summary>
    public bool TryWrite(string name, ReadOnlySpan<byte> data, long offset, out DiskStatus status)
    {
        status = DiskStatus.Failed;
        OpenFiles.Entry? entry = null;
        if (!_isUseless)
        {
            status = _files.Take(name, create: false, out entry);
        }

        if (status != DiskStatus.Done)
        {
            // Some file systems know no O_DIRECT: whoever asks then writes and syncs in two calls.
            return false;
        }

        for (int at = 0; at < data.Length && status == DiskStatus.Done; at += PieceBytes)
        {
            int length = Math.Min(PieceBytes, data.Length - at);
            data.Slice(at, length).CopyTo(new Span<byte>(_buffer, PieceBytes));
            status = entry!.Handle.Write(_buffer, length, offset + at);
            _isUseless = !_hasWritten && entry.Handle.IsRefused;
            _hasWritten |= status == DiskStatus.Done;
        }

        _files.GiveBack(entry!);
        if (_isUseless)
        {
            return false;
        }

        status = status == DiskStatus.Done ? status : DiskStatus.Failed;
        return true;
    }

    /// <summary>The name means another file, or none, from now on.</summary>
    public void Forget(string name) => _files.Forget(name);

    public void Dispose()
    {
        _files.Dispose();
        NativeMemory.AlignedFree(_buffer);
        _buffer = null;
    }
}
