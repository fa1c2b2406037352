using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Quorate's own: writes that depend on a version. The version of a key is that of its last write, as one number; zero
/// is the version of a key that does not exist.
/// </summary>
internal static class VersionCommands
{
    public static readonly CommandSpec[] All =
    [
        new("CAS", 4, CommandKind.Write, KeyWords.One, CompareAndSet),
        new("GETV", 2, CommandKind.Read, KeyWords.One, GetWithVersion),
    ];

    /// <summary>
    /// `CAS key version value`: sets a string and forgets its expiry, if the key's version is this one. The reply is
    /// the new version, or the error `VERSION` with the one that stands.
    /// </summary>
    private static void CompareAndSet(CommandContext context)
    {
        if (!context.TryCount(2, out long expected, Errors.NotInteger))
        {
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value))
        {
            return;
        }

        if (value.Version.Packed != (ulong)expected)
        {
            context.Reply.Error($"VERSION {value.Version.Packed}");
            return;
        }

        RowVersion version = context.NextVersion;
        StringValue.Write(context, rowKey, context.Line[3], expiry: 0);
        context.Reply.Integer((long)version.Packed);
    }

    /// <summary>`GETV key`: an array of value and version; null when there is no such key.</summary>
    private static void GetWithVersion(CommandContext context)
    {
        if (!StringValue.TryRead(context, RowKey.Of(context.Line[1]), out StringValue value))
        {
            return;
        }

        if (!value.Exists)
        {
            context.Reply.Null();
            return;
        }

        context.Reply.Array(2);
        value.ReplyTo(context.Reply);
        context.Reply.Integer((long)value.Version.Packed);
    }
}
