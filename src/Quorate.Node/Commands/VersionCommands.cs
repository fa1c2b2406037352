using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Quorate's own: writes that depend on a version (<see cref="ValueVersion"/>). The version of a key is that of its
/// last write; `0` is the version of a key that does not exist.
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
        if (!ValueVersion.TryParse(context.Line[2], out ValueVersion expected))
        {
            context.Reply.Error("ERR not a version: send what GETV or CAS answered, or 0 for no such key");
            return;
        }

        byte[] rowKey = RowKey.Of(context.Line[1]);
        if (!StringValue.TryRead(context, rowKey, out StringValue value)
            || !context.TryVersionOf(value.Version, out ValueVersion standing)
            || !context.TryVersionOf(context.NextVersion, out ValueVersion next))
        {
            return;
        }

        if (!standing.IsNamedBy(expected))
        {
            context.Reply.Error($"VERSION {standing}");
            return;
        }

        StringValue.Write(context, rowKey, context.Line[3], context.DefaultExpiry);
        Write(context.Reply, next);
    }

    /// <summary>`GETV key`: an array of value and version; null when there is no such key.</summary>
    private static void GetWithVersion(CommandContext context)
    {
        if (!StringValue.TryRead(context, context.RowKeyOf(1), out StringValue value)
            || !context.TryVersionOf(value.Version, out ValueVersion version))
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
        Write(context.Reply, version);
    }

    private static void Write(Reply reply, in ValueVersion version) =>
        reply.Bulk(Encoding.ASCII.GetBytes(version.ToString()));
}
