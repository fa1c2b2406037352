using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>Results that say why nothing was done.</summary>
internal static class Refusals
{
    public static MetadataResult Of(string sentence) => new() { Refusal = sentence };
}
