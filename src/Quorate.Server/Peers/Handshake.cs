using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Server.Peers;

/// <summary>Who a node is towards its peers.</summary>
/// <param name="Incarnation">Of its data folder.</param>
/// <param name="Boot">Drawn at each start of its process.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct PeerIdentity(Guid Cluster, NodeId Node, uint Incarnation, ulong Boot);

/// <summary>Why a node does not talk to another.</summary>
public enum PeerRefusal : byte
{
    /// <summary>It does.</summary>
    None = 0,

    /// <summary>The one who asks belongs to another cluster.</summary>
    AnotherCluster = 1,

    /// <summary>The one who asks speaks no version of the protocol that is new enough.</summary>
    VersionTooOld = 2,

    /// <summary>The one who asks speaks no version of the protocol that is old enough.</summary>
    VersionTooNew = 3,

    /// <summary>The one who answers is not the node that was meant: an address has another owner now.</summary>
    AnotherNode = 4,

    /// <summary>The one who answers belongs to no cluster yet.</summary>
    NotFormed = 5,

    /// <summary>Too many connections.</summary>
    TooMany = 6,

    /// <summary>The one who asks says it is the very node that answers.</summary>
    SameNode = 7,

    /// <summary>A lane that is not known.</summary>
    UnknownLane = 8,
}

/// <summary>What the one who connects says first.</summary>
/// <param name="Meant">Which node it wants to talk to.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Hello(
    ushort VersionMin, ushort VersionMax, PeerLane Lane, PeerIdentity From, NodeId Meant);

/// <summary>What the one who was connected to answers.</summary>
/// <param name="Version">The version that both speak from now on.</param>
/// <param name="WindowBytes">How much may be sent before the first credit; zero for a lane without a window.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Welcome(PeerRefusal Refusal, ushort Version, PeerIdentity From, uint WindowBytes);

/// <summary>
/// The first words of a connection between nodes: a magic word, a length, and fields of fixed places to which later
/// versions add at the end. Little-endian.
/// </summary>
internal static class Handshake
{
    /// <summary>The version of the protocol between nodes that this build speaks, and the oldest.</summary>
    public const ushort Version = 1;

    public const ushort VersionMin = 1;

    private const int HeadBytes = 10;
    private const int BodyBytesMax = 1024;
    private const int HelloBytes = 41;
    private const int WelcomeBytes = 39;

    private static readonly byte[] Magic = Encoding.ASCII.GetBytes("QUORATE1");

    public static byte[] Encode(in Hello hello)
    {
        byte[] bytes = Head(HelloBytes, out Span<byte> body);
        BinaryPrimitives.WriteUInt16LittleEndian(body, hello.VersionMin);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], hello.VersionMax);
        body[4] = (byte)hello.Lane;
        Write(body[5..], hello.From);
        BinaryPrimitives.WriteUInt32LittleEndian(body[37..], hello.Meant.Value);
        return bytes;
    }

    public static byte[] Encode(in Welcome welcome)
    {
        byte[] bytes = Head(WelcomeBytes, out Span<byte> body);
        body[0] = (byte)welcome.Refusal;
        BinaryPrimitives.WriteUInt16LittleEndian(body[1..], welcome.Version);
        Write(body[3..], welcome.From);
        BinaryPrimitives.WriteUInt32LittleEndian(body[35..], welcome.WindowBytes);
        return bytes;
    }

    /// <exception cref="InvalidDataException">Somebody else speaks there.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static async Task<Hello> ReadHello(Socket socket, CancellationToken cancel)
    {
        byte[] body = await ReadBody(socket, HelloBytes, cancel).ConfigureAwait(false);
        return new(
            BinaryPrimitives.ReadUInt16LittleEndian(body),
            BinaryPrimitives.ReadUInt16LittleEndian(body.AsSpan(2)),
            (PeerLane)body[4],
            ReadIdentity(body.AsSpan(5)),
            new(BinaryPrimitives.ReadUInt32LittleEndian(body.AsSpan(37))));
    }

    /// <inheritdoc cref="ReadHello"/>
    public static async Task<Welcome> ReadWelcome(Socket socket, CancellationToken cancel)
    {
        byte[] body = await ReadBody(socket, WelcomeBytes, cancel).ConfigureAwait(false);
        return new(
            (PeerRefusal)body[0],
            BinaryPrimitives.ReadUInt16LittleEndian(body.AsSpan(1)),
            ReadIdentity(body.AsSpan(3)),
            BinaryPrimitives.ReadUInt32LittleEndian(body.AsSpan(35)));
    }

    /// <summary>What a node answers to a hello.</summary>
    /// <param name="self">Null while it belongs to no cluster.</param>
    public static PeerRefusal Judge(in Hello hello, PeerIdentity? self)
    {
        if (hello.VersionMax < VersionMin)
        {
            return PeerRefusal.VersionTooOld;
        }

        if (hello.VersionMin > Version)
        {
            return PeerRefusal.VersionTooNew;
        }

        if (hello.Lane == PeerLane.Question)
        {
            return PeerRefusal.None;
        }

        if (hello.Lane is not (PeerLane.Control or PeerLane.Requests or PeerLane.Bulk))
        {
            return PeerRefusal.UnknownLane;
        }

        return self switch
        {
            null => PeerRefusal.NotFormed,
            { } it when it.Cluster != hello.From.Cluster && Guards.OtherClustersAreRefused =>
                PeerRefusal.AnotherCluster,
            { } it when it.Node == hello.From.Node => PeerRefusal.SameNode,
            { } it when it.Node != hello.Meant => PeerRefusal.AnotherNode,
            _ => PeerRefusal.None,
        };
    }

    /// <summary>A refusal in words for whoever was refused.</summary>
    public static string Sentence(PeerRefusal refusal, string address, NodeId meant) => refusal switch
    {
        PeerRefusal.AnotherCluster =>
            $"The node at {address} belongs to another cluster: look at the addresses of this one's nodes.",
        PeerRefusal.VersionTooOld =>
            $"The node at {address} speaks a newer protocol than this one: start a newer version here.",
        PeerRefusal.VersionTooNew =>
            $"The node at {address} speaks an older protocol than this one: start a newer version there.",
        PeerRefusal.AnotherNode =>
            $"At {address} there is another node than {meant}: look at --advertise-peer of both.",
        PeerRefusal.NotFormed => $"The node at {address} belongs to no cluster yet.",
        PeerRefusal.TooMany => $"The node at {address} has too many connections.",
        PeerRefusal.SameNode =>
            $"The node at {address} has this node's own id: one of the two runs on a copy of the other's folder.",
        _ => $"The node at {address} refuses to talk to this one ({refusal}).",
    };

    /// <summary>
    /// The same for whoever refused; null where the one who asked has done nothing that anybody must look at.
    /// </summary>
    public static string? SentenceHere(PeerRefusal refusal, string address, in Hello hello) => refusal switch
    {
        PeerRefusal.AnotherCluster =>
            $"A node of another cluster ({hello.From.Node} of {hello.From.Cluster:N}) at {address} takes this one for "
                + "its own, and was refused: look at the addresses of both clusters' nodes.",
        PeerRefusal.AnotherNode =>
            $"{hello.From.Node} at {address} takes this node for {hello.Meant}, and was refused: look at "
                + "--advertise-peer of both.",
        PeerRefusal.SameNode =>
            $"A process at {address} says that it is this very node, and was refused: one of the two runs on a copy of "
                + "the other's folder.",
        PeerRefusal.VersionTooOld or PeerRefusal.VersionTooNew =>
            $"A node at {address} speaks another version of the protocol, and was refused: start the same version on "
                + "both.",
        PeerRefusal.TooMany => $"A node at {address} was refused: this one has too many connections of others.",
        _ => null,
    };

    private static byte[] Head(int bodyBytes, out Span<byte> body)
    {
        byte[] bytes = new byte[HeadBytes + bodyBytes];
        Magic.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(Magic.Length), (ushort)bodyBytes);
        body = bytes.AsSpan(HeadBytes);
        return bytes;
    }

    private static void Write(Span<byte> bytes, in PeerIdentity identity)
    {
        identity.Cluster.TryWriteBytes(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], identity.Node.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], identity.Incarnation);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], identity.Boot);
    }

    private static PeerIdentity ReadIdentity(ReadOnlySpan<byte> bytes) => new(
        new Guid(bytes[..16]),
        new(BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..])),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));

    private static async Task<byte[]> ReadBody(Socket socket, int bytesMin, CancellationToken cancel)
    {
        byte[] head = new byte[HeadBytes];
        await socket.ReadExactly(head, cancel).ConfigureAwait(false);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(Magic.Length));
        if (!head.AsSpan(0, Magic.Length).SequenceEqual(Magic) || length < bytesMin || length > BodyBytesMax)
        {
            throw new InvalidDataException("Somebody speaks there who is no Quorate node.");
        }

        byte[] body = new byte[length];
        await socket.ReadExactly(body, cancel).ConfigureAwait(false);
        return body;
    }
}
