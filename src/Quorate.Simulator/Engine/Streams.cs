using Quorate.Core.Model;

namespace Quorate.Simulator.Engine;

/// <summary>The parts of a run that draw random numbers, each from a stream of its own.</summary>
internal enum StreamName : ulong
{
    Topology = 1,
    Settings = 2,
    Workload = 3,
    NetworkPlan = 4,
    DiskPlan = 5,
    FaultPlan = 6,
    Network = 7,
    Faults = 8,
    Clocks = 9,
    Boots = 10,
    Operator = 11,
    Yields = 12,
    Clients = 13,
    Disks = 14,
    Placement = 15,
    Values = 16,
    Keys = 17,
}

/// <summary>
/// The random numbers of one run. Each part has its own stream, so that a change in one part (a fault switched
/// off, a client fewer) leaves the draws of the others as they were, which is what makes shrinking work.
/// </summary>
internal sealed class Streams(ulong seed, uint salt)
{
    /// <summary>A part's stream; <paramref name="number"/> tells several of one kind apart (clients, disks).</summary>
    public SeededRandom Open(StreamName name, ulong number = 0)
    {
        ulong state = seed;
        ulong mixed = SeededRandom.SplitMix64(ref state);
        state ^= mixed + ((ulong)name * 0x9E3779B97F4A7C15UL);
        mixed = SeededRandom.SplitMix64(ref state);
        state ^= mixed + (number << 32) + salt;
        return new SeededRandom(SeededRandom.SplitMix64(ref state));
    }
}
