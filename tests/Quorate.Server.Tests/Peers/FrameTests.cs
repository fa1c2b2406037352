using System.Buffers.Binary;
using Quorate.Server.Peers;

namespace Quorate.Server.Tests.Peers;

/// <summary>What other nodes, or whoever speaks on their port, may claim of a frame (pitfall S6).</summary>
public sealed class FrameTests
{
    [Theory]
    [InlineData(Frame.PayloadBytesMax + 1)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void A_length_that_no_frame_has_ends_the_connection_before_anything_is_waited_for(int length)
    {
        byte[] bytes = Sealed(10);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        Assert.False(Frame.TryRead(bytes, out _, out string? problem));
        Assert.Equal("a frame of impossible length came", problem);
    }

    [Fact]
    public void The_longest_frame_is_read_and_half_a_frame_is_waited_for()
    {
        byte[] bytes = Sealed(Frame.PayloadBytesMax);
        Assert.True(Frame.TryRead(bytes, out Frame frame, out string? problem), problem);
        Assert.Equal(Frame.PayloadBytesMax, frame.PayloadBytes);
        Assert.False(Frame.TryRead(bytes.AsSpan(0, bytes.Length - 1), out _, out problem));
        Assert.Null(problem);
    }

    private static byte[] Sealed(int payload)
    {
        byte[] bytes = new byte[Frame.HeadBytes + payload];
        new Frame(payload, FrameKind.Log, IsFirst: true, IsLast: true, (uint)payload).Seal(bytes);
        return bytes;
    }
}
