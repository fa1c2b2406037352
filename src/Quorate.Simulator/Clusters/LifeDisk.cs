using Quorate.Storage.Disk;

namespace Quorate.Simulator.Clusters;

/// <summary>The disk as one life of the process has it: who is dead asks nothing more.</summary>
internal sealed class LifeDisk(ClusterMachine machine, uint life) : IDisk
{
    public void Submit(in DiskOperation operation, IDiskClient client)
    {
        if (machine.Life == life)
        {
            machine.Disk.Submit(operation, client);
        }
    }
}
