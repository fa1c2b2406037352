using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;

namespace Quorate.EndHost;

/// <summary>
/// A process that ends as a node would: `EndHost what where`. Memory runs out, or a defect shows, on the thread that is
/// named; whoever awaits there swallows all that he can.
/// </summary>
internal static partial class Program
{
    private const int PieceBytes = 256 * 1024;

    private static readonly List<object> Kept = [];

    private static int Main(string[] arguments)
    {
        ProcessEnd.Watch(new MemoryPlan(128L << 20, 0, 64L << 20));
        Action end = arguments[0] switch
        {
            "own-memory" => TakeOwnMemory,
            "system-memory" => TakeSystemMemory,
            "defect" => () => throw new InvalidOperationException("a defect on purpose"),
            "invariant" => () => Invariant.Fail("a statement that does not hold"),
            "threads" => StartThreads,
            "told" => () => ProcessEnd.Now(ExitCode.InputOutput, "The end was asked for."),
            _ => throw new ArgumentException(arguments[0]),
        };
        Run(arguments[1], end);
        Thread.Sleep(TimeSpan.FromMinutes(2));
        return 99;
    }

    private static void Run(string where, Action end)
    {
        switch (where)
        {
            case "main":
                end();
                break;
            case "thread":
                new Thread(() => end()).Start();
                break;
            case "pool":
                ThreadPool.UnsafeQueueUserWorkItem(_ => end(), null);
                break;
            case "swallowed":
                _ = Task.Run(() =>
                {
                    try
                    {
                        end();
                    }
                    catch (Exception e) when (e is OutOfMemoryException or InvariantBrokenException)
                    {
                        // As a library does that guards its own threads.
                    }
                });
                break;
            case "socket":
                Receive(end);
                break;
            default:
                throw new ArgumentException(where);
        }
    }

    /// <summary>On the thread that notices that bytes have come.</summary>
    private static void Receive(Action end)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        Socket server = listener.Accept();
        var arguments = new SocketAsyncEventArgs();
        arguments.SetBuffer(new byte[16]);
        arguments.Completed += (_, _) => end();
        if (!server.ReceiveAsync(arguments))
        {
            throw new InvalidOperationException("nothing was sent yet");
        }

        client.Send("x"u8);
    }

    /// <summary>Until one is not started, which the runtime says by the word for memory; then it ends well.</summary>
    private static void StartThreads()
    {
        try
        {
            while (true)
            {
                var thread = new Thread(() => Thread.Sleep(Timeout.Infinite), 1 << 30) { IsBackground = true };
                thread.Start();
            }
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            Environment.Exit(0);
        }
    }

    private static void TakeOwnMemory()
    {
        while (true)
        {
            Kept.Add(new byte[PieceBytes]);
        }
    }

    /// <summary>
    /// All but a little, which the runtime needs for itself: where it gets none it ends in a way of its own.
    /// </summary>
    private static unsafe void TakeSystemMemory()
    {
        const int LargePieceBytes = 64 << 20;
        const int PiecesLeft = 2;
        Stack<nint> taken = [];
        while (Allocate(LargePieceBytes) is var piece && piece is not null)
        {
            taken.Push((nint)piece);
        }

        for (int i = 0; i < PiecesLeft; i++)
        {
            Free((void*)taken.Pop());
        }

        Kept.Add((nint)NativeMemory.Alloc((PiecesLeft + 2) * LargePieceBytes));
    }

    [LibraryImport("libc.so.6", EntryPoint = "malloc")]
    private static unsafe partial void* Allocate(nuint bytes);

    [LibraryImport("libc.so.6", EntryPoint = "free")]
    private static unsafe partial void Free(void* memory);
}
