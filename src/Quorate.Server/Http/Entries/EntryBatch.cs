using System.Globalization;
using System.Text;
using System.Text.Json;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// Several entries in one request, each put or deleted by itself: those of one partition in one proposal, those of
/// different ones side by side. Each has an outcome of its own.
/// </summary>
internal sealed class EntryBatch
{
    private readonly List<Item> _items = [];

    /// <exception cref="ProblemException">One of them is no entry: nothing was done.</exception>
    /// <param name="ttl">What the address says of all; null where each has its own.</param>
    public static EntryBatch Of(JsonElement body, string? ttl)
    {
        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("entries", out JsonElement entries))
        {
            body = entries;
        }

        if (body.ValueKind != JsonValueKind.Array)
        {
            throw new ProblemException(Problem.Invalid("A batch is an array of entries, or {\"entries\": [...]}."));
        }

        if (body.GetArrayLength() > EntryLimits.BatchEntriesMax)
        {
            throw new ProblemException(Problem.TooLarge(
                $"A batch has {EntryLimits.BatchEntriesMax} entries at most, nothing was done."));
        }

        var batch = new EntryBatch();
        foreach (JsonElement each in body.EnumerateArray())
        {
            try
            {
                batch._items.Add(Item.Of(each, ttl));
            }
            catch (ProblemException e)
            {
                throw new ProblemException(e.Problem with
                {
                    Detail = string.Create(
                        CultureInfo.InvariantCulture, $"entries[{batch._items.Count}]: {e.Problem.Detail}"),
                });
            }
        }

        return batch;
    }

    public async Task Ask(EntryPlace place, string? repeat, long wallClockMilliseconds)
    {
        IEnumerable<Item[]> groups = _items
            .GroupBy(item => place.Keyspace.PartitionOf(KeyHash.SlotOf(item.Key)).Group)
            .Select(group => group.ToArray());
        await Task.WhenAll(groups.Select(async items =>
        {
            CommandLine[] lines = [.. items.Select(item => item.Line)];
            try
            {
                CallResult result = repeat is null
                    ? await place.Ask(KeyHash.SlotOf(items[0].Key), lines, isBatch: true, writes: true)
                        .ConfigureAwait(false)
                    : await EntryRepeat.Ask(place, repeat, wallClockMilliseconds, items[0].Key, lines, isBatch: true)
                        .ConfigureAwait(false);
                Tell(items, result);
            }
            catch (ProblemException e)
            {
                // Of these alone: those of other partitions may be done.
                Array.ForEach(items, item => item.Tell(e.Problem, default));
            }
        })).ConfigureAwait(false);
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("entries");
        foreach (Item item in _items)
        {
            item.Write(writer);
        }

        writer.WriteEndArray();
    }

    private static void Tell(Item[] items, in CallResult result)
    {
        Problem? problem = result.Outcome != Outcome.Done ? Problem.Of(result)
            : EntryAnswer.ErrorOf(result.Reply) is { } error ? Problem.OfError(error, byHeader: false)
            : null;
        ReadOnlyMemory<byte>[] replies = problem is null ? ReplyParts.ElementsOf(result.Reply) : [];
        for (int i = 0; i < items.Length; i++)
        {
            items[i].Tell(problem, problem is null ? replies[i] : default);
        }
    }

    private sealed class Item(byte[] key, CommandLine line, bool isDelete)
    {
        private Problem? _problem;
        private ReadOnlyMemory<byte> _reply;

        public byte[] Key => key;

        public CommandLine Line => line;

        public static Item Of(JsonElement body, string? ttl)
        {
            bool isDelete = body.ValueKind == JsonValueKind.Object
                && body.TryGetProperty("delete", out JsonElement delete) && delete.ValueKind switch
                {
                    JsonValueKind.True => true,
                    JsonValueKind.False => false,
                    _ => throw new ProblemException(Problem.Invalid("'delete' is true or false.")),
                };
            if (!isDelete)
            {
                var entry = EntryBody.Of(body, isOfBatch: true);
                return new(entry.Key, EntryEndpoints.PutLine(entry, entry.Version ?? "*", ttl), isDelete: false);
            }

            EntryBody.RefuseOthers(body, "A deletion", "key", "keyBase64", "delete", "metadata");
            byte[] key = EntryBody.KeyOf(body);
            (string? asked, string? living) = EntryBody.AskedOf(body);
            string version = living is null ? asked ?? "*"
                : throw new ProblemException(Problem.Invalid("A deletion has no ttl."));
            return new(key, EntryCall.Line("ENTRY.DEL", key, Encoding.ASCII.GetBytes(version)), isDelete: true);
        }

        public void Tell(Problem? problem, ReadOnlyMemory<byte> reply)
        {
            _reply = reply;
            _problem = problem
                ?? (EntryAnswer.ErrorOf(reply) is { } error ? Problem.OfError(error, byHeader: false) : null)
                ?? (isDelete && EntryAnswer.Of(reply) is null
                    ? Problem.NotFound("There is no such key.") with { ValueVersion = "0" }
                    : null);
        }

        public void Write(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            if (_problem is not null)
            {
                EntryAnswer.WriteKey(writer, key);
                writer.WriteNumber("status", _problem.Status);
                writer.WriteStartObject("problem");
                _problem.Write(writer);
                writer.WriteEndObject();
            }
            else if (isDelete)
            {
                EntryAnswer.Of(_reply)!.Write(writer, key);
                writer.WriteNumber("status", 200);
            }
            else
            {
                ReadOnlyMemory<byte>[] answer = ReplyParts.ElementsOf(_reply);
                EntryAnswer.WriteKey(writer, key);
                writer.WriteNumber("status", 200);
                EntryAnswer.WriteMetadata(
                    writer, EntryAnswer.TextOf(answer[0]), EntryAnswer.TextOf(answer[2]), EntryAnswer.LeftOf(answer));
            }

            writer.WriteEndObject();
        }
    }
}
