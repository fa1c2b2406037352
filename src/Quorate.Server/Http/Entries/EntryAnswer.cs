using System.Text;
using System.Text.Json;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Http.Entries;

/// <summary>What a partition said of an entry, and how that is written as JSON.</summary>
internal sealed class EntryAnswer
{
    private readonly ReadOnlyMemory<byte> _content;

    private EntryAnswer(ReadOnlyMemory<byte>[] parts)
    {
        Kind = TextOf(parts[0]);
        _content = parts[1];
        Version = TextOf(parts[2]);
        MillisecondsLeft = ReplyParts.IntegerOf(parts[3].Span);
        Hash = TextOf(parts[4]);
    }

    public string Kind { get; }

    public string Version { get; }

    /// <summary>-1 when it never expires.</summary>
    public long MillisecondsLeft { get; }

    public string Hash { get; }

    /// <summary>Takes an answer of ENTRY.GET or ENTRY.DEL; null when there is no such key.</summary>
    public static EntryAnswer? Of(ReadOnlyMemory<byte> reply) =>
        reply.Span[0] == (byte)'_' ? null : new(ReplyParts.ElementsOf(reply));

    /// <summary>The sentence of an error; null when the reply is none.</summary>
    public static string? ErrorOf(ReadOnlyMemory<byte> reply) =>
        reply.Span[0] == (byte)'-' ? Encoding.UTF8.GetString(reply.Span[1..^2]) : null;

    /// <summary>
    /// Milliseconds that an entry will live, in an answer of ENTRY.PUT; -1 when it never expires, or where the answer
    /// is one of an earlier version, remembered or of a node that still has it, which did not say.
    /// </summary>
    public static long LeftOf(ReadOnlyMemory<byte>[] put) =>
        put.Length > 3 ? ReplyParts.IntegerOf(put[3].Span) : -1;

    /// <summary>The bytes of a string in a reply.</summary>
    public static ReadOnlyMemory<byte> BytesOf(ReadOnlyMemory<byte> bulk) =>
        bulk[(bulk.Span.IndexOf((byte)'\n') + 1)..^2];

    public static string TextOf(ReadOnlyMemory<byte> bulk) => Encoding.ASCII.GetString(BytesOf(bulk).Span);

    public static void WriteKey(Utf8JsonWriter writer, ReadOnlySpan<byte> key)
    {
        if (EntryText.IsText(key))
        {
            writer.WriteString("key", key);
        }
        else
        {
            writer.WriteBase64String("keyBase64", key);
        }
    }

    public static void WriteMetadata(Utf8JsonWriter writer, string version, string hash, long millisecondsLeft)
    {
        writer.WriteStartObject("metadata");
        writer.WriteString("valueVersion", version);
        writer.WriteString("hash", hash);
        if (millisecondsLeft >= 0)
        {
            writer.WriteNumber("ttl", millisecondsLeft);
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes the members of an entry into an object that is open.</summary>
    public void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> key)
    {
        WriteKey(writer, key);
        ReadOnlyMemory<byte>[] parts = Kind is "string" or "scalar" or "json"
            ? [BytesOf(_content)]
            : [.. ReplyParts.ElementsOf(_content).Select(BytesOf)];
        bool isText = Array.TrueForAll(parts, part => EntryText.IsText(part.Span));
        writer.WritePropertyName(isText ? "value" : "valueBase64");
        WriteValue(writer, parts, isText);
        writer.WriteString("type", Kind);
        WriteMetadata(writer, Version, Hash, MillisecondsLeft);
    }

    private void WriteValue(Utf8JsonWriter writer, ReadOnlyMemory<byte>[] parts, bool isText)
    {
        switch (Kind)
        {
            case "scalar" or "json":
                writer.WriteRawValue(parts[0].Span, skipInputValidation: true);
                break;
            case "string":
                WriteString(writer, parts[0].Span, isText);
                break;
            case "list":
                writer.WriteStartArray();
                for (int i = 0; i < parts.Length; i += 2)
                {
                    WriteMarked(writer, parts[i], parts[i + 1].Span, isText);
                }

                writer.WriteEndArray();
                break;
            case "hash":
                writer.WriteStartObject();
                for (int i = 0; i < parts.Length; i += 3)
                {
                    WriteName(writer, parts[i].Span, isText);
                    WriteMarked(writer, parts[i + 1], parts[i + 2].Span, isText);
                }

                writer.WriteEndObject();
                break;
            case "set":
                writer.WriteStartArray();
                foreach (ReadOnlyMemory<byte> member in parts)
                {
                    WriteString(writer, member.Span, isText);
                }

                writer.WriteEndArray();
                break;
            default:
                writer.WriteStartObject();
                for (int i = 0; i < parts.Length; i += 2)
                {
                    WriteName(writer, parts[i].Span, isText);
                    WriteScore(writer, parts[i + 1].Span);
                }

                writer.WriteEndObject();
                break;
        }
    }

    private static void WriteString(Utf8JsonWriter writer, ReadOnlySpan<byte> bytes, bool isText)
    {
        if (isText)
        {
            writer.WriteStringValue(bytes);
        }
        else
        {
            writer.WriteBase64StringValue(bytes);
        }
    }

    public static void WriteName(Utf8JsonWriter writer, ReadOnlySpan<byte> bytes, bool isText)
    {
        if (isText)
        {
            writer.WritePropertyName(bytes);
        }
        else
        {
            writer.WritePropertyName(Convert.ToBase64String(bytes));
        }
    }

    private static void WriteMarked(
        Utf8JsonWriter writer, ReadOnlyMemory<byte> mark, ReadOnlySpan<byte> bytes, bool isText)
    {
        if (mark.Span.SequenceEqual("j"u8))
        {
            writer.WriteRawValue(bytes, skipInputValidation: true);
        }
        else
        {
            WriteString(writer, bytes, isText);
        }
    }

    public static void WriteScore(Utf8JsonWriter writer, ReadOnlySpan<byte> score)
    {
        if (score.SequenceEqual("inf"u8) || score.SequenceEqual("-inf"u8))
        {
            writer.WriteStringValue(score);
        }
        else
        {
            writer.WriteRawValue(score, skipInputValidation: true);
        }
    }
}
