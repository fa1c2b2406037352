using System.Text.Encodings.Web;
using System.Text.Json;

namespace Quorate.Cli;

/// <summary>How commands write JSON: an object on one line, for programs and for people who look at it.</summary>
internal static class JsonText
{
    /// <summary>What needs no escape gets none: no browser will take it for markup.</summary>
    public static JsonSerializerOptions Options { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonSerializerOptions Indented { get; } = new(Options) { WriteIndented = true };
}
