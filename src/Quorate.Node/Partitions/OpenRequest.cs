using Quorate.Core.Model;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Partitions;

/// <summary>A request from its arrival until it is answered, once.</summary>
internal sealed class OpenRequest(PartitionRequest request, ulong order)
{
    private ulong[]? _keys;

    public PartitionRequest Request { get; } = request;

    /// <summary>Rising with each arrival.</summary>
    public ulong Order { get; } = order;

    public bool IsAnswered { get; set; }

    /// <summary>Of its words.</summary>
    public long Bytes { get; } = BytesOf(request.Lines);

    /// <summary>
    /// The rows fetched for it are held under these tags. All of them stay until it is through, since its evaluation
    /// begins anew each time.
    /// </summary>
    public List<ulong>? HeldTags { get; set; }

    /// <summary>The fetch that it waits for; zero when it waits for none.</summary>
    public ulong AwaitedTag { get; set; }

    /// <summary>Reads: under which the replica knows it.</summary>
    public RequestId ReadId { get; set; }

    /// <summary>
    /// Reads: what the wall clock showed when it was first served, in milliseconds since 1970. What falls due after
    /// that need not be gone for it; else rows that expire faster than an entry is applied would hold it up for ever.
    /// </summary>
    public long? FirstClock { get; set; }

    /// <summary>Reads: how far the pieces of a command over all keys have come.</summary>
    public CommandProgress? Progress { get; set; }

    /// <summary>Hashes of the keys that its lines name; empty when it may touch any.</summary>
    public ulong[] Keys => _keys ??= KeysOf(Request.Lines);

    /// <summary>The first key; false when there is none.</summary>
    public bool TryGetFirstKey(out ReadOnlyMemory<byte> key)
    {
        foreach (CommandLine line in Request.Lines)
        {
            if (CommandTable.Check(line, out _) is { } spec
                && CommandTable.KeyWordsOf(spec, line) is { Length: > 0 } words)
            {
                key = line.Word(words[0]);
                return true;
            }
        }

        key = default;
        return false;
    }

    private static long BytesOf(CommandLine[] lines)
    {
        long bytes = 0;
        foreach (CommandLine line in lines)
        {
            for (int word = 0; word < line.Count; word++)
            {
                bytes += line[word].Length;
            }
        }

        return bytes;
    }

    /// <summary>A line without keys (FLUSHALL) makes the request one that may touch any.</summary>
    private static ulong[] KeysOf(CommandLine[] lines)
    {
        var keys = new List<ulong>();
        foreach (CommandLine line in lines)
        {
            if (CommandTable.Check(line, out _) is not { } spec)
            {
                continue;
            }

            int[] words = CommandTable.KeyWordsOf(spec, line);
            if (words.Length == 0)
            {
                return [];
            }

            foreach (int word in words)
            {
                keys.Add(KeyHash.Of(line[word]));
            }
        }

        return [.. keys];
    }
}
