namespace Quorate.Simulator.Plans;

/// <summary>What may go wrong. The names, in lower case, are what `--without` takes.</summary>
[Flags]
internal enum FaultKinds
{
    None = 0,

    /// <summary>Messages are lost.</summary>
    Drop = 1 << 0,

    /// <summary>Messages arrive twice.</summary>
    Duplicate = 1 << 1,

    /// <summary>Messages overtake each other.</summary>
    Reorder = 1 << 2,

    /// <summary>Some messages take far longer than the others.</summary>
    Delay = 1 << 3,

    /// <summary>Some nodes and the others do not hear each other.</summary>
    Partition = 1 << 4,

    /// <summary>Some nodes do not hear some others, which hear them.</summary>
    OneWay = 1 << 5,

    /// <summary>A partition comes and goes many times a second.</summary>
    Flap = 1 << 6,

    /// <summary>A process stops for a while and does not notice (SIGSTOP).</summary>
    Pause = 1 << 7,

    /// <summary>A process dies; the machine keeps what was written.</summary>
    Death = 1 << 8,

    /// <summary>A machine loses power; only what was synced is sure to be there afterwards.</summary>
    PowerLoss = 1 << 9,

    /// <summary>A sync fails, so the process must end.</summary>
    FailedSync = 1 << 10,

    /// <summary>A bit of a file turns while the process is down.</summary>
    BitFlip = 1 << 11,

    /// <summary>A disk is full for a while.</summary>
    FullDisk = 1 << 12,

    /// <summary>Clocks change their rate, within the bound; wall clocks jump.</summary>
    Clock = 1 << 13,

    /// <summary>The operator changes memberships.</summary>
    Membership = 1 << 14,

    /// <summary>The operator hands leadership over.</summary>
    Transfer = 1 << 15,

    /// <summary>A node loses its whole disk.</summary>
    Wipe = 1 << 16,

    /// <summary>A disk is slow for a while.</summary>
    SlowDisk = 1 << 17,

    /// <summary>A read fails; the process may end.</summary>
    FailedRead = 1 << 18,

    /// <summary>A write fails after a part of it, so the process must end.</summary>
    FailedWrite = 1 << 19,

    /// <summary>A sync of the folder fails, so the process must end.</summary>
    FailedFolderSync = 1 << 20,

    /// <summary>A list, rename, deletion or cut of a file fails, so the process must end.</summary>
    FailedNames = 1 << 21,

    /// <summary>A file is gone when the process starts again.</summary>
    LostFile = 1 << 22,
}

/// <summary>The names of fault kinds, for people.</summary>
internal static class FaultNames
{
    public static readonly FaultKinds[] All = Enum.GetValues<FaultKinds>().Where(k => k != FaultKinds.None).ToArray();

    /// <summary>Those that were added later are drawn last, so that seeds keep the rest of what they mean.</summary>
    public static readonly FaultKinds[] Later = [FaultKinds.FailedNames, FaultKinds.LostFile];

    public static string Text(FaultKinds kinds) =>
        string.Join(",", All.Where(k => kinds.HasFlag(k)).Select(k => k.ToString().ToLowerInvariant()));

    /// <summary>Reads a comma-separated list; false with the first name that is none.</summary>
    public static bool TryParse(string text, out FaultKinds kinds, out string unknown)
    {
        kinds = FaultKinds.None;
        unknown = "";
        foreach (string name in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (name == "all")
            {
                kinds = All.Aggregate((a, b) => a | b);
            }
            else if (Enum.TryParse(name, ignoreCase: true, out FaultKinds kind) && FaultNames.All.Contains(kind))
            {
                kinds |= kind;
            }
            else
            {
                unknown = name;
                return false;
            }
        }

        return true;
    }
}
