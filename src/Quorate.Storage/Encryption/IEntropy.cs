namespace Quorate.Storage.Encryption;

/// <summary>
/// Random bytes that nobody can guess, from the host: its operating system's, or a simulation's seed.
/// </summary>
public interface IEntropy
{
    void Fill(Span<byte> bytes);
}
