using Quorate.Core.Model;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>
/// Chooses elements by chance, from the command's seed: the same rows, words and seed give the same choice. It names
/// elements by their place in the collection's order, so that one scan finds them all.
/// </summary>
internal static class RandomChoice
{
    /// <summary>Places in [0, size): one for each choice, rising. They differ, unless they may repeat.</summary>
    public static long[] Of(CommandContext context, long size, long count, bool mayRepeat)
    {
        var random = new SeededRandom(context.Seed);
        if (mayRepeat)
        {
            long[] any = new long[count];
            for (long i = 0; i < count; i++)
            {
                any[i] = random.Next(size);
            }

            Array.Sort(any);
            return any;
        }

        if (count >= size)
        {
            long[] all = new long[size];
            for (long i = 0; i < size; i++)
            {
                all[i] = i;
            }

            return all;
        }

        // Floyd's algorithm (Bentley, Programming Pearls: a sample of brilliance, 1987).
        var chosen = new SortedSet<long>();
        for (long i = size - count; i < size; i++)
        {
            long place = random.Next(i + 1);
            chosen.Add(chosen.Contains(place) ? i : place);
        }

        return [.. chosen];
    }
}
