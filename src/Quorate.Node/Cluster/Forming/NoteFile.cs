using Quorate.Core;
using Quorate.Node.Cluster.Forming.Wire;
using Quorate.Node.Runtime;
using Quorate.Storage;
using Quorate.Storage.Disk;

namespace Quorate.Node.Cluster.Forming;

/// <summary>What a data folder knows of its formation, in a file of its own.</summary>
internal sealed class NoteFile(IDisk disk, int bytesMax, Action<string> failed)
{
    public const string Name = "formation";

    public const string Damaged = $"The file {Name}, which says what cluster this data folder belongs to, is damaged. "
        + FolderAdvice.Sentence;

    private readonly WholeFile _file = new(disk, Name, bytesMax, failed);
    private readonly StartFiles _files = new(disk, failed);

    private static ReadOnlySpan<byte> Magic => "quorform"u8;

    /// <summary>
    /// Why a folder without this file is nobody's, when it has other files of a node; null when it is new.
    /// </summary>
    public static string? MissingFrom(IReadOnlyList<string> names)
    {
        string? other = names.FirstOrDefault(name =>
            string.Equals(name, LocalMap.Name, StringComparison.Ordinal)
            || name.StartsWith(NodeRuntime.LogPrefix, StringComparison.Ordinal)
            || StartFiles.TryParse(name, out _, out _));
        return other is null
            ? null
            : $"The file {Name}, which says what cluster this data folder belongs to, is missing, and the folder holds "
                + $"the files of a node, {other} among them. {FolderAdvice.Sentence}";
    }

    /// <summary>What the bytes of such a file hold.</summary>
    public static CheckedReading TryDecode(ReadOnlyMemory<byte> bytes, out FormationNote? note) =>
        CheckedFile.TryDecode(Magic, bytes.Span, FormationNote.Parser, out note);

    /// <summary>Reads it; null when there is none.</summary>
    public void Read(Action<FormationNote?> done) => _file.Read(content =>
    {
        if (content is not { } bytes)
        {
            // The note is the first file of a folder: where there are others, it was lost, and with it what they are.
            _files.List(names =>
            {
                if (MissingFrom(names) is { } missing && Guards.LostNotesAreMissed)
                {
                    failed(missing);
                }
                else
                {
                    done(null);
                }
            });
            return;
        }

        switch (TryDecode(bytes, out FormationNote? note))
        {
            case CheckedReading.Read when note!.Self is { Instance: > 0 }:
                done(note);
                break;
            case CheckedReading.OtherVersion:
                failed($"The file {Name} is of a format that this version does not know. Start the version that wrote "
                    + "it, or a newer one.");
                break;
            default:
                failed(Damaged);
                break;
        }
    });

    /// <summary>Makes a note durable; told whether it is, which it is not on a full disk.</summary>
    public void Write(FormationNote note, Action<bool> done) =>
        _file.Replace(CheckedFile.Encode(Magic, note), done);
}
