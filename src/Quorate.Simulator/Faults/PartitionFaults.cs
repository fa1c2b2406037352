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

        List<(int From, int To)> links = DrawCut(random, bothWays);
        long time = faults.Duration(random);
        faults.Note($"cut for {time / 1000} ms: {Names(links)}");
        links.ForEach(link => world.Network.Cut(link.From, link.To));
        faults.Later(time, () =>
        {
            faults.Note($"mended: {Names(links)}");
            links.ForEach(link => world.Network.Mend(link.From, link.To));
        });
        return true;
    }

    public bool Flap(SeededRandom random, long flapTime)
    {
        if (world.Plan.Nodes < 2)
        {
            return false;
        }

        List<(int From, int To)> links = DrawCut(random, bothWays: random.Next(2) == 0);
        long until = world.Now + faults.Duration(random);
        faults.Note($"flapping until {until / 1000} ms: {Names(links)}");
        Cut();
        return true;

        void Cut()
        {
            links.ForEach(link => world.Network.Cut(link.From, link.To));
            faults.Later(1 + random.Next(flapTime), Mend);
        }

        void Mend()
        {
            links.ForEach(link => world.Network.Mend(link.From, link.To));
            if (world.Now < until)
            {
                faults.Later(1 + random.Next(flapTime), Cut);
            }
        }
    }

    /// <summary>Links take long for a while, in one direction or both.</summary>
    public bool SlowDown(SeededRandom random)
    {
        if (world.Plan.Nodes < 2)
        {
            return false;
        }

        List<(int From, int To)> links = DrawCut(random, bothWays: random.Next(4) == 0);
        long slowness = 1000 + random.Next(world.Plan.Network.DelayMax);
        faults.Note($"{slowness / 1000} ms slower: {Names(links)}");
        links.ForEach(link => world.Network.SlowDown(link.From, link.To, slowness));
        faults.Later(
            faults.Duration(random), () => links.ForEach(link => world.Network.SlowDown(link.From, link.To, 0)));
        return true;
    }

    /// <summary>For a moment a node hears nobody, or nobody hears it.</summary>
    public void Muffle(SeededRandom random, int node)
    {
        bool deaf = random.Next(3) > 0;
        faults.Note($"n{node + 1} is {(deaf ? "deaf" : "mute")} for a moment");
        Change(world.Network.Cut);
        faults.Later(20_000 + random.Next(500_000), () => Change(world.Network.Mend));

        void Change(Action<int, int> change)
        {
            for (int other = 0; other < world.Plan.Nodes; other++)
            {
                if (other != node)
                {
                    change(deaf ? other : node, deaf ? node : other);
                }
            }
        }
    }

    /// <summary>Single links, or all between two sides.</summary>
    private List<(int From, int To)> DrawCut(SeededRandom random, bool bothWays)
    {
        bool single = random.Next(3) == 0;
        bool[] side = DrawSide(random);
        var links = new List<(int From, int To)>();
        for (int from = 0; from < side.Length; from++)
        {
            for (int to = 0; to < side.Length; to++)
            {
                if (side[from] && !side[to] && (!single || random.Next(side.Length) == 0))
                {
                    links.Add((from, to));
                    if (bothWays)
                    {
                        links.Add((to, from));
                    }
                }
            }
        }

        return links;
    }

    private bool[] DrawSide(SeededRandom random)
    {
        bool[] side = new bool[world.Plan.Nodes];
        if (random.Next(2) == 0 && faults.Victim(random) is { } victim)
        {
            // Either direction of a one-way cut must come to pass.
            Array.Fill(side, random.Next(2) == 0);
            side[victim.Number] = !side[victim.Number];
            return side;
        }

        for (int node = 0; node < side.Length; node++)
        {
            side[node] = random.Next(2) == 0;
        }

        side[random.Next(side.Length)] = true;
        return side;
    }

    private static string Names(List<(int From, int To)> links) =>
        string.Join(" ", links.Select(link => $"n{link.From + 1}>n{link.To + 1}"));
}
