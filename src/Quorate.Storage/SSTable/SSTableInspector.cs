using System.Globalization;
using System.Text;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Describes a sorted file for people, from its bytes alone: what it says of itself, its blocks, its first rows, and
/// what is wrong with it. Of an encrypted file whose key is not at hand it tells what stands there in clear.
/// </summary>
public static class SSTableInspector
{
    /// <summary>
    /// How many bytes of a file are blocks of rows, which are verified when they are read; what stands behind them is
    /// verified when the file is opened. Null when it has no footer that is whole.
    /// </summary>
    /// <param name="content">All of its bytes.</param>
    public static long? DataBytes(ReadOnlyMemory<byte> content) =>
        content.Length < SSTableFooter.Bytes
            ? null
            : SSTableFooter.TryDecode(content.Span[^SSTableFooter.Bytes..], content.Length, out _)?.Index.Offset;

    private const int ValueBytesShown = 40;

    /// <summary>Lines of text, each ended by a newline.</summary>
    /// <param name="file">Its name, for sentences.</param>
    /// <param name="content">All of its bytes.</param>
    /// <param name="keys">The data keys at hand; null for none.</param>
    /// <param name="rowsMax">So many rows are shown at most.</param>
    public static string Describe(string file, ReadOnlyMemory<byte> content, KeyRing? keys = null, int rowsMax = 100)
    {
        var text = new StringBuilder();
        string problem = "it is shorter than a footer";
        SSTableFooter? footer = content.Length < SSTableFooter.Bytes
            ? null
            : SSTableFooter.TryDecode(content.Span[^SSTableFooter.Bytes..], content.Length, out problem);
        if (footer is null)
        {
            long at = Math.Max(0, content.Length - SSTableFooter.Bytes);
            return Line(text, SSTableSentences.Damaged(file, at, "footer", problem)).ToString();
        }

        Line(text, $"file {file}: {content.Length} bytes");
        Line(text, $"identity: partition {footer.Identity.Partition.Value}, file {footer.Identity.File}");
        Line(text, footer.KeyId == DataKey.NoId
            ? "encryption: none"
            : $"encryption: AES-256-GCM, data key {footer.KeyId}, salt {Convert.ToHexStringLower(footer.Salt)}");
        Line(text, $"data: {footer.Index.Offset} bytes");
        Line(text, $"index: {footer.Index.StoredBytes} bytes at {footer.Index.Offset}");
        Line(text, $"filter: {footer.Filter.StoredBytes} bytes at {footer.Filter.Offset}");
        Line(text, $"properties: {footer.Properties.StoredBytes} bytes at {footer.Properties.Offset}");

        var opening = new SSTableOpening(
            file, content.Length, footer.Identity, new SSTableSettings { MetaBytesMax = int.MaxValue }, keys);
        while (opening.Wanted is DiskOperation wanted)
        {
            opening.Take(Run(content, wanted));
        }

        if (opening.Reader is null)
        {
            return Line(text, opening.Failure!).ToString();
        }

        using (opening.Reader)
        {
            Describe(text, opening.Reader, content, rowsMax);
        }

        return text.ToString();
    }

    private static void Describe(StringBuilder text, SSTableReader reader, ReadOnlyMemory<byte> content, int rowsMax)
    {
        SSTableInfo info = reader.Info;
        string expiry = info.ExpiryMin == 0 ? "never" : info.ExpiryMin.ToString(CultureInfo.InvariantCulture);
        Line(text, $"rows: {info.Rows}, of them tombstones {info.Tombstones}, {info.RowBytes} bytes");
        Line(text, $"versions: {info.VersionMin} to {info.VersionMax}; first expiry: {expiry}");
        Line(text, $"created at index: {info.CreatedAt.Value}");
        Line(text, $"first row key: {Text(info.Smallest.Span)}");
        Line(text, $"last row key: {Text(info.Largest.Span)}");
        var cursor = new BlockCursor();
        for (int i = 0; i < reader.BlockCount; i++)
        {
            Block? block = reader.Decode(i, Run(content, reader.ReadBlock(i)), out string sentence);
            if (block is null)
            {
                Line(text, sentence);
                continue;
            }

            Line(text, $"block {i}: {reader.StoredBytes(i)} bytes at {reader.Index.Offset(i)}, "
                + $"{reader.Index.BodyBytes(i)} decoded, {block.RowCount} rows");
            cursor.Enter(block);
            for (cursor.First(); cursor.IsAtRow && rowsMax > 0; cursor.Next(), rowsMax--)
            {
                Describe(text, cursor);
            }
        }
    }

    private static void Describe(StringBuilder text, BlockCursor cursor)
    {
        Row row = cursor.Row;
        string expires = row.Expiry == 0 ? "" : $", expires {row.Expiry}";
        ReadOnlySpan<byte> shown = row.Value[..Math.Min(row.Value.Length, ValueBytesShown)];
        string more = shown.Length < row.Value.Length ? $"... ({row.Value.Length} bytes)" : "";
        Line(text, $"  {Text(cursor.RowKey)}: {row.Type} {row.Version}{expires} \"{Escape(shown)}\"{more}");
    }

    /// <summary>A row key as slot, key and element; its bytes when it is none.</summary>
    private static string Text(ReadOnlySpan<byte> rowKey)
    {
        int element = RowKey.ElementStart(rowKey);
        if (element < 0)
        {
            return Convert.ToHexStringLower(rowKey);
        }

        string space = RowKey.SpaceOf(rowKey) == RowSpace.User ? "" : $" {RowKey.SpaceOf(rowKey)}";
        string rest = element == rowKey.Length ? "" : $" element \"{Escape(rowKey[element..])}\"";
        return $"slot {RowKey.SlotOf(rowKey)}{space} key \"{Escape(RowKey.KeyOf(rowKey))}\"{rest}";
    }

    private static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (byte value in bytes)
        {
            bool isPlain = value is >= 0x20 and < 0x7F and not (byte)'"' and not (byte)'\\';
            text.Append(isPlain ? ((char)value).ToString() : $"\\x{value:x2}");
        }

        return text.ToString();
    }

    private static StringBuilder Line(StringBuilder text, string line) =>
        text.Append(line).Append('\n');

    private static DiskCompletion Run(ReadOnlyMemory<byte> content, DiskOperation operation)
    {
        int start = (int)Math.Min(operation.Offset, content.Length);
        int length = Math.Min(operation.Length, content.Length - start);
        return new(operation.Ticket, DiskStatus.Done, content.Slice(start, length));
    }
}
