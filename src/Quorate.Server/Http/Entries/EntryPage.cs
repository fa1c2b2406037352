using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Rows;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// A page of a scan over all keys of a keyspace, partition by partition, with their values. As with SCAN, what is there
/// from the first page to the last is shown at least once; each entry is shown as it was at one moment, not all at the
/// same one.
/// <para>The cursor names the keyspace, the partition's first slot, and the row at which to go on; so it is good on
/// every node, and after a restart.</para>
/// </summary>
internal sealed class EntryPage
{
    /// <summary>The cursor that SCAN begins with.</summary>
    private const string Start = "0";

    private const int PlaceBytes = sizeof(uint) + sizeof(ushort);

    /// <summary>Partitions without a key that matches that one page passes by.</summary>
    private const int PartitionsAtOnce = 64;

    private readonly EntryPlace _place;
    private readonly byte[]? _match;
    private readonly int _count;
    private readonly bool _withValues;
    private readonly List<(byte[] Key, EntryAnswer? Entry)> _entries = [];
    private int _partition;
    private byte[] _position = "0"u8.ToArray();
    private int _bytes;

    /// <exception cref="ProblemException">The cursor is none of this keyspace.</exception>
    public EntryPage(EntryPlace place, EntryTarget target)
    {
        _place = place;
        _match = target.BytesOf("match");
        _count = target.NumberOf("count", EntryLimits.PageKeysDefault, EntryLimits.PageKeysMax);
        _withValues = target.TextOf("values") switch
        {
            null or "true" => true,
            "false" => false,
            _ => throw new ProblemException(Problem.Invalid("'values' is true or false.")),
        };
        if (target.TextOf("cursor") is { Length: > 0 } cursor and not Start)
        {
            Read(cursor);
        }
    }

    private bool IsOver => _partition >= _place.Keyspace.Partitions.Count;

    /// <summary>Asks until there is something to show, or the end is reached, or enough was looked at.</summary>
    public async Task Fill()
    {
        for (int asked = 0; !IsOver && _entries.Count == 0 && asked < PartitionsAtOnce; asked++)
        {
            PartitionRecord partition = _place.Keyspace.Partitions[_partition];
            CommandLine line = EntryCall.Line("SCAN", Words());
            CallResult result = await _place.Ask(
                new Slot((ushort)partition.FirstSlot), [line], isBatch: false, writes: false).ConfigureAwait(false);
            ReadOnlyMemory<byte> reply = EntryEndpoints.Checked(result.Reply, result, byHeader: false);
            ReadOnlyMemory<byte>[] parts = ReplyParts.ElementsOf(reply);
            byte[][] keys = [.. ReplyParts.ElementsOf(parts[1]).Select(key => EntryAnswer.BytesOf(key).ToArray())];
            _position = EntryAnswer.BytesOf(parts[0]).ToArray();
            if (!_withValues)
            {
                _entries.AddRange(keys.Select(key => (key, (EntryAnswer?)null)));
            }
            else if (await FirstUnread(keys).ConfigureAwait(false) is { } unread)
            {
                _position = RowKey.Of(unread);
            }

            if (_position.AsSpan().SequenceEqual("0"u8))
            {
                _partition++;
            }
        }
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("entries");
        foreach ((byte[] key, EntryAnswer? entry) in _entries)
        {
            writer.WriteStartObject();
            if (entry is null)
            {
                EntryAnswer.WriteKey(writer, key);
            }
            else
            {
                entry.Write(writer, key);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (IsOver)
        {
            writer.WriteNull("cursor");
        }
        else
        {
            writer.WriteString("cursor", Cursor());
        }
    }

    private ReadOnlyMemory<byte>[] Words()
    {
        byte[] count = Encoding.ASCII.GetBytes(_count.ToString(CultureInfo.InvariantCulture));
        return _match is null
            ? [_position, "COUNT"u8.ToArray(), count]
            : [_position, "COUNT"u8.ToArray(), count, "MATCH"u8.ToArray(), _match];
    }

    /// <summary>
    /// Reads the values of keys, some at once, each by itself so that each finds room or not; the first key for which
    /// there was none any more.
    /// </summary>
    private async Task<byte[]?> FirstUnread(byte[][] keys)
    {
        foreach (byte[][] some in keys.Chunk(EntryLimits.PageValuesAtOnce))
        {
            if (_bytes >= EntryLimits.PageBytesMax)
            {
                return some[0];
            }

            CallResult[] results = await Task.WhenAll(some.Select(
                key => _place.Ask(key, EntryCall.Line("ENTRY.GET", key), writes: false))).ConfigureAwait(false);
            for (int i = 0; i < some.Length; i++)
            {
                if (results[i].Reason == DropReason.Overloaded && results[i].Outcome != Outcome.Done
                    && _entries.Count > 0)
                {
                    return some[i];
                }

                ReadOnlyMemory<byte> reply = EntryEndpoints.Checked(results[i].Reply, results[i], byHeader: false);
                _bytes += reply.Length;

                // A key that went since the scan is not shown.
                if (EntryAnswer.Of(reply) is { } entry)
                {
                    _entries.Add((some[i], entry));
                }
            }
        }

        return null;
    }

    private string Cursor()
    {
        byte[] bytes = new byte[PlaceBytes + _position.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, _place.Keyspace.Record.Id);
        BinaryPrimitives.WriteUInt16BigEndian(
            bytes.AsSpan(sizeof(uint)), (ushort)_place.Keyspace.Partitions[_partition].FirstSlot);
        _position.CopyTo(bytes.AsSpan(PlaceBytes));
        return Base64Url.EncodeToString(bytes);
    }

    private void Read(string cursor)
    {
        byte[] bytes = new byte[cursor.Length];

        // Not the one that tries: it throws where characters are none of Base64's.
        OperationStatus status = Base64Url.DecodeFromChars(cursor, bytes, out _, out int length);
        bool isRead = status == OperationStatus.Done && length > PlaceBytes;
        if (!isRead || BinaryPrimitives.ReadUInt32BigEndian(bytes) != _place.Keyspace.Record.Id)
        {
            throw NoCursor();
        }

        ushort slot = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(sizeof(uint)));
        _position = bytes[PlaceBytes..length];
        _partition = -1;
        for (int i = 0; i < _place.Keyspace.Partitions.Count; i++)
        {
            _partition = _place.Keyspace.Partitions[i].FirstSlot == slot ? i : _partition;
        }

        // A place in the rows; what it begins with must be of this partition.
        bool isStart = _position.AsSpan().SequenceEqual("0"u8);
        bool isPlace = _partition >= 0 && (isStart
            || (_position.Length >= RowKey.PrefixBytes
                && RowKey.ElementStart(_position) == _position.Length
                && RowKey.SlotOf(_position).Value >= slot
                && RowKey.SlotOf(_position).Value <= _place.Keyspace.Partitions[_partition].LastSlot));
        if (!isPlace)
        {
            throw NoCursor();
        }
    }

    private static ProblemException NoCursor() => new(Problem.Invalid(
        "This is no cursor that was answered for this keyspace; begin again without one."));
}
