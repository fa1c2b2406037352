using Quorate.Core.Model;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>Random bytes of a seed.</summary>
internal sealed class SampleEntropy(ulong seed) : IEntropy
{
    private readonly SeededRandom _random = new(seed);

    /// <summary>How often it was asked.</summary>
    public int Fills { get; private set; }

    public void Fill(Span<byte> bytes)
    {
        Fills++;
        foreach (ref byte value in bytes)
        {
            value = (byte)_random.Next(256);
        }
    }
}
