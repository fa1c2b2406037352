using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Quorate.Node.Evaluation;

/// <summary>
/// Writes a command's reply. The form is RESP3 (Redis's serialization protocol, version 3): it names every type, so the
/// edges can turn it into whatever their clients speak, and a request session can remember it as it is.
/// <para>Invariant: a command writes one reply, of which arrays, sets and maps hold as many parts as they say.</para>
/// </summary>
public sealed class Reply
{
    /// <summary>
    /// More than this is large, in bytes: it is not copied where that can be avoided, and the heap is asked before it
    /// is made. What the collector counts as large objects begins a little above it.
    /// </summary>
    public const int LargeBytes = 64 * 1024;

    /// <summary>Beside its text, what a string in a reply has: its type, its length, and two ends of lines.</summary>
    private const int BulkRoom = 24;

    private ArrayBufferWriter<byte> _bytes = new();

    /// <summary>Bytes that it may have; what would make it longer by much is left out.</summary>
    public int LengthMax { get; set; } = int.MaxValue / 2;

    /// <summary>Asked before its memory grows to more than is kept; without it there always is room.</summary>
    public Func<long, bool>? HeapHasRoom { get; set; }

    /// <summary>Something was left out since there is no memory for it.</summary>
    public bool LacksRoom { get; private set; }

    /// <summary>Something was left out, so that it is not a reply any more.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>What has been written; it holds until the next write.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public int Length => _bytes.WrittenCount;

    /// <summary>Bytes of memory that it has.</summary>
    public int Capacity => _bytes.Capacity;

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    /// <summary>
    /// What has been written, to keep. A large reply is not copied: it takes its memory with it, unless that is much
    /// more than the reply needs.
    /// </summary>
    public ReadOnlyMemory<byte> Take()
    {
        int length = _bytes.WrittenCount;
        if (length <= LargeBytes || length < _bytes.Capacity / 4 * 3)
        {
            return ToArray();
        }

        ReadOnlyMemory<byte> taken = _bytes.WrittenMemory;
        _bytes = new();
        return taken;
    }

    public void Clear()
    {
        _bytes = KeptBuffer.Empty(_bytes);
        IsTooLong = false;
        LacksRoom = false;
    }

    /// <summary>Forgets what was written after the length was this.</summary>
    public void CutTo(int length)
    {
        byte[] kept = _bytes.WrittenSpan[..length].ToArray();
        _bytes.ResetWrittenCount();
        _bytes.Write(kept);
    }

    public void Ok() => _bytes.Write("+OK\r\n"u8);

    public void Simple(ReadOnlySpan<byte> text) => Line((byte)'+', text);

    /// <summary>
    /// An error: its code (`WRONGTYPE`, `ERR`) and what a person should know, as Redis words it. A character is a byte,
    /// so that bytes of a client which are no text come back to it as they were; what would end the line is a blank.
    /// </summary>
    public void Error(string text) =>
        Line((byte)'-', Encoding.Latin1.GetBytes(text.Replace('\r', ' ').Replace('\n', ' ')));

    public void Integer(long value) => Number((byte)':', value);

    public void Null() => _bytes.Write("_\r\n"u8);

    public void Boolean(bool value) => _bytes.Write(value ? "#t\r\n"u8 : "#f\r\n"u8);

    public void Double(double value) => Line((byte)',', Encoding.ASCII.GetBytes(DoubleText(value)));

    /// <summary>A double in a form of its own, which reads back as the number.</summary>
    public void DoubleAs(string text) => Line((byte)',', Encoding.ASCII.GetBytes(text));

    /// <summary>A string of any bytes.</summary>
    public void Bulk(ReadOnlySpan<byte> bytes)
    {
        IsTooLong |= (long)_bytes.WrittenCount + bytes.Length > LengthMax;
        if (IsTooLong || !MayGrow(bytes.Length + BulkRoom))
        {
            return;
        }

        // In one piece: a large string would double the memory by its last two bytes.
        Span<byte> room = _bytes.GetSpan(bytes.Length + BulkRoom);
        room[0] = (byte)'$';
        Utf8Formatter.TryFormat(bytes.Length, room[1..], out int digits);
        int at = digits + 1;
        "\r\n"u8.CopyTo(room[at..]);
        at += 2;
        bytes.CopyTo(room[at..]);
        at += bytes.Length;
        "\r\n"u8.CopyTo(room[at..]);
        _bytes.Advance(at + 2);
    }

    public void BulkInteger(long value)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out int length);
        Bulk(text[..length]);
    }

    /// <summary>Takes memory for so many bytes at once, where growing to them would take twice as much.</summary>
    public void Reserve(long bytes)
    {
        if (bytes <= LengthMax && MayGrow((int)bytes))
        {
            _bytes.GetSpan((int)bytes);
        }
    }

    /// <summary>Whether there is memory for so much more; what was written is there twice while it moves.</summary>
    private bool MayGrow(int bytes)
    {
        if (_bytes.FreeCapacity < bytes && HeapHasRoom is not null)
        {
            long grown = _bytes.Capacity + (long)Math.Max(bytes, _bytes.Capacity);
            LacksRoom |= grown > LargeBytes && !HeapHasRoom(grown);
        }

        return !LacksRoom;
    }

    /// <summary>The next <paramref name="count"/> replies are its elements.</summary>
    public void Array(int count) => Number((byte)'*', count);

    public void Set(int count) => Number((byte)'~', count);

    /// <summary>The next 2 × <paramref name="pairs"/> replies are its keys and values, in turn.</summary>
    public void Map(int pairs) => Number((byte)'%', pairs);

    /// <summary>A reply that was written elsewhere, as it is.</summary>
    public void Raw(ReadOnlySpan<byte> reply) => _bytes.Write(reply);

    /// <summary>As Redis prints it: the shortest text that reads back the same, `inf`, `-inf`.</summary>
    public static string DoubleText(double value) => value switch
    {
        double.PositiveInfinity => "inf",
        double.NegativeInfinity => "-inf",
        _ when double.IsNaN(value) => "nan",
        _ when value == Math.Floor(value) && Math.Abs(value) < 1e17 =>
            value.ToString("F0", CultureInfo.InvariantCulture),
        _ => value.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal),
    };

    private void Number(byte mark, long value)
    {
        Span<byte> bytes = _bytes.GetSpan(24);
        bytes[0] = mark;
        Utf8Formatter.TryFormat(value, bytes[1..], out int length);
        bytes[length + 1] = (byte)'\r';
        bytes[length + 2] = (byte)'\n';
        _bytes.Advance(length + 3);
    }

    private void Line(byte mark, ReadOnlySpan<byte> text)
    {
        Span<byte> bytes = _bytes.GetSpan(text.Length + 3);
        bytes[0] = mark;
        text.CopyTo(bytes[1..]);
        "\r\n"u8.CopyTo(bytes[(text.Length + 1)..]);
        _bytes.Advance(text.Length + 3);
    }
}
