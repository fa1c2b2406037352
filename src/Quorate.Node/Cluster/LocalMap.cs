using Quorate.Node.Metadata.Wire;
using Quorate.Storage;
using Quorate.Storage.Disk;

namespace Quorate.Node.Cluster;

/// <summary>
/// The metadata that this node has acted on, in a file of its own, so that it opens its partitions at a start whether
/// or not the metadata group has a quorum.
/// <para>Invariant: a partition is opened only once a file that names it is durable, and its files are deleted only
/// once one that does not name it is.</para>
/// </summary>
internal sealed class LocalMap(IDisk disk, Action<string> failed)
{
    public const string Name = "cluster-map";

    private const int BytesMax = 64 * 1024 * 1024;

    private readonly WholeFile _file = new(disk, Name, BytesMax, failed);

    private static ReadOnlySpan<byte> Magic => "quormap\n"u8;

    /// <summary>It is being read or written.</summary>
    public bool IsBusy => _file.IsBusy;

    /// <summary>What the bytes of such a file hold.</summary>
    public static CheckedReading TryDecode(ReadOnlyMemory<byte> bytes, out MetadataState? state) =>
        CheckedFile.TryDecode(Magic, bytes.Span, MetadataState.Parser, out state);

    /// <summary>Reads it; null when there is none.</summary>
    public void Read(Action<MetadataState?> done) => _file.Read(content =>
    {
        if (content is not { } bytes)
        {
            done(null);
            return;
        }

        switch (TryDecode(bytes, out MetadataState? state))
        {
            case CheckedReading.Read:
                done(state);
                break;
            case CheckedReading.OtherVersion:
                failed($"The file {Name} is of a format that this version does not know. Start the version that wrote "
                    + "it, or a newer one.");
                break;
            default:
                failed($"The file {Name}, which says what partitions this node holds, is damaged. "
                    + FolderAdvice.Sentence);
                break;
        }
    });

    /// <summary>Makes a state durable; told whether it is, which it is not on a full disk.</summary>
    public void Write(MetadataState state, Action<bool> done) =>
        _file.Replace(CheckedFile.Encode(Magic, state), done);

    public void Close() => _file.Close();
}
