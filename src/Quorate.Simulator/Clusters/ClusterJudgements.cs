namespace Quorate.Simulator.Clusters;

/// <summary>What runs of clusters judge now and then only; see <see cref="Checks.Judgements"/>.</summary>
internal static class ClusterJudgements
{
    /// <summary>After everything had healed all nodes served, and leaders came to where they belong.</summary>
    public const string Healed = "healed";

    /// <summary>A node stopped well while others were asked.</summary>
    public const string Stops = "stops";

    /// <summary>A keyspace had been dropped, and nothing of it was left.</summary>
    public const string Drops = "drops";

    /// <summary>A counter was read at level `session` by who had seen it before.</summary>
    public const string SessionReads = "session-reads";

    /// <summary>A value was read that any replica may answer.</summary>
    public const string FreeReads = "free-reads";

    /// <summary>A numbered write was done at a later attempt than the first that may have run.</summary>
    public const string Retries = "retries";

    /// <summary>A machine that had lost its disk belongs to the cluster again.</summary>
    public const string Rejoins = "rejoins";

    /// <summary>A list, rename, deletion or cut of a file has failed.</summary>
    public const string NamesFailed = "names-failed";

    /// <summary>A file was taken away, and the start was refused with its name.</summary>
    public const string FilesMissed = "files-missed";

    /// <summary>A data key was exchanged.</summary>
    public const string Rotations = "rotations";

    /// <summary>Its keyspace has tables, and none of them needs a former key.</summary>
    public const string Rewritten = "rewritten";

    /// <summary>A node was started whose disk holds a table that is encrypted with a former key.</summary>
    public const string FormerKeys = "former-keys";

    /// <summary>All disks were searched for what is encrypted, and what is not was found.</summary>
    public const string NoPlaintext = "no-plaintext";

    /// <summary>A read replica had come to hold what every partition holds.</summary>
    public const string ReplicasFilled = "replicas-filled";

    /// <summary>A read that any replica may answer was asked of a read replica.</summary>
    public const string ReplicaReads = "replica-reads";

    /// <summary>All of them: in a hundred seeds each comes about.</summary>
    public static readonly IReadOnlyList<string> Demanded =
    [
        Healed, Stops, Drops, SessionReads, FreeReads, Retries, Rejoins, NamesFailed, FilesMissed, Rotations, Rewritten,
        FormerKeys, NoPlaintext, ReplicasFilled, ReplicaReads,
    ];
}
