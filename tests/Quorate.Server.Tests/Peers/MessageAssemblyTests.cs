using Quorate.Server.Peers;

namespace Quorate.Server.Tests.Peers;

/// <summary>Frames become messages, and what cannot be costs nothing.</summary>
public sealed class MessageAssemblyTests
{
    private const int MessageBytesMax = 80 * 1024 * 1024;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_frame_that_says_more_than_it_can_be_takes_no_memory(bool saysMore)
    {
        var memory = new PartialMemory(MessageBytesMax);
        var assembly = new MessageAssembly(memory, MessageBytesMax);
        byte[] payload = new byte[10];

        // One that is its message's first and last but short of it, or one that has more than its message.
        Frame frame = saysMore
            ? new(payload.Length, default, IsFirst: true, IsLast: true, MessageBytesMax)
            : new(payload.Length, default, IsFirst: true, IsLast: false, 5);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(assembly.TryAdd(frame, payload, out byte[]? message));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        Assert.Null(message);
        Assert.Equal(0, memory.Bytes);
    }

    [Fact]
    public void Frames_in_order_are_put_together()
    {
        var memory = new PartialMemory(100);
        var assembly = new MessageAssembly(memory, MessageBytesMax);
        Assert.True(assembly.TryAdd(new(2, default, true, false, 5), [1, 2], out byte[]? message));
        Assert.Null(message);
        Assert.Equal(5, memory.Bytes);
        Assert.True(assembly.TryAdd(new(3, default, false, true, 0), [3, 4, 5], out message));
        Assert.Equal([1, 2, 3, 4, 5], message!);
        Assert.Equal(0, memory.Bytes);
        Assert.True(assembly.TryAdd(new(1, default, true, true, 1), [6], out message));
        Assert.Equal([6], message!);
    }
}
