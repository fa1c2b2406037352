using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// A request with an Idempotency-Key as a numbered request of a session, so that whatever node it is sent to again
/// finds it. Time falls into windows, and in each a key names a session and a number. A request is numbered in the
/// window of its coming, after it was looked for in the window before, and near a border, where clocks may differ, in
/// the one after: so it is known for one window at least and two at most. With its answer a hash of it is remembered,
/// so that another request under the same key is refused, as draft-ietf-httpapi-idempotency-key-header has it.
/// <para>Sessions are bounded (<see cref="PartitionSettings.SessionsMax"/>): where more keys come in a window than
/// partitions remember, those whose session may have been forgotten are refused, never executed twice.</para>
/// </summary>
internal sealed record EntryRepeat(SessionRequest Request)
{
    /// <summary>How long a key is remembered at least, in milliseconds.</summary>
    public const long WindowMilliseconds = 5 * 60 * 1000;

    /// <summary>Nodes' clocks differ by less, in milliseconds; they are checked against each other.</summary>
    private const long ClockDifferenceMilliseconds = 10_000;

    /// <summary>So much of a request's hash is remembered, in bytes.</summary>
    private const int PrintBytes = 16;

    /// <summary>The bits of a session's id below its time.</summary>
    private const int HashBits = 29;

    /// <summary>
    /// The windows in which a request that comes now may be known already, and the one to number it in.
    /// </summary>
    public static (long[] Before, long Now) Windows(long wallClockMilliseconds)
    {
        long now = wallClockMilliseconds / WindowMilliseconds;
        bool isNearEnd = (wallClockMilliseconds + ClockDifferenceMilliseconds) / WindowMilliseconds > now;
        long[] before = isNearEnd ? [now - 1, now + 1] : [now - 1];
        return (Guards.RepeatsAreLookedForBeside ? before : [], now);
    }

    /// <param name="of">The key of the entry, of a batch that of the first one: with another it is another request.
    /// </param>
    public static EntryRepeat In(long window, string idempotencyKey, ReadOnlySpan<byte> of)
    {
        byte[] key = Encoding.UTF8.GetBytes(idempotencyKey);
        ulong low = KeyHash.Of(key, KeyHash.Of(of, seed: 1)) & ((1UL << HashBits) - 1);
        ulong number = KeyHash.Of(key, KeyHash.Of(of, seed: 2)) | 1;
        ulong newest = SessionIds.Newest(window * WindowMilliseconds);
        return new(new SessionRequest((newest & ~((1UL << HashBits) - 1)) | low, number, Acknowledged: 0));
    }

    /// <summary>Asks, once for all requests with this key.</summary>
    /// <param name="key">In whose slot it is remembered.</param>
    /// <exception cref="ProblemException">The Idempotency-Key came with another request for that key.</exception>
    public static async Task<CallResult> Ask(
        EntryPlace place, string idempotencyKey, long wallClockMilliseconds, byte[] key, CommandLine[] lines,
        bool isBatch)
    {
        CommandLine print = EntryCall.Line("ENTRY.REPEAT", key, PrintOf(lines));
        Slot slot = KeyHash.SlotOf(key);
        (long[] before, long now) = Windows(wallClockMilliseconds);
        foreach (long window in before)
        {
            CallResult known = await place.Ask(
                slot, [print], isBatch: false, writes: true, In(window, idempotencyKey, key)).ConfigureAwait(false);
            if (!IsNone(known))
            {
                return Opened(known, print[2], isBatch);
            }
        }

        CallResult result = await place.Ask(
            slot, [print, .. lines], isBatch: true, writes: true, In(now, idempotencyKey, key)).ConfigureAwait(false);

        // Another node looked for it here, when its clock was in the next window already, and has used the number up.
        return IsNone(result)
            ? result with { Outcome = Outcome.Refused, Reason = DropReason.RequestForgotten, Reply = default }
            : Opened(result, print[2], isBatch);
    }

    /// <summary>Of a number that only a look has used: a print by itself.</summary>
    private static bool IsNone(in CallResult result) =>
        result.Outcome == Outcome.Done && result.Reply.Span[0] == (byte)'$';

    /// <summary>The reply to the lines, behind the print, which has to be the one of the same request.</summary>
    private static CallResult Opened(in CallResult result, ReadOnlySpan<byte> print, bool isBatch)
    {
        if (result.Outcome != Outcome.Done || result.Reply.Span[0] != (byte)'*')
        {
            return result;
        }

        ReadOnlyMemory<byte>[] parts = ReplyParts.ElementsOf(result.Reply);
        var own = new Reply();
        own.Bulk(print);
        if (!parts[0].Span.SequenceEqual(own.Bytes) && Guards.RepeatsAreOfOneBody)
        {
            throw new ProblemException(Problem.Reused);
        }

        if (!isBatch)
        {
            return result with { Reply = parts[1] };
        }

        var rest = new Reply();
        rest.Array(parts.Length - 1);
        foreach (ReadOnlyMemory<byte> part in parts.AsSpan(1))
        {
            rest.Raw(part.Span);
        }

        return result with { Reply = rest.ToArray() };
    }

    /// <summary>What tells these lines from all others: a hash of them and of where each word ends.</summary>
    private static byte[] PrintOf(CommandLine[] lines)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (CommandLine line in lines)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, line.Count);
            hash.AppendData(length);
            for (int word = 0; word < line.Count; word++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(length, line[word].Length);
                hash.AppendData(length);
                hash.AppendData(line[word]);
            }
        }

        return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, PrintBytes)));
    }
}
