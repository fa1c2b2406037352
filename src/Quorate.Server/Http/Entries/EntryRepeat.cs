using System.Buffers;
using System.Buffers.Binary;
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
/// the one after: so it is known for one window at least and two at most.
/// <para>Sessions are bounded (<see cref="PartitionSettings.SessionsMax"/>): where more keys come in a window than
/// partitions remember, those whose session may have been forgotten are refused, never executed twice.</para>
/// </summary>
internal sealed record EntryRepeat(SessionRequest Request)
{
    /// <summary>How long a key is remembered at least, in milliseconds.</summary>
    public const long WindowMilliseconds = 5 * 60 * 1000;

    /// <summary>Nodes' clocks differ by less, in milliseconds; they are checked against each other.</summary>
    private const long ClockDifferenceMilliseconds = 10_000;

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

    /// <param name="of">What else names the request: a key that comes with something else is another one.</param>
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
    public static async Task<CallResult> Ask(
        EntryPlace place, string idempotencyKey, long wallClockMilliseconds, byte[] key, CommandLine[] lines,
        bool isBatch)
    {
        byte[] of = NameOf(lines);
        Slot slot = KeyHash.SlotOf(key);
        (long[] before, long now) = Windows(wallClockMilliseconds);
        foreach (long window in before)
        {
            CallResult known = await place.Ask(
                slot, [EntryCall.Line("ENTRY.REPEAT", key)], isBatch: false, writes: true,
                In(window, idempotencyKey, of)).ConfigureAwait(false);
            bool isNew = known.Outcome == Outcome.Done && known.Reply.Span.SequenceEqual("+NEW\r\n"u8);
            if (!isNew)
            {
                return known;
            }
        }

        return await place.Ask(slot, lines, isBatch, writes: true, In(now, idempotencyKey, of)).ConfigureAwait(false);
    }

    /// <summary>What is done to which keys.</summary>
    private static byte[] NameOf(CommandLine[] lines)
    {
        var name = new ArrayBufferWriter<byte>();
        foreach (CommandLine line in lines)
        {
            name.Write(line[0]);
            BinaryPrimitives.WriteInt32LittleEndian(name.GetSpan(sizeof(int)), line[1].Length);
            name.Advance(sizeof(int));
            name.Write(line[1]);
        }

        return name.WrittenSpan.ToArray();
    }
}
