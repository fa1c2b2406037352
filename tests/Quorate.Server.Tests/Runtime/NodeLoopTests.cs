using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Server.Runtime;

namespace Quorate.Server.Tests.Runtime;

/// <summary>Many threads, one node: nothing is lost, nothing is done twice, nobody waits.</summary>
public sealed class NodeLoopTests
{
    private static readonly TimeSpan Patience = Soon.Patience;

    private static readonly CallResult Done = new(Outcome.Done, default, default, default, default, default);

    [Theory]
    [InlineData(Driving.WhoeverComes)]
    [InlineData(Driving.OwnThread)]
    public void Each_call_of_many_threads_is_taken_once_and_in_its_threads_order(Driving driving)
    {
        const int Producers = 8;
        const int CallsOfEach = 20_000;
        var node = new FakeNode { OnCall = call => call.Complete(Done) };
        using NodeLoop loop = Start(node, new() { Driving = driving, InputsMax = Producers * CallsOfEach });
        RunTogether(Producers, producer =>
        {
            var batch = new ClientCall[7];
            for (int i = 0; i < CallsOfEach; i += batch.Length)
            {
                int count = Math.Min(batch.Length, CallsOfEach - i);
                for (int k = 0; k < count; k++)
                {
                    batch[k] = new NumberedCall(producer, i + k);
                }

                loop.Submit(batch.AsSpan(0, count));
            }
        });

        Look(loop, () =>
        {
            Assert.Equal(Producers * CallsOfEach, node.Calls.Count);
            Assert.False(node.WasEnteredTwice);
            int[] next = new int[Producers];
            foreach (NumberedCall call in node.Calls.Cast<NumberedCall>())
            {
                Assert.Equal(next[call.Producer]++, call.Number);
                Assert.Equal(1, call.Completions);
            }
        });
    }

    [Fact]
    public void A_lone_call_is_done_on_the_thread_that_brings_it()
    {
        var node = new FakeNode { OnCall = call => call.Complete(Done) };
        using NodeLoop loop = Start(node);
        var call = new NumberedCall(0, 0);
        loop.Submit([call]);
        Assert.Equal(1, call.Completions);
        Assert.Contains(Environment.CurrentManagedThreadId, node.Threads);
        Assert.Equal(1, node.Turns);
        Assert.True(node.Flushes >= 1);
    }

    [Fact]
    public void Who_completes_a_call_may_hand_over_the_next_one()
    {
        var node = new FakeNode { OnCall = call => call.Complete(Done) };
        using NodeLoop loop = Start(node);
        int left = 10_000;
        using var end = new ManualResetEventSlim();
        Next();
        Assert.True(end.Wait(Patience, TestContext.Current.CancellationToken));

        void Next()
        {
            if (left-- == 0)
            {
                end.Set();
                return;
            }

            loop.Submit([new NumberedCall(0, left) { Completed = Next }]);
        }
    }

    [Fact]
    public void A_thread_that_only_brought_a_call_is_let_go()
    {
        var node = new FakeNode();
        using NodeLoop loop = Start(node, new() { BorrowedRoundsMax = 3 });
        int own = Environment.CurrentManagedThreadId;
        int here = 0;
        int left = 1000;
        using var end = new ManualResetEventSlim();
        node.OnTurn = () =>
        {
            here += Environment.CurrentManagedThreadId == own ? 1 : 0;
            if (--left > 0)
            {
                loop.TurnWaits();
            }
            else
            {
                end.Set();
            }
        };
        loop.Submit([new NumberedCall(0, 0)]);
        Assert.True(end.Wait(Patience, TestContext.Current.CancellationToken));
        Assert.InRange(here, 1, 3);
        Assert.True(loop.Figures.HandOvers >= 1);
    }

    [Fact]
    public void A_deadline_ticks_and_an_earlier_one_takes_its_place()
    {
        var node = new FakeNode();
        using NodeLoop loop = Start(node);
        using var ticked = new ManualResetEventSlim();
        node.OnTick = ticked.Set;
        loop.Post(_ => loop.SetDeadline(loop.Now + Duration.FromSeconds(3600)));
        Assert.False(ticked.Wait(50, TestContext.Current.CancellationToken));
        loop.Post(_ => loop.SetDeadline(loop.Now + Duration.FromMilliseconds(5)));
        Assert.True(ticked.Wait(Patience, TestContext.Current.CancellationToken));
        Look(loop, () => Assert.Equal(1, node.Ticks));
    }

    [Fact]
    public void Ticks_come_again_and_again_while_others_bring_calls()
    {
        var node = new FakeNode { OnCall = call => call.Complete(Done) };
        using NodeLoop loop = Start(node);
        using var end = new CountdownEvent(20);
        node.OnTick = () =>
        {
            if (!end.IsSet)
            {
                end.Signal();
                loop.SetDeadline(loop.Now + Duration.FromMilliseconds(1));
            }
        };
        loop.Post(_ => loop.SetDeadline(loop.Now));
        RunTogether(3, producer =>
        {
            for (int i = 0; !end.IsSet; i++)
            {
                loop.Submit([new NumberedCall(producer, i)]);
            }
        });
        Assert.True(end.IsSet);
    }

    [Fact]
    public void The_disk_is_drained_for_each_word_of_it()
    {
        const int Words = 5000;
        var node = new FakeNode();
        using NodeLoop loop = Start(node);
        int waiting = 0;
        int handedOver = 0;
        node.OnDrain = () => handedOver += Interlocked.Exchange(ref waiting, 0);
        RunTogether(4, _ =>
        {
            for (int i = 0; i < Words; i++)
            {
                Interlocked.Increment(ref waiting);
                loop.DiskWaits();
            }
        });
        Look(loop, () => Assert.Equal(4 * Words, handedOver));
        Assert.False(node.WasEnteredTwice);
    }

    [Fact]
    public void Work_is_done_in_pieces_between_calls_and_grows_to_its_time()
    {
        var node = new FakeNode();
        node.OnCall = call =>
        {
            // On a busy machine millions of them come before the work is done.
            node.Calls.Clear();
            call.Complete(Done);
        };
        using NodeLoop loop = Start(node, new() { WorkBytesMin = 1000, WorkBytesMax = 16_000 });
        using var end = new ManualResetEventSlim();
        long bytes = 0;
        int largest = 0;
        node.OnWork = budget =>
        {
            bytes += budget;
            largest = Math.Max(largest, budget);
            if (bytes > 1_000_000)
            {
                end.Set();
            }

            return bytes <= 1_000_000;
        };
        loop.Post(_ => loop.WorkWaits());
        for (int i = 0; !end.IsSet && i < 100_000_000; i++)
        {
            var call = new NumberedCall(0, i);
            loop.Submit([call]);
        }

        Assert.True(end.IsSet);
        Look(loop, () => Assert.Equal(16_000, largest));
        Assert.False(node.WasEnteredTwice);
    }

    [Fact]
    public void Work_goes_on_when_nothing_else_happens()
    {
        var node = new FakeNode();
        using NodeLoop loop = Start(node);
        using var end = new ManualResetEventSlim();
        int left = 100;
        node.OnWork = _ =>
        {
            if (--left == 0)
            {
                end.Set();
            }

            return left > 0;
        };
        loop.Post(_ => loop.WorkWaits());
        Assert.True(end.Wait(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_full_inbox_refuses_calls_and_loses_messages_and_says_so()
    {
        var node = new FakeNode();
        using NodeLoop loop = Start(node, new() { InputsMax = 4, MessageBytesMax = 100 });
        using var isInside = new ManualResetEventSlim();
        using var mayLeave = new ManualResetEventSlim();
        var driver = new Thread(() => loop.Post(_ =>
        {
            isInside.Set();
            mayLeave.Wait(Patience);
        }));
        driver.Start();
        Assert.True(isInside.Wait(Patience, TestContext.Current.CancellationToken));

        var source = new CountingSource();
        NodeInput message = new(new byte[60], new(2), PeerClass.Requests, source);
        loop.Receive([message, message]);
        Assert.Equal(1, loop.Figures.Lost);
        Assert.Equal(60, source.Bytes);
        NumberedCall[] calls = [.. Enumerable.Range(0, 5).Select(i => new NumberedCall(0, i))];
        loop.Submit(calls);
        Assert.Equal([0, 0, 0, 1, 1], calls.Select(call => call.Completions));
        CallResult refused = calls[4].Result!.Value;
        Assert.Equal((Outcome.Refused, DropReason.Overloaded), (refused.Outcome, refused.Reason));
        Assert.Throws<InvalidOperationException>(() => loop.Post(_ => { }));
        Assert.False(loop.TryPost(() => { }));
        bool isSignalTaken = false;
        loop.PostSignal(() => isSignalTaken = true);
        mayLeave.Set();
        driver.Join();
        Soon.IsHere(() => loop.InputsWaiting == 0, "all is taken");
        Look(loop, () =>
        {
            Assert.Equal(3, node.Calls.Count);
            Assert.Single(node.Messages);
            Assert.True(isSignalTaken);
        });
        Assert.Equal(120, source.Bytes);
    }

    /// <summary>
    /// Each of the large messages takes long: what is urgent is not behind the second, nor lost for want of room, nor
    /// held against anybody by a tick, and what the tick sends leaves at once.
    /// </summary>
    [Fact]
    public void Heartbeats_do_not_wait_for_what_is_large()
    {
        const int Large = 100_000;
        var node = new FakeNode();
        using NodeLoop loop = Start(node, new() { MessageBytesMax = 2 * Large });
        NodeInput large = new(new byte[Large], new(2), PeerClass.Log);
        NodeInput urgent = new(new byte[10], new(2), PeerClass.Urgent);
        List<string> order = [];
        node.OnTick = () => order.Add("tick");
        node.OnMessage = message =>
        {
            order.Add($"{message.Length} after {node.Flushes}");
            if (message.Length == Large && order.Count == 2)
            {
                loop.Receive([urgent]);
                loop.SetDeadline(loop.Now);
            }
        };
        loop.Post(_ => loop.Receive([large, large, large, urgent]));
        Look(loop, () => { });
        string[] expected = ["10 after 1", $"{Large} after 1", "10 after 1", "tick", $"{Large} after 2"];
        Assert.Equal(expected, order);
        Assert.Equal(1, loop.Figures.Lost);
    }

    [Fact]
    public void Who_listens_hears_of_the_end_of_the_round_once_and_outside_of_the_node()
    {
        var node = new FakeNode { OnCall = call => call.Complete(Done) };
        using NodeLoop loop = Start(node);
        var listener = new Listener(node);
        Assert.False(NodeLoop.TryListen(listener));
        var calls = new NumberedCall[10];
        for (int i = 0; i < calls.Length; i++)
        {
            bool isFirst = i == 0;
            calls[i] = new NumberedCall(0, i)
            {
                Completed = () => Assert.True(!isFirst || NodeLoop.TryListen(listener)),
            };
        }

        loop.Submit(calls);
        Assert.Equal([10], listener.CallsSeen);
    }

    [Fact]
    public void An_exception_of_the_node_ends_the_process_and_nothing_more_is_told()
    {
        List<(ExitCode Code, string Sentence)> ends = [];
        var node = new FakeNode();
        using var loop = new NodeLoop(
            new(), new ClusterView(default, new()), (code, sentence) => ends.Add((code, sentence)));
        node.Loop = loop;
        node.OnTurn = () => Invariant.Fail("one is one");
        loop.Start(node);
        var listener = new Listener(node);
        var call = new NumberedCall(0, 0);
        node.OnCall = _ => NodeLoop.TryListen(listener);
        loop.Submit([call]);
        loop.Submit([new NumberedCall(0, 1)]);
        (ExitCode code, string sentence) = Assert.Single(ends);
        Assert.Equal(ExitCode.Internal, code);
        Assert.Contains("one is one", sentence, StringComparison.Ordinal);
        Assert.Empty(listener.CallsSeen);
        Assert.Single(node.Calls);
        Assert.Equal(0, node.Flushes);
    }

    [Fact]
    public void After_disposal_the_node_is_left_alone_and_calls_are_refused()
    {
        var node = new FakeNode();
        NodeLoop loop = Start(node);
        loop.Dispose();
        var call = new NumberedCall(0, 0);
        loop.Submit([call]);
        Assert.Equal(Outcome.Refused, call.Result?.Outcome);
        Assert.Empty(node.Calls);
    }

    private static NodeLoop Start(FakeNode node, NodeLoopSettings? settings = null)
    {
        var loop = new NodeLoop(
            settings ?? new(),
            new ClusterView(default, new()),
            (code, sentence) => throw new InvalidOperationException($"{code}: {sentence}"));
        node.Loop = loop;
        loop.Start(node);
        return loop;
    }

    /// <summary>Looks at what the node has noted once everything before is done.</summary>
    private static void Look(NodeLoop loop, Action look)
    {
        using var end = new ManualResetEventSlim();
        Exception? failure = null;
        loop.Post(_ =>
        {
            try
            {
                look();
            }
            catch (Exception e)
            {
                failure = e;
            }

            end.Set();
        });
        Assert.True(end.Wait(Patience, TestContext.Current.CancellationToken));
        Assert.Null(failure);
    }

    private static void RunTogether(int count, Action<int> action)
    {
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() => action(i)))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(Patience));
        }
    }

    private sealed class Listener(FakeNode node) : IRoundListener
    {
        public List<int> CallsSeen { get; } = [];

        public void RoundEnded() => CallsSeen.Add(node.Calls.Count);
    }

    private sealed class CountingSource : IMessageSource
    {
        public int Bytes { get; private set; }

        public void Taken(int bytes) => Bytes += bytes;
    }
}
