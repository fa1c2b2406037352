using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;

namespace Quorate.Node.Tests.Replicas;

/// <summary>Messages that say something is durable leave when it is, in the order of the writes, once.</summary>
public sealed class SendGateTests
{
    private readonly SendGate _gate = new();
    private readonly RecordingHost _host = new();

    [Fact]
    public void A_message_waits_for_its_write()
    {
        _gate.Add(Write(1, 10));
        Assert.Empty(_host.Sent);

        _gate.Durable(1, _host);

        Assert.Equal([10UL], _host.Sent);
        Assert.Equal(0, _gate.Count);
    }

    [Fact]
    public void A_message_waits_for_all_writes_before_its_own()
    {
        _gate.Add(Write(1, 10));
        _gate.Add(Write(2, 20));
        _gate.Add(Write(3, 30));

        _gate.Durable(3, _host);
        Assert.Empty(_host.Sent);
        _gate.Durable(2, _host);
        Assert.Empty(_host.Sent);
        _gate.Durable(1, _host);

        Assert.Equal([10UL, 20UL, 30UL], _host.Sent);
    }

    [Fact]
    public void A_later_write_that_is_not_durable_holds_its_own_messages_back_alone()
    {
        _gate.Add(Write(1, 10, 11));
        _gate.Add(Write(2));
        _gate.Add(Write(3, 30));

        _gate.Durable(2, _host);
        _gate.Durable(1, _host);

        Assert.Equal([10UL, 11UL], _host.Sent);
        Assert.Equal(1, _gate.Count);
    }

    [Fact]
    public void A_write_reported_twice_sends_once()
    {
        _gate.Add(Write(1, 10));
        _gate.Add(Write(2, 20));

        _gate.Durable(1, _host);
        _gate.Durable(1, _host);

        Assert.Equal([10UL], _host.Sent);
    }

    [Fact]
    public void A_gap_between_writes_breaks_the_invariant()
    {
        _gate.Add(Write(1));

        Assert.Throws<InvariantBrokenException>(() => _gate.Add(Write(3)));
    }

    private static Persist Write(ulong sequence, params ulong[] indexes) => new()
    {
        Sequence = sequence,
        SendAfter =
        [
            .. indexes.Select(
                index => new RaftMessage { Kind = MessageKind.AppendResponse, Index = new LogIndex(index) }),
        ],
    };
}
