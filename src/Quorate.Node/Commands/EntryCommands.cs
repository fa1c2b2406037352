using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Quorate's own: whole values of any type with their versions, which is what HTTP gets and puts
/// (<see cref="EntryForm"/>). A put takes the place of whatever stands there in one step.
/// </summary>
internal static class EntryCommands
{
    public static readonly CommandSpec[] All =
    [
        new("ENTRY.GET", 2, CommandKind.Read, KeyWords.One, Get),
        new("ENTRY.PUT", -6, CommandKind.Write, KeyWords.One, Put),
        new("ENTRY.DEL", 3, CommandKind.Write, KeyWords.One, Delete),
        new("ENTRY.REPEAT", 3, CommandKind.Write, KeyWords.One, Repeat),
    ];

    /// <summary>
    /// `ENTRY.GET key`: an array of kind, content, version, milliseconds until it expires (-1 for never) and the hash
    /// over key and value; null when there is no such key.
    /// </summary>
    private static void Get(CommandContext context) => TryShow(context, out _);

    /// <summary>
    /// `ENTRY.PUT key version expiry kind content ...`: puts a whole value in the place of what stands there if the
    /// key's version is this one, `0` for no such key, `+` for any such key, `*` for whatever. The expiry is
    /// milliseconds from now on, `-` for the keyspace's default, `=` for that of what stands there. The reply is an
    /// array of the key's version, whether something was written, the hash over key and value, and milliseconds until
    /// it expires (-1 for never): a put that names an older version, of the very value and expiry that stand there, was
    /// done before and does nothing. Else the error `VERSION` with the version that stands. `0` is no older version:
    /// who takes a lock by it must be told that another holds it.
    /// </summary>
    private static void Put(CommandContext context)
    {
        CommandLine line = context.Line;
        var form = new Reply();
        byte[] key = line[1].ToArray();
        if (EntryForm.ErrorShowing(form, line, 4) is { } error)
        {
            context.Reply.Error(error);
            return;
        }

        if (!TryExpected(context, out Expectation expected)
            || !context.TryGet(RowKey.Of(key), out Row row)
            || !TryExpiry(context, row, out long expiry)
            || !context.TryVersionOf(row.Version, out ValueVersion standing))
        {
            return;
        }

        if (!expected.IsMetBy(standing) && Guards.StaleEntriesAreRefused)
        {
            bool isLock = expected.Version == ValueVersion.None && Guards.LocksAreTakenOnce;
            if (isLock || !IsExpiryOf(context, row, expiry))
            {
                context.Reply.Error($"VERSION {standing}");
                return;
            }

            AnswerStale(context, key, row, form, standing);
            return;
        }

        if (EntryForm.Write(context, key, 4, expiry) is { } written
            && context.TryVersionOf(written, out ValueVersion version))
        {
            Answer(context, key, form, version, isWritten: true, expiry);
        }
    }

    /// <summary>`ENTRY.DEL key version`: deletes a key; answers what ENTRY.GET would have answered before.</summary>
    private static void Delete(CommandContext context)
    {
        if (!TryExpected(context, out Expectation expected)
            || !context.TryGet(RowKey.Of(context.Line[1]), out Row row)
            || !context.TryVersionOf(row.Version, out ValueVersion standing))
        {
            return;
        }

        if (!expected.IsMetBy(standing))
        {
            context.Reply.Error($"VERSION {standing}");
            return;
        }

        if (TryShow(context, out bool exists) && exists)
        {
            context.Delete(RowKey.Of(context.Line[1]));
        }
    }

    /// <summary>
    /// `ENTRY.REPEAT key print`: changes nothing and answers the print. In front of the lines of a numbered request it
    /// leaves in their answer what tells that request from others. Alone, with the number of an earlier request, it is
    /// answered what that one was; and if there was none, that number does nothing else from then on.
    /// </summary>
    private static void Repeat(CommandContext context) => context.Reply.Bulk(context.Line[2]);

    private static bool TryShow(CommandContext context, out bool exists)
    {
        exists = false;
        if (!context.TryGet(RowKey.Of(context.Line[1]), out Row row)
            || !context.TryVersionOf(row.Version, out ValueVersion version))
        {
            return false;
        }

        if (row.IsTombstone)
        {
            context.Reply.Null();
            return true;
        }

        exists = true;
        context.Reply.Array(5);
        int from = context.Reply.Length;
        if (!EntryForm.TryShow(context, context.Reply, context.Line[1], row))
        {
            return false;
        }

        ulong hash = HashOf(context.Line[1], context.Reply.Bytes[from..]);
        context.Reply.Bulk(Encoding.ASCII.GetBytes(version.ToString()));
        context.Reply.Integer(LeftOf(context, row.Expiry));
        ReplyHash(context.Reply, hash);
        return true;
    }

    private static void AnswerStale(
        CommandContext context, ReadOnlySpan<byte> key, in Row row, Reply wanted, in ValueVersion standing)
    {
        if (row.IsTombstone)
        {
            context.Reply.Error($"VERSION {standing}");
            return;
        }

        // What is longer than what was wanted is not the same; there is no need to see all of it.
        var form = new Reply { LengthMax = wanted.Length };
        if (!EntryForm.TryShow(context, form, key, row))
        {
            return;
        }

        if (!form.IsTooLong && form.Bytes.SequenceEqual(wanted.Bytes))
        {
            Answer(context, key, wanted, standing, isWritten: false, row.Expiry);
        }
        else
        {
            context.Reply.Error($"VERSION {standing}");
        }
    }

    private static void Answer(
        CommandContext context, ReadOnlySpan<byte> key, Reply form, in ValueVersion version, bool isWritten,
        long expiry)
    {
        context.Reply.Array(4);
        context.Reply.Bulk(Encoding.ASCII.GetBytes(version.ToString()));
        context.Reply.Integer(isWritten ? 1 : 0);
        ReplyHash(context.Reply, HashOf(key, form.Bytes));
        context.Reply.Integer(LeftOf(context, expiry));
    }

    /// <summary>Milliseconds until a moment; -1 when there is none.</summary>
    private static long LeftOf(CommandContext context, long expiry) =>
        expiry == 0 ? -1 : expiry - context.Time.Milliseconds;

    /// <summary>
    /// Whether what stands may have its expiry by this very line, sent before: it keeps what there is, or neither has
    /// one, or both have the keyspace's. Two that are counted from when they came are never known to be one.
    /// </summary>
    private static bool IsExpiryOf(CommandContext context, in Row row, long expiry)
    {
        ReadOnlySpan<byte> word = context.Line[3];
        return word.SequenceEqual("="u8)
            || (expiry == 0 ? row.Expiry == 0 : word.SequenceEqual("-"u8) && row.Expiry > 0 && row.Expiry <= expiry);
    }

    /// <summary>MurmurHash3 of the value's form, seeded with that of the key.</summary>
    private static ulong HashOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> form) =>
        KeyHash.Of(form, KeyHash.Of(key));

    private static void ReplyHash(Reply reply, ulong hash) =>
        reply.Bulk(Encoding.ASCII.GetBytes(hash.ToString("x16", CultureInfo.InvariantCulture)));

    /// <summary>What the line expects to stand there; what is no expectation has been answered.</summary>
    private static bool TryExpected(CommandContext context, out Expectation expected)
    {
        ReadOnlySpan<byte> word = context.Line[2];
        bool isAny = word.SequenceEqual("*"u8);
        bool isThere = word.SequenceEqual("+"u8);
        ValueVersion version = default;
        bool isVersion = isAny || isThere || ValueVersion.TryParse(word, out version);
        expected = new(isAny, isThere, version);
        if (!isVersion)
        {
            context.Reply.Error("ERR not a version: send what ENTRY.GET or ENTRY.PUT answered, 0 for no such key, + "
                + "for any such key, or * for whatever stands there");
        }

        return isVersion;
    }

    private static bool TryExpiry(CommandContext context, in Row row, out long expiry)
    {
        expiry = context.DefaultExpiry;
        ReadOnlySpan<byte> word = context.Line[3];
        if (word.SequenceEqual("-"u8))
        {
            return true;
        }

        if (word.SequenceEqual("="u8))
        {
            expiry = row.IsTombstone ? expiry : row.Expiry;
            return true;
        }

        return Expiries.TryPositive(context, 3, inSeconds: false, fromNow: true, "entry.put", out expiry);
    }

    /// <summary>What must stand under a key: whatever, anything at all, or what has this version.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Expectation(bool IsAny, bool IsThere, ValueVersion Version)
    {
        public bool IsMetBy(in ValueVersion standing) =>
            IsAny || (IsThere ? standing != ValueVersion.None : standing.IsNamedBy(Version));
    }
}
