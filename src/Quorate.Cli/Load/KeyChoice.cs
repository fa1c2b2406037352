using Quorate.Core.Model;

namespace Quorate.Cli.Load;

/// <summary>Which key the next request is about.</summary>
internal abstract class KeyChoice
{
    public abstract int Next(SeededRandom random);

    /// <summary>Every key as often as any other.</summary>
    public static KeyChoice Uniform(int keys) => new UniformChoice(keys);

    /// <summary>Few keys most of the time: the n-th most wanted is asked for in proportion to 1 / n^skew.</summary>
    public static KeyChoice Zipf(int keys, double skew) => new ZipfChoice(keys, skew);

    private sealed class UniformChoice(int keys) : KeyChoice
    {
        public override int Next(SeededRandom random) => (int)random.Next(keys);
    }

    /// <summary>
    /// Draws from the sums of all shares, which are made once; ranks are scattered over the keys, so that the most
    /// wanted ones are not neighbours.
    /// </summary>
    private sealed class ZipfChoice : KeyChoice
    {
        private readonly double[] _sums;
        private readonly int[] _keyOfRank;

        public ZipfChoice(int keys, double skew)
        {
            _sums = new double[keys];
            double sum = 0;
            for (int rank = 0; rank < keys; rank++)
            {
                sum += Math.Pow(rank + 1, -skew);
                _sums[rank] = sum;
            }

            _keyOfRank = new int[keys];
            var random = new SeededRandom((ulong)keys);
            for (int rank = 0; rank < keys; rank++)
            {
                int other = (int)random.Next(rank + 1);
                _keyOfRank[rank] = _keyOfRank[other];
                _keyOfRank[other] = rank;
            }
        }

        public override int Next(SeededRandom random)
        {
            double draw = random.Next(int.MaxValue) / (double)int.MaxValue * _sums[^1];
            int found = Array.BinarySearch(_sums, draw);
            int rank = Math.Min(found < 0 ? ~found : found, _sums.Length - 1);
            return _keyOfRank[rank];
        }
    }
}
