using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Opens a sorted file, as a small machine that its owner drives: it submits what <see cref="Wanted"/> says and hands
/// the end to <see cref="Take"/>, until nothing is wanted; then there is a <see cref="Reader"/>, or a
/// <see cref="Failure"/>. Footer, index, filter and properties are read and verified; data blocks are not.
/// <para>Invariant: it is given the length and the identity that the owner's own record says, so a file that was cut,
/// or put in the place of another one, is refused.</para>
/// </summary>
public sealed class SSTableOpening
{
    private readonly string _file;
    private readonly long _fileBytes;
    private readonly SSTableIdentity _identity;
    private readonly SSTableSettings _settings;
    private readonly KeyRing? _keys;

    private SSTableFooter? _footer;

    /// <summary>Index, filter and properties as stored.</summary>
    private byte[] _meta = [];
    private int _metaLength;

    public SSTableOpening(
        string file, long fileBytes, SSTableIdentity identity, SSTableSettings settings, KeyRing? keys = null)
    {
        _file = file;
        _fileBytes = fileBytes;
        _identity = identity;
        _settings = settings;
        _keys = keys;
        Wanted = new(0, DiskOperationKind.Read, file, Math.Max(0, fileBytes - SSTableFooter.Bytes),
            Length: SSTableFooter.Bytes);
    }

    /// <summary>The operation to submit; null when the opening has ended.</summary>
    public DiskOperation? Wanted { get; private set; }

    public SSTableReader? Reader { get; private set; }

    /// <summary>One sentence, when the file can not be opened.</summary>
    public string? Failure { get; private set; }

    /// <summary>Takes the end of the operation that was wanted.</summary>
    public void Take(in DiskCompletion completion)
    {
        Invariant.Check(Wanted is not null, "an opening takes what it wanted");
        DiskOperation asked = Wanted.Value;
        Wanted = null;
        if (completion.Status != DiskStatus.Done)
        {
            Failure = SSTableSentences.Unreadable(_file, completion.Status);
        }
        else if (completion.Data.Length != asked.Length)
        {
            Failure = SSTableSentences.Cut(_file, asked.Offset + asked.Length, _fileBytes);
        }
        else if (_footer is null)
        {
            TakeFooter(completion.Data.Span);
        }
        else
        {
            completion.Data.Span.CopyTo(_meta.AsSpan(_metaLength));
            _metaLength += completion.Data.Length;
            GoOn();
        }
    }

    private void TakeFooter(ReadOnlySpan<byte> bytes)
    {
        _footer = SSTableFooter.TryDecode(bytes, _fileBytes, out string problem);
        if (_footer is null)
        {
            Failure = SSTableSentences.Damaged(_file, _fileBytes - SSTableFooter.Bytes, "footer", problem);
            return;
        }

        if (Guards.BlocksNameTheirPlace && _footer.Identity != _identity)
        {
            Failure = SSTableSentences.Unlike(_file, Name(_footer.Identity), Name(_identity));
            return;
        }

        long metaBytes = _footer.Properties.End - _footer.Index.Offset;
        if (metaBytes > _settings.MetaBytesMax)
        {
            Failure = SSTableSentences.Damaged(
                _file, _footer.Index.Offset, "index", $"with the filter it would take {metaBytes} bytes, "
                + $"and the limit is {_settings.MetaBytesMax}");
            return;
        }

        _meta = new byte[metaBytes];
        GoOn();
    }

    private void GoOn()
    {
        if (_metaLength < _meta.Length)
        {
            int length = Math.Min(_settings.ReadPieceBytes, _meta.Length - _metaLength);
            Wanted = new(0, DiskOperationKind.Read, _file, _footer!.Index.Offset + _metaLength, Length: length);
            return;
        }

        BlockCipher? cipher = null;
        if (_footer!.KeyId != DataKey.NoId)
        {
            cipher = _keys?.TryCipher(_footer.KeyId, _footer.Salt);
            if (cipher is null)
            {
                Failure = SSTableSentences.NoKey(_file, _footer.KeyId);
                return;
            }
        }

        Reader = TryMake(_footer, cipher);
        _meta = [];
        if (Reader is null)
        {
            cipher?.Dispose();
        }
    }

    private SSTableReader? TryMake(SSTableFooter footer, BlockCipher? cipher)
    {
        var codec = new BlockCodec(footer.Identity, cipher);
        string problem = "";
        byte[]? indexBody = TryOpen(codec, footer.Index, SSTableBlocks.Index, "index");
        SSTableIndex? index = indexBody is null ? null : SSTableIndex.TryDecode(indexBody, out problem);
        if (indexBody is not null && (index is null || index.End != footer.Index.Offset))
        {
            Fail(footer.Index, "index", problem.Length > 0 ? problem : "it does not name all blocks");
            return null;
        }

        byte[]? filterBody = index is null ? null : TryOpen(codec, footer.Filter, SSTableBlocks.Filter, "filter");
        BloomFilter? filter = filterBody is null ? null : BloomFilter.TryMake(filterBody);
        if (filterBody is not null && filter is null)
        {
            Fail(footer.Filter, "filter", "its length can not be right");
            return null;
        }

        byte[]? properties = filter is null
            ? null
            : TryOpen(codec, footer.Properties, SSTableBlocks.Properties, "properties");
        SSTableInfo? info = properties is null ? null : SSTableProperties.TryDecode(properties, footer);
        if (properties is not null && (info is null || !Agree(info, index!)))
        {
            Fail(footer.Properties, "properties", "they do not agree with the index");
            return null;
        }

        return info is null ? null : new(_file, info, index!, filter!, cipher);
    }

    private static bool Agree(SSTableInfo info, SSTableIndex index) =>
        info.BlockCount == index.Count
        && info.Smallest.Span.SequenceEqual(index.Key(0))
        && info.Largest.Span.SequenceCompareTo(index.Key(index.Count - 1)) >= 0
        && info.Rows >= info.BlockCount
        && info.Tombstones >= 0
        && info.Tombstones <= info.Rows
        && info.VersionMin <= info.VersionMax;

    private static string Name(SSTableIdentity identity) =>
        $"file {identity.File} of partition {identity.Partition.Value}";

    private byte[]? TryOpen(BlockCodec codec, MetaBlock at, ulong number, string part)
    {
        ReadOnlySpan<byte> stored = _meta.AsSpan((int)(at.Offset - _footer!.Index.Offset), at.StoredBytes);
        byte[]? body = codec.TryOpen(stored, number, at.BodyBytes, out string problem);
        if (body is null)
        {
            Fail(at, part, problem);
        }

        return body;
    }

    private void Fail(MetaBlock at, string part, string problem) =>
        Failure = SSTableSentences.Damaged(_file, at.Offset, part, problem);
}
