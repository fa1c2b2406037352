using Quorate.Storage.Disk;

namespace Quorate.Storage.SSTable;

/// <summary>What is said when a sorted file can not be used: which file, where, and what to do.</summary>
internal static class SSTableSentences
{
    private const string WhatToDo = FolderAdvice.Sentence;

    public static string Damaged(string file, long offset, string part, string problem) =>
        $"The file {file} is damaged at byte {offset}, in its {part}: {problem}. {WhatToDo}";

    public static string Cut(string file, long offset, long fileBytes) =>
        $"The file {file} ends before byte {offset}, and it should have {fileBytes} bytes. {WhatToDo}";

    public static string Unlike(string file, string found, string expected) =>
        $"The file {file} is {found}, and {expected} should stand there. {WhatToDo}";

    public static string Untrue(string file, string property) =>
        $"The file {file} holds other rows than its properties say: they differ in {property}. {WhatToDo}";

    public static string NoKey(string file, uint keyId) =>
        $"The file {file} is encrypted with data key {keyId}, which is not among the data keys of this node. "
        + "Start it with the cluster's --master-key-file; where that is so, the file is of another cluster. "
        + WhatToDo;

    public static string Unreadable(string file, DiskStatus status) => status == DiskStatus.NotFound
        ? $"The file {file} is missing. {WhatToDo}"
        : $"The disk failed while the file {file} was read. Check the disk, then start again.";
}
