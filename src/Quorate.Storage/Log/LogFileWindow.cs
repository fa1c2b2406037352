using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// Reads a file from front to back in pieces of bounded size, with no more of it in memory than a piece and what is
/// asked for at once.
/// </summary>
internal sealed class LogFileWindow(DiskJobs jobs, int pieceBytesMax)
{
    private string _file = "";
    private byte[] _bytes = [];
    private long _start;
    private int _length;
    private int _pieceBytes;
    private bool _isAtEnd;

    /// <summary>The file could not be read.</summary>
    public bool IsFailed { get; private set; }

    public void Begin(string file, int pieceBytes)
    {
        _file = file;
        _pieceBytes = Math.Min(pieceBytes, pieceBytesMax);
        _start = 0;
        _length = 0;
        _isAtEnd = false;
        IsFailed = false;
    }

    /// <summary>Are these bytes here, or all of them that the file has?</summary>
    public bool Has(long offset, int length) =>
        offset >= _start && (_isAtEnd || offset + length <= _start + _length);

    /// <summary>What is here from an offset on; empty behind the end of the file.</summary>
    public ReadOnlySpan<byte> From(long offset)
    {
        bool isHere = offset >= _start && offset <= _start + _length;
        return isHere ? _bytes.AsSpan((int)(offset - _start), _length - (int)(offset - _start)) : default;
    }

    /// <summary>Reads until <see cref="Has"/>; forgets what lies before.</summary>
    public IEnumerable<DiskStep> Ensure(long offset, int length)
    {
        int past = (int)Math.Clamp(offset - _start, 0, _length);
        _bytes.AsSpan(past, _length - past).CopyTo(_bytes);
        _start += past;
        _length -= past;
        while (!IsFailed && !Has(offset, length))
        {
            long missing = offset + length - (_start + _length);
            int wanted = (int)Math.Clamp(missing, _pieceBytes, pieceBytesMax);
            yield return new DiskOperation(0, DiskOperationKind.Read, _file, _start + _length, Length: wanted);
            if (jobs.Completion.Status != DiskStatus.Done)
            {
                IsFailed = true;
                yield break;
            }

            ReadOnlyMemory<byte> piece = jobs.Completion.Data;
            if (_length + piece.Length > _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(_length + piece.Length, _bytes.Length * 2));
            }

            piece.CopyTo(_bytes.AsMemory(_length));
            _length += piece.Length;
            _isAtEnd = piece.Length < wanted;
        }
    }
}
