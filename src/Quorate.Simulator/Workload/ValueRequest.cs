using System.Runtime.InteropServices;
using System.Text;
using Quorate.Core.Checking;
using Quorate.Node.Evaluation;

namespace Quorate.Simulator.Workload;

/// <summary>
/// Commands of the values workload that are sent as one request. Words are strings of one char per byte (Latin-1).
/// </summary>
internal sealed record ValueRequest(string[][] Lines, bool IsBatch, bool IsWrite)
{
    /// <summary>What the request is to the checker of linearizability; null when its key is no register.</summary>
    public RegisterUse? Register { get; init; }

    /// <summary>It deletes every key, registers too: to each of those it is a write of "absent".</summary>
    public bool IsClear { get; init; }

    /// <summary>It reads a pair of keys that are always written together, and nothing else.</summary>
    public bool ReadsPair { get; init; }

    /// <summary>It is a piece of an iteration over all keys.</summary>
    public bool IsScan { get; init; }

    /// <summary>How the error of a full cache begins.</summary>
    public const string FullError = "-OOM ";

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static CommandLine[] CommandLines(string[][] lines) =>
        [.. lines.Select(words => new CommandLine([.. words.Select(word => (ReadOnlyMemory<byte>)Bytes(word))]))];

    public override string ToString() =>
        string.Join("; ", Lines.Select(words => string.Join(' ', words.Select(Short))));

    private static string Short(string word) =>
        string.Concat(word.Take(24).Select(c => c is >= ' ' and <= '~' ? c : '?')) + (word.Length > 24 ? "…" : "");
}

/// <summary>A request to a register, as the checkers know them.</summary>
/// <param name="Expected">A compare-and-set's expected value, which the version that it names stands for.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RegisterUse(OperationKind Kind, long Key, long Argument, long Expected);

/// <summary>
/// What a client has last seen of a register: a value and its version, zero and null for an absent one.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SeenRegister(long Value, string? Version);
