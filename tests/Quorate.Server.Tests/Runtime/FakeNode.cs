using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Server.Runtime;

namespace Quorate.Server.Tests.Runtime;

/// <summary>A node that notes what it is given, and when two threads drive it at once.</summary>
internal sealed class FakeNode : IDrivenNode
{
    private int _inside;

    /// <summary>Set by the test, to act as the node's host.</summary>
    public NodeLoop? Loop { get; set; }

    public Action<ClientCall>? OnCall { get; set; }

    public Func<int, bool>? OnWork { get; set; }

    public Action<byte[]>? OnMessage { get; set; }

    public Action? OnTurn { get; set; }

    public Action? OnTick { get; set; }

    public Action? OnDrain { get; set; }

    public List<ClientCall> Calls { get; } = [];

    public List<(NodeId From, byte[] Message)> Messages { get; } = [];

    public HashSet<int> Threads { get; } = [];

    public bool WasEnteredTwice { get; private set; }

    public int Turns { get; private set; }

    public int Ticks { get; private set; }

    public int Drains { get; private set; }

    public int Flushes { get; private set; }

    public int Works { get; private set; }

    public void Submit(ClientCall call) => Inside(() =>
    {
        Calls.Add(call);
        OnCall?.Invoke(call);
        Loop!.TurnWaits();
    });

    public void Submit(MetadataCall call) => Inside(() => call.Complete(Core.Raft.Outcome.Done, null, null));

    public void Receive(NodeId from, PeerClass by, ReadOnlyMemory<byte> message) =>
        Inside(() =>
        {
            Messages.Add((from, message.ToArray()));
            OnMessage?.Invoke(message.ToArray());
        });

    public void Look(Action<ClusterNode> action) => Inside(() => action(null!));

    public void DrainDisk() => Inside(() =>
    {
        Drains++;
        OnDrain?.Invoke();
    });

    public void Tick() => Inside(() =>
    {
        Ticks++;
        OnTick?.Invoke();
    });

    public void Turn() => Inside(() =>
    {
        Turns++;
        OnTurn?.Invoke();
    });

    public bool Work(int budgetBytes)
    {
        bool more = false;
        Inside(() =>
        {
            Works++;
            more = OnWork?.Invoke(budgetBytes) ?? false;
        });
        return more;
    }

    public void FlushPeers() => Inside(() => Flushes++);

    private void Inside(Action action)
    {
        WasEnteredTwice |= Interlocked.Increment(ref _inside) != 1;
        Threads.Add(Environment.CurrentManagedThreadId);
        action();
        Interlocked.Decrement(ref _inside);
    }
}

/// <summary>A call with a number, which tells how it ended.</summary>
internal sealed class NumberedCall(int producer, int number) : ClientCall
{
    private int _completions;

    public int Producer { get; } = producer;

    public int Number { get; } = number;

    public CallResult? Result { get; private set; }

    public int Completions => Volatile.Read(ref _completions);

    public Action? Completed { get; set; }

    public override void Complete(in CallResult result)
    {
        Result = result;
        Interlocked.Increment(ref _completions);
        Completed?.Invoke();
    }
}
