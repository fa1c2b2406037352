using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;

namespace Quorate.Server.Runtime;

/// <summary>
/// Drives a node from many threads without a thread that everybody must hand over to: who brings an input leaves it in
/// the inbox and, when nobody drives, becomes the driver (flat combining: Hendler, Incze, Shavit and Tzafrir, SPAA
/// 2010), unless so much comes that a thread of the loop's own finds a batch each time. The driver lets the node take
/// all that has come, turns it once, lets everything leave together, and begins again until nothing waits. Why, and
/// what it costs: docs/decisions/0018.
/// <para>Invariants: one thread drives at a time; nobody waits for it; a thread that only brought something is let go
/// after a named number of rounds, and the loop's own thread goes on; after the end the node is not called any
/// more, and nobody is told anything.</para>
/// </summary>
public sealed class NodeLoop : INodeGateway, IDisposable
{
    private const int Idle = 0;
    private const int Driven = 1;
    private const int DiskWaitsSignal = 1;
    private const int TickSignal = 2;

    [ThreadStatic]
    private static NodeLoop? _drivenHere;

    private readonly NodeLoopSettings _settings;
    private readonly Action<ExitCode, string> _end;
    private readonly Inbox _inbox;
    private readonly List<IRoundListener> _listeners = [];
    private readonly LoopAlarm _alarm = new();
    private readonly Thread _own;
    private readonly WorkPace _work;
    private readonly LoadGauge _load;

    private IDrivenNode? _node;
    private ClusterView _view;
    private int _state = Idle;
    private int _signals;
    private bool _turnWaits;
    private bool _isHandedOver;
    private bool _hasEnded;
    private bool _isStopped;

    /// <param name="view">What edges see until the node tells better.</param>
    /// <param name="end">Ends the process with a sentence; it need not return.</param>
    public NodeLoop(NodeLoopSettings settings, ClusterView view, Action<ExitCode, string> end)
    {
        _settings = settings;
        _view = view;
        _end = end;
        _inbox = new(settings.InputsMax, settings.MessageBytesMax);
        _work = new(settings);
        _load = new(settings);
        _own = new Thread(RunOwnThread) { Name = "quorate-node", IsBackground = true };
    }

    public Instant Now => MonotonicClock.Now;

    public ClusterView View => Volatile.Read(ref _view);

    /// <summary>What it has done so far.</summary>
    public NodeLoopFigures Figures { get; } = new();

    /// <summary>Inputs that wait now.</summary>
    public int InputsWaiting => _inbox.Count;

    /// <summary>
    /// To be called on the thread that drives a node, from within it: the listener hears of the end of the round, once
    /// for each call of this. False on any other thread: then there is no round to wait for.
    /// </summary>
    public static bool TryListen(IRoundListener listener)
    {
        if (_drivenHere is not { } loop)
        {
            return false;
        }

        loop._listeners.Add(listener);
        return true;
    }

    /// <summary>Gives the loop its node, before anything is submitted.</summary>
    public void Start(IDrivenNode node)
    {
        Invariant.Check(_node is null, "a loop drives one node");
        _node = node;
        _own.Start();
    }

    public void Submit(ReadOnlySpan<ClientCall> calls)
    {
        int added = IsOver ? 0 : _inbox.Add(calls);
        DriveIfIdle();
        foreach (ClientCall call in calls[added..])
        {
            Interlocked.Increment(ref Figures.CallsRefused);
            call.Complete(new(Outcome.Refused, DropReason.Overloaded, default, default, default, default));
        }
    }

    public void Submit(MetadataCall call)
    {
        if (IsOver || _inbox.Add([new NodeInput(call)]) == 0)
        {
            Interlocked.Increment(ref Figures.CallsRefused);
            call.Complete(Outcome.Refused, null, null);
        }

        DriveIfIdle();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Too much waits for the node.</exception>
    public void Post(Action<ClusterNode> action)
    {
        if (_inbox.Add([new NodeInput(action)]) == 0)
        {
            throw new InvalidOperationException("Too much waits for this node: try again in a moment.");
        }

        DriveIfIdle();
    }

    /// <summary>Messages of peers, in their order. Those for which there is no room are lost, and counted.</summary>
    public void Receive(ReadOnlySpan<NodeInput> messages)
    {
        while (messages.Length > 0)
        {
            int added = IsOver ? 0 : _inbox.Add(messages);
            messages = messages[added..];
            if (messages.Length > 0)
            {
                // What is behind it may be small, or urgent.
                Interlocked.Increment(ref Figures.MessagesLost);
                messages[0].Source?.Taken(messages[0].MessageBytes);
                messages = messages[1..];
            }
        }

        DriveIfIdle();
    }

    /// <summary>Does something on the thread that drives the node, soon; false when too much waits.</summary>
    public bool TryPost(Action action)
    {
        bool isAdded = !IsOver && _inbox.Add([new NodeInput(action)]) == 1;
        DriveIfIdle();
        return isAdded;
    }

    /// <summary>
    /// As <see cref="TryPost"/>, however much waits: for what must not be lost and comes seldom. It is lost only when
    /// the loop is over.
    /// </summary>
    public void PostSignal(Action signal)
    {
        if (!IsOver)
        {
            _inbox.AddSignal(signal);
            DriveIfIdle();
        }
    }

    /// <summary>The disk has ends to hand over; a thread of the disk calls it.</summary>
    public void DiskWaits() => Signal(DiskWaitsSignal);

    /// <summary>For the node's host: when to tick next.</summary>
    public void SetDeadline(Instant deadline) => _alarm.Deadline = deadline;

    /// <summary>For the node's host: a turn is to follow.</summary>
    public void TurnWaits() => _turnWaits = true;

    /// <summary>For the node's host: there is work to do, when there is time.</summary>
    public void WorkWaits()
    {
        if (_alarm.WorkAt == Instant.Never)
        {
            _alarm.WorkAt = Now + new Duration(_settings.WorkEveryMicroseconds);
        }
    }

    /// <summary>For the node's host: from now on background work waits for nothing but the round before it.</summary>
    public void HurryWork() => _work.IsHurried = true;

    /// <summary>For the node's host: edges see this view from now on.</summary>
    public void SetView(ClusterView view) => Volatile.Write(ref _view, view);

    /// <summary>The node is called no more, and nobody is told anything; then the process ends.</summary>
    public void End(ExitCode code, string sentence)
    {
        Volatile.Write(ref _hasEnded, true);
        _end(code, sentence);
    }

    /// <summary>Lets go of the node: it is called no more. Returns when nobody drives any more.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _isStopped, true);
        _alarm.Ring();
        if (_own.IsAlive && Thread.CurrentThread != _own)
        {
            _own.Join();
        }

        // What is being driven now comes to its end first; nobody begins again.
        var patience = new SpinWait();
        while (_node is not null && !_hasEnded && !Volatile.Read(ref _isHandedOver) && _drivenHere != this
            && Interlocked.CompareExchange(ref _state, Driven, Idle) != Idle)
        {
            patience.SpinOnce();
        }
    }

    private bool IsOver => Volatile.Read(ref _hasEnded) || Volatile.Read(ref _isStopped);

    private bool HasMore => _inbox.Count > 0 || Volatile.Read(ref _signals) != 0 || _turnWaits
        || _listeners.Count > 0;

    private void Signal(int signal)
    {
        Interlocked.Or(ref _signals, signal);
        DriveIfIdle();
    }

    private void DriveIfIdle()
    {
        bool isOwnThreads = _settings.Driving == Driving.OwnThread
            || (_settings.Driving == Driving.ByLoad && _load.IsBusy);
        if (isOwnThreads)
        {
            // Whoever drives looks once more after it has left. What was brought must be seen before this looks.
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _state) == Idle)
            {
                _alarm.Ring();
            }
        }
        else if (TryBecomeDriver())
        {
            Drive(isOwn: false);
        }
    }

    private bool TryBecomeDriver() =>
        !IsOver && Interlocked.CompareExchange(ref _state, Driven, Idle) == Idle;

    private void RunOwnThread()
    {
        int atLeast = 0;
        while (!IsOver)
        {
            bool isDue = _alarm.Wait(atLeast);
            atLeast = 0;
            if (Volatile.Read(ref _isHandedOver))
            {
                Volatile.Write(ref _isHandedOver, false);
                Drive(isOwn: true);
                continue;
            }

            if (isDue)
            {
                Interlocked.Or(ref _signals, TickSignal);
            }

            if (TryBecomeDriver())
            {
                Drive(isOwn: true);
            }
            else
            {
                // Whoever drives sees the signal, and hands over when there is work to do.
                atLeast = 1;
            }
        }
    }

    private void Drive(bool isOwn)
    {
        NodeLoop? outer = _drivenHere;
        _drivenHere = this;
        try
        {
            DriveWhileSomethingWaits(isOwn);
        }
#pragma warning disable CA1031 // Whatever escapes the node ends the process: it can no longer prove what it holds.
        catch (Exception e)
#pragma warning restore CA1031
        {
            End(ProcessEnd.CodeOf(e), ProcessEnd.SentenceOf(e));
        }
        finally
        {
            _drivenHere = outer;
        }
    }

    private void DriveWhileSomethingWaits(bool isOwn)
    {
        Instant begun = Now;
        for (int rounds = 1; ; rounds++)
        {
            Round(isOwn);
            Instant now = Now;
            if (_hasEnded)
            {
                return;
            }

            if (isOwn && _work.IsDue(_alarm, now, HasMore))
            {
                _work.Do(_node!, _alarm, now, Figures);
                continue;
            }

            bool workIsDue = now >= _alarm.WorkAt;
            if (!HasMore && !workIsDue)
            {
                Figures.BusyMicroseconds += (now - begun).Microseconds;
                begun = now;
                if (TryLeave())
                {
                    return;
                }
            }
            else if (!isOwn && (workIsDue || IsEnough(rounds, now - begun)))
            {
                Figures.BusyMicroseconds += (now - begun).Microseconds;
                HandOver();
                return;
            }
        }
    }

    private bool IsEnough(int rounds, Duration time) =>
        rounds >= _settings.BorrowedRoundsMax || time.Microseconds >= _settings.BorrowedMicrosecondsMax;

    /// <summary>Messages that wait for the node, in bytes.</summary>
    public long InboxBytes => _inbox.Bytes;

    private void HandOver()
    {
        Figures.HandOvers++;
        Volatile.Write(ref _isHandedOver, true);
        _alarm.Ring();
    }

    /// <summary>
    /// False when something has come at the last moment and nobody else has taken it up: this thread goes on.
    /// </summary>
    private bool TryLeave()
    {
        Interlocked.Exchange(ref _state, Idle);
        return !(_inbox.Count > 0 || Volatile.Read(ref _signals) != 0) || !TryBecomeDriver();
    }

    private void Round(bool isOwn)
    {
        IDrivenNode node = _node!;
        int signals = Volatile.Read(ref _signals) == 0 ? 0 : Interlocked.Exchange(ref _signals, 0);
        if ((signals & DiskWaitsSignal) != 0)
        {
            node.DrainDisk();
        }

        int urgent = GiveUrgent(node);
        Span<NodeInput> inputs = _inbox.Count == 0 ? [] : _inbox.Take();
        foreach (NodeInput input in inputs)
        {
            if (_hasEnded)
            {
                return;
            }

            // Before it is taken: a call's memory may be used for another then.
            bool isLarge = input.IsLarge;
            input.GiveTo(node);
            if (isLarge && Guards.LongRoundsKeepTime)
            {
                KeepTime(node);
            }
        }

        inputs.Clear();
        if (!_hasEnded && _alarm.TakeDeadline(Now))
        {
            node.Tick();
        }

        if (_turnWaits && !_hasEnded)
        {
            _turnWaits = false;
            node.Turn();
        }

        Figures.Count(inputs.Length + urgent, isOwn);
        if (!_hasEnded)
        {
            node.FlushPeers();
            TellListeners();
        }
    }

    /// <summary>
    /// Something large took its time, and more of it may follow: heartbeats that are due leave before that, and those
    /// that have come meanwhile are heard, since a tick holds silence against whoever is not.
    /// </summary>
    private void KeepTime(IDrivenNode node)
    {
        Instant now = Now;
        if (_alarm.Deadline > now)
        {
            return;
        }

        GiveUrgent(node);
        if (!_hasEnded && _alarm.TakeDeadline(now))
        {
            node.Tick();
            node.FlushPeers();
        }
    }

    /// <summary>What is urgent does not wait behind what is large; how much it was.</summary>
    private int GiveUrgent(IDrivenNode node)
    {
        Span<NodeInput> inputs = _inbox.UrgentCount == 0 ? [] : _inbox.TakeUrgent();
        foreach (NodeInput input in inputs)
        {
            if (_hasEnded)
            {
                break;
            }

            input.GiveTo(node);
        }

        inputs.Clear();
        return inputs.Length;
    }

    private void TellListeners()
    {
        // A listener may complete calls of its own, whose connections then listen for the next round.
        int count = _listeners.Count;
        if (count == 0)
        {
            return;
        }

        _load.Count(count);
        for (int i = 0; i < count; i++)
        {
            _listeners[i].RoundEnded();
        }

        _listeners.RemoveRange(0, count);
    }
}
