using System.Buffers.Binary;
using System.Net.Sockets;

namespace Quorate.Server.Peers;

/// <summary>
/// One question by address and one answer, each a length (4 bytes, little-endian) and its bytes: how nodes talk that
/// may not belong to a cluster yet.
/// </summary>
internal static class PeerQuestion
{
    private const int BytesMax = 1024 * 1024;

    /// <summary>Asks; null when nobody answers in time.</summary>
    public static async Task<byte[]?> Ask(
        string address, ReadOnlyMemory<byte> question, PeerSettings settings, PeerIdentity? self)
    {
        using Socket socket = PeerSockets.Create();
        using var cancel = new CancellationTokenSource(settings.HandshakeTime.AsTimeSpan());
        try
        {
            await PeerSockets.Connect(socket, address, cancel.Token).ConfigureAwait(false);
            socket.NoDelay = true;
            Hello hello = new(
                Handshake.VersionMin, Handshake.Version, PeerLane.Question, self ?? default, default);
            await socket.WriteAll(Handshake.Encode(hello), cancel.Token).ConfigureAwait(false);
            await Write(socket, question, cancel.Token).ConfigureAwait(false);
            Welcome welcome = await Handshake.ReadWelcome(socket, cancel.Token).ConfigureAwait(false);
            return welcome.Refusal == PeerRefusal.None
                ? await Read(socket, cancel.Token).ConfigureAwait(false)
                : null;
        }
        catch (Exception e) when (PeerSockets.IsBroken(e))
        {
            return null;
        }
    }

    /// <summary>Reads the question of a connection that was welcomed, and answers it.</summary>
    public static async Task Answer(Socket socket, PeerNetwork network, CancellationToken cancel)
    {
        byte[] question = await Read(socket, cancel).ConfigureAwait(false);
        if (await network.Answer(question).ConfigureAwait(false) is { } answer)
        {
            await Write(socket, answer, cancel).ConfigureAwait(false);
        }
    }

    private static async Task Write(Socket socket, ReadOnlyMemory<byte> words, CancellationToken cancel)
    {
        byte[] bytes = new byte[sizeof(int) + words.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, words.Length);
        words.CopyTo(bytes.AsMemory(sizeof(int)));
        await socket.WriteAll(bytes, cancel).ConfigureAwait(false);
    }

    private static async Task<byte[]> Read(Socket socket, CancellationToken cancel)
    {
        byte[] head = new byte[sizeof(int)];
        await socket.ReadExactly(head, cancel).ConfigureAwait(false);
        int length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is < 0 or > BytesMax)
        {
            throw new InvalidDataException("A question or answer of impossible length came.");
        }

        byte[] bytes = new byte[length];
        await socket.ReadExactly(bytes, cancel).ConfigureAwait(false);
        return bytes;
    }
}
