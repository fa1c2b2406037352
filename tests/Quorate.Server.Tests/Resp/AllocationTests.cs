using System.Buffers;
using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>What the handler of a connection costs the collector: nothing for each command.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData("SET")]
    [InlineData("GET")]
    [InlineData("PING")]
    public void A_command_allocates_nothing_between_its_bytes_and_its_reply(string name)
    {
        const int commands = 20_000;
        using var inner = new FakeGateway();
        var connection = new RespConnection(
            new RespShared(new RespSettings(), new ConstantGateway(inner), new RespNode()), new NoDriver(), 1, "test");
        string[] words = name switch
        {
            "SET" => ["SET", "key:123", "value"],
            "GET" => ["GET", "key:123"],
            _ => [name],
        };
        byte[] packet = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(RawClient.Encode(words), 16)));
        var output = new ArrayBufferWriter<byte>(4096);
        Run(commands / 16);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(commands / 16);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(bytes < commands, $"{(double)bytes / commands} bytes a command");

        void Run(int packets)
        {
            int taken = 0;
            for (int i = 0; i < packets; i++)
            {
                output.ResetWrittenCount();
                taken += connection.Consume(packet, output);
            }

            Assert.Equal(packets * packet.Length, taken);
            Assert.True(output.WrittenCount >= 16 * 5, "each command is answered");
        }
    }

    private sealed class NoDriver : IRespDriver
    {
        public void Wake()
        {
        }

        public void Abort()
        {
        }
    }

    /// <summary>Answers at once, always the same.</summary>
    private sealed class ConstantGateway(FakeGateway inner) : INodeGateway
    {
        private static readonly byte[] Ok = [.. "+OK\r\n"u8];

        public Instant Now => inner.Now;

        public ClusterView View => inner.View;

        public void Submit(ReadOnlySpan<ClientCall> calls)
        {
            foreach (ClientCall call in calls)
            {
                call.Complete(new CallResult(Outcome.Done, default, new GroupId(1), default, default, Ok));
            }
        }

        public void Submit(MetadataCall call) => inner.Submit(call);

        public void Post(Action<ClusterNode> action) => inner.Post(action);
    }
}
