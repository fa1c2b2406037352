using Quorate.Core.Model;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Faults;

/// <summary>Cuts links between two sides for a while, in both directions or one, steadily or flapping.</summary>
internal sealed class PartitionFaults(Simulation world, FaultDriver faults)
{
    public bool Split(SeededRandom random, bool bothWays)
    {
        if (world.Plan.Nodes < 2)
        {
            return false;
        }

        bool[] side = DrawSide(random);
        long time = faults.Duration(random);
        faults.Note($"{Names(side)} {(bothWays ? "and the others are apart" : "reach nobody")} for {time / 1000} ms");
        ForCut(side, bothWays, world.Network.Cut);
        faults.Later(time, () =>
        {
            faults.Note($"{Names(side)} are back");
            ForCut(side, bothWays, world.Network.Mend);
        });
        return true;
    }

    public bool Flap(SeededRandom random, long flapTime)
    {
        if (world.Plan.Nodes < 2)
        {
            return false;
        }

        bool[] side = DrawSide(random);
        bool bothWays = random.Next(2) == 0;
        long until = world.Now + faults.Duration(random);
        faults.Note($"{Names(side)} flap until {until / 1000} ms");
        Cut();
        return true;

        void Cut()
        {
            ForCut(side, bothWays, world.Network.Cut);
            faults.Later(1 + random.Next(flapTime), Mend);
        }

        void Mend()
        {
            ForCut(side, bothWays, world.Network.Mend);
            if (world.Now < until)
            {
                faults.Later(1 + random.Next(flapTime), Cut);
            }
        }
    }

    private bool[] DrawSide(SeededRandom random)
    {
        bool[] side = new bool[world.Plan.Nodes];
        if (random.Next(2) == 0 && faults.Victim(random) is { } victim)
        {
            side[victim.Number] = true;
            return side;
        }

        for (int node = 0; node < side.Length; node++)
        {
            side[node] = random.Next(2) == 0;
        }

        side[random.Next(side.Length)] = true;
        return side;
    }

    private void ForCut(bool[] side, bool bothWays, Action<int, int> change)
    {
        for (int from = 0; from < side.Length; from++)
        {
            for (int to = 0; to < side.Length; to++)
            {
                if (side[from] && !side[to])
                {
                    change(from, to);
                    if (bothWays)
                    {
                        change(to, from);
                    }
                }
            }
        }
    }

    private static string Names(bool[] side) =>
        string.Join(" ", Enumerable.Range(0, side.Length).Where(node => side[node]).Select(node => $"n{node + 1}"));
}
