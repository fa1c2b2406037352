namespace Quorate.Storage.Log;

/// <summary>What a log is doing with its disk.</summary>
internal enum LogStep
{
    Closed,
    Opening,
    Idle,

    /// <summary>The segment's last batches are made durable before another segment follows it.</summary>
    SyncingOld,
    Writing,
    Syncing,
    SyncingFolder,
    Dead,
}
