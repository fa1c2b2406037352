using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;

namespace Quorate.Node.Tests.Replicas;

/// <summary>A host that keeps the indexes of the messages it is given, and expects nothing else.</summary>
internal sealed class RecordingHost : IReplicaHost
{
    public List<ulong> Sent { get; } = [];

    public Instant Now => Instant.Zero;

    public void Send(in RaftMessage message) => Sent.Add(message.Index.Value);

    public void Reply(in ReplicaReply reply) => Assert.Fail($"{reply} is sent");

    public void SetDeadline(Instant deadline) => Assert.Fail($"the deadline {deadline} is set");

    public void ApplyWaits() => Assert.Fail("something is to be applied");

    public void ReadWaits(RequestId request) => Assert.Fail($"the read {request} is to be served");

    public void RoleChanged(in RoleChanged change) => Assert.Fail($"the role becomes {change}");

    public void End(string sentence) => Assert.Fail(sentence);
}
