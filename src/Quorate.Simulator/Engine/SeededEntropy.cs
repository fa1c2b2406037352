using Quorate.Core.Model;
using Quorate.Storage.Encryption;

namespace Quorate.Simulator.Engine;

/// <summary>Random bytes of a run, from its seed.</summary>
internal sealed class SeededEntropy(SeededRandom random) : IEntropy
{
    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte next in bytes)
        {
            next = (byte)random.Next(256);
        }
    }
}
