namespace Quorate.Storage.Log;

/// <summary>
/// The owner of a <see cref="NodeLog"/>. Its members are called as inputs, never inside a call to the log, and before
/// the clients of single streams are told of the same event.
/// </summary>
public interface INodeLogClient
{
    /// <summary>
    /// The log has been read. <paramref name="streams"/>, ascending, hold something; those that the node no longer
    /// knows should be dropped, or they pin their segments for ever.
    /// </summary>
    void LogOpened(IReadOnlyList<LogStream> streams);

    /// <summary>
    /// The stream's entries keep one of the segments by which there are more than
    /// <see cref="NodeLogSettings.SegmentsKeptMax"/>; or it has the most entries, and there are more of them than
    /// <see cref="NodeLogSettings.EntriesKeptMax"/>: its owner should take a checkpoint and release. Said again with
    /// each further segment, and when there are an eighth more entries.
    /// </summary>
    void CheckpointWanted(LogStream stream);

    /// <summary>
    /// True when no space was found for a segment beyond the one being written: what is left of that one is for
    /// releases, drops and hard states, so the node should take no more writes from clients. False when space is back.
    /// </summary>
    void SpaceIsLow(bool isLow);

    /// <summary>
    /// The log can not go on or can not prove what it holds: the process must end with this sentence. Said once, for
    /// all streams, and nothing is reported after it.
    /// </summary>
    void LogFailed(string sentence);
}
