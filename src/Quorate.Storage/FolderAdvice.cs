namespace Quorate.Storage;

/// <summary>
/// What can be done about a data folder that is damaged, said in one place: nothing else works. Parts of a folder
/// cannot be taken out, since its log, checkpoints and tables prove each other.
/// </summary>
public static class FolderAdvice
{
    /// <summary>The end of every sentence about a damaged or missing file.</summary>
    public const string Sentence =
        "Restore the node's whole data folder from a copy; or, where other nodes have replicas of all that it held, "
        + "empty the folder: the node then joins as a new one, and what it held is not made anew there.";
}
