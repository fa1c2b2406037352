using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// Holds the messages that say something is durable until it is (pitfall R10).
/// <para>Invariant: a write's messages leave when that write and all before it are durable, in the order of the
/// writes, once.</para>
/// </summary>
internal sealed class SendGate
{
    private readonly Queue<Waiting> _waiting = new();
    private ulong _last;

    /// <summary>Writes handed to the log and not yet released.</summary>
    public int Count => _waiting.Count;

    public void Add(Persist persist)
    {
        Invariant.Check(
            _last == 0 || persist.Sequence == _last + 1, $"writes are numbered without gaps, {persist.Sequence} "
                + $"follows {_last}");
        _last = persist.Sequence;
        _waiting.Enqueue(new Waiting(persist));
    }

    /// <summary>Marks a write as durable and hands over every message that this lets go.</summary>
    public void Durable(ulong sequence, IReplicaHost host)
    {
        foreach (Waiting waiting in _waiting)
        {
            if (waiting.Persist.Sequence == sequence)
            {
                waiting.Durable = true;
                break;
            }
        }

        while (_waiting.TryPeek(out Waiting? first) && first.Durable)
        {
            _waiting.Dequeue();
            IReadOnlyList<RaftMessage> messages = first.Persist.SendAfter;
            for (int i = 0; i < messages.Count; i++)
            {
                host.Send(messages[i]);
            }
        }
    }

    private sealed class Waiting(Persist persist)
    {
        public Persist Persist { get; } = persist;

        public bool Durable { get; set; }
    }
}
