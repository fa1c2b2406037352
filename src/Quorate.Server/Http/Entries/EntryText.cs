using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Quorate.Server.Http.Entries;

/// <summary>How bytes of keys and values become text, and back.</summary>
internal static class EntryText
{
    /// <summary>Strings as they are: the answers are JSON and nothing else, never a part of a page.</summary>
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = EntryLimits.DepthMax,
        SkipValidation = false,
    };

    public static bool IsText(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);

    public static byte[] BytesOf(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The bytes of a JSON string.</summary>
    /// <exception cref="ProblemException">It is no text: half a pair of surrogates, or bytes that are not
    /// UTF-8.</exception>
    public static byte[] BytesOf(JsonElement text, string what)
    {
        // Between its quotes, and most often as it stands there: a long one is copied once.
        ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(text);
        if (!raw.Contains((byte)'\\'))
        {
            return raw[1..^1].ToArray();
        }

        var reader = new Utf8JsonReader(raw);
        byte[] bytes = new byte[raw.Length];
        try
        {
            reader.Read();
            return bytes[..reader.CopyString(bytes)];
        }
        catch (InvalidOperationException)
        {
            throw new ProblemException(Problem.Invalid(
                $"{what} is no text of Unicode; bytes that are none are sent in base64 (keyBase64, valueBase64)."));
        }
    }

    /// <exception cref="ProblemException">It is no base64.</exception>
    public static byte[] BytesOfBase64(JsonElement text, string what)
    {
        if (text.ValueKind == JsonValueKind.String && text.TryGetBytesFromBase64(out byte[]? bytes))
        {
            return bytes;
        }

        throw new ProblemException(Problem.Invalid($"{what} is no base64."));
    }

    /// <summary>
    /// What is written with percents, as the bytes that it stands for, which need not be text.
    /// </summary>
    /// <exception cref="ProblemException">A percent is not followed by two hexadecimal digits.</exception>
    public static byte[] Unescape(ReadOnlySpan<char> text, bool plusIsBlank)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !TryHex(text[i + 1], out int high) || !TryHex(text[i + 2], out int low))
                {
                    throw new ProblemException(Problem.Invalid(
                        "A percent sign in the address is not followed by two hexadecimal digits; a percent sign "
                            + "itself is written %25."));
                }

                bytes[length++] = (byte)((high << 4) | low);
                i += 2;
            }
            else if (text[i] == '+' && plusIsBlank)
            {
                bytes[length++] = (byte)' ';
            }
            else if (text[i] < 0x80)
            {
                bytes[length++] = (byte)text[i];
            }
            else
            {
                int count = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                length += Encoding.UTF8.GetBytes(text.Slice(i, count), bytes.AsSpan(length));
                i += count - 1;
            }
        }

        return bytes[..length];
    }

    public static string Base64UrlOf(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static bool TryHex(char digit, out int value)
    {
        value = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : -1;
        return value >= 0;
    }
}
