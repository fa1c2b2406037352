using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Server.Resp;

/// <summary>
/// How clients name a request session: its id and, behind a dash, eight hexadecimal digits that only who knows the id
/// and its cluster can make. So an id that a client has made up is told from one that a node has given: two clients
/// that both call themselves 1 would share their replies and lose writes in silence. It keeps mistakes out, not
/// attackers.
/// </summary>
internal static class SessionNames
{
    private const int CheckDigits = 8;

    public static string Of(ulong cluster, ulong session) =>
        string.Create(CultureInfo.InvariantCulture, $"{session}-{CheckOf(cluster, session):x8}");

    /// <summary>The session of this name; false when no node of this cluster has given it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> name, ulong cluster, out ulong session)
    {
        if (!Utf8Parser.TryParse(name, out session, out int length))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = name[length..];
        return !Guards.SessionsAreGiven
            || (rest.Length == CheckDigits + 1
                && rest[0] == (byte)'-'
                && Utf8Parser.TryParse(rest[1..], out uint check, out length, 'x')
                && length == CheckDigits
                && check == CheckOf(cluster, session));
    }

    private static uint CheckOf(ulong cluster, ulong session)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, session);
        return (uint)KeyHash.Of(bytes, cluster);
    }
}
