using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Quorate.Core.Checking;

namespace Quorate.Cli.Load;

/// <summary>
/// A request as its client saw it: one line of a history. Times are microseconds of one clock that all clients of the
/// history share.
/// </summary>
/// <param name="Op">`get`, `set`, `incr` or `del`.</param>
/// <param name="Value">Set: what was written. Get, incr: what came back; absent is null.</param>
/// <param name="End">When the answer came; null when none did.</param>
/// <param name="Outcome">`done`, `refused` (surely not executed) or `unknown`.</param>
internal sealed record HistoryLine(
    [property: JsonPropertyName("client")] int Client,
    [property: JsonPropertyName("key")] string Key,
    [property: JsonPropertyName("op")] string Op,
    [property: JsonPropertyName("value")] long? Value,
    [property: JsonPropertyName("start")] long Start,
    [property: JsonPropertyName("end")] long? End,
    [property: JsonPropertyName("outcome")] string Outcome,
    [property: JsonPropertyName("error")] string? Error);

/// <summary>Histories as files of JSON lines.</summary>
internal static class HistoryFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.General)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static void Write(TextWriter output, HistoryLine line) =>
        output.WriteLine(JsonSerializer.Serialize(line, Options));

    /// <summary>
    /// Reads a history, its keys numbered in the order in which they first come. Null with a sentence when a line is
    /// none of a history.
    /// </summary>
    public static List<Operation>? TryRead(string path, List<string> keys, out string problem)
    {
        var operations = new List<Operation>();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        int row = 0;
        foreach (string text in File.ReadLines(path))
        {
            row++;
            if (Parse(text) is not { } line)
            {
                problem = string.Create(
                    CultureInfo.InvariantCulture,
                    $"Line {row} of {path} is not a request of a history: was it cut, or written by another tool?");
                return null;
            }

            if (!numbers.TryGetValue(line.Key, out int key))
            {
                key = keys.Count;
                numbers.Add(line.Key, key);
                keys.Add(line.Key);
            }

            operations.Add(OperationOf(line, key));
        }

        problem = "";
        return operations;
    }

    private static HistoryLine? Parse(string text)
    {
        try
        {
            HistoryLine? line = JsonSerializer.Deserialize<HistoryLine>(text, Options);
            bool isWhole = line is { Key: not null, Op: "get" or "set" or "incr" or "del" }
                && line.Outcome is "done" or "refused" or "unknown"
                && (line.Outcome != "done" || line.End >= line.Start);
            return isWhole ? line : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Operation OperationOf(HistoryLine line, int key)
    {
        long value = line.Value ?? 0;
        long end = line.End ?? long.MaxValue;
        Operation operation = line.Op switch
        {
            "get" => Operation.Read(line.Client, key, value, line.Start, end),
            "set" => Operation.Write(line.Client, key, value, line.Start, end),
            "del" => Operation.Write(line.Client, key, 0, line.Start, end),
            _ => Operation.Add(line.Client, key, 1, value, line.Start, end),
        };
        return line.Outcome switch
        {
            "done" => operation,
            "refused" => operation.AsRefused(),
            _ => operation.AsUnknown(),
        };
    }
}
