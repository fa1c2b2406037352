using Quorate.Storage.Disk;

namespace Quorate.Simulator.Disk;

/// <summary>
/// An operation that was submitted to a <see cref="SimulatedDisk"/> and has neither completed nor been dropped by
/// a death of its process. The simulator keeps it until it hands it to <see cref="SimulatedDisk.Execute"/>.
/// </summary>
public sealed class PendingDiskOperation
{
    internal PendingDiskOperation(in DiskOperation operation, IDiskClient client, ulong number)
    {
        Operation = operation;
        Client = client;
        Number = number;
    }

    public DiskOperation Operation { get; }

    public IDiskClient Client { get; }

    /// <summary>The moment of its submission among all submissions and completions of the disk.</summary>
    public ulong Number { get; }

    /// <summary>The process that asked is dead: executing it does nothing and nobody is told.</summary>
    public bool IsDropped { get; internal set; }
}
