using System.Security.Cryptography;
using Quorate.Storage.Encryption;

namespace Quorate.Server.Runtime;

/// <summary>Randomness from the system, good enough for keys.</summary>
public sealed class SystemEntropy : IEntropy
{
    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
