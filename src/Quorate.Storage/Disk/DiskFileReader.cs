namespace Quorate.Storage.Disk;

/// <summary>Reads a file whole, in pieces of bounded size.</summary>
internal sealed class DiskFileReader(string file, int pieceBytes)
{
    private byte[] _content = [];
    private int _length;

    public string File => file;

    public ReadOnlyMemory<byte> Content => _content.AsMemory(0, _length);

    public DiskOperation Next() => new(0, DiskOperationKind.Read, file, _length, Length: pieceBytes);

    /// <summary>Takes the next piece; true when it was the last.</summary>
    public bool Take(ReadOnlyMemory<byte> piece)
    {
        if (_length + piece.Length > _content.Length)
        {
            Array.Resize(ref _content, Math.Max(_length + piece.Length, _content.Length * 2));
        }

        piece.CopyTo(_content.AsMemory(_length));
        _length += piece.Length;
        return piece.Length < pieceBytes;
    }
}
