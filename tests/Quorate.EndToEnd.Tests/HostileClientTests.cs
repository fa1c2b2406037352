using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Clients that do not read, that send what is no command, that are many: the node stays, in its memory.
/// </summary>
[Collection(Alone.Name)]
public sealed class HostileClientTests
{
    private const int FuzzedConnections = 400;

    /// <summary>Of 58 kB each: together far more than the system's own buffers of a connection hold.</summary>
    private const int RoundsMax = 2000;

    /// <summary>What `--memory 512MiB` allows, and 15 % more.</summary>
    private const long ResidentBytesMax = 512L * 1024 * 1024 * 115 / 100;

    private static readonly TimeSpan ShortPatience = TimeSpan.FromSeconds(1);

    /// <summary>A write that takes long on a busy machine ends well all the same.</summary>
    private static readonly string[] Slow = ["--request-deadline-ms", "60000"];

    private static readonly string[] Frames =
    [
        "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
        "*1\r\n$4\r\nPING\r\n", "PING\r\n",
        "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", "*1\r\n$5\r\nMULTI\r\n", "*1\r\n$4\r\nEXEC\r\n", "*1\r\n$7\r\nDISCARD\r\n",
        "*2147483647\r\n", "*-5\r\n", "*1\r\n$2147483647\r\n", "*1\r\n$-1\r\n", "*99999999999999999999\r\n", "*0\r\n",
        "*1\r\n$536870912\r\n", "$5\r\nhello\r\n", "\r\n", "*1\r\n*1\r\n$4\r\nPING\r\n", "*3\r\n$3\r\nSET\r\n$1\r\n",
        "*4\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n$1\r\nx\r\n", "SET \"a b\" 'c\r\n", "GET \"\\x00\\xff\"\r\n",
        "*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n", "*3\r\n$4\r\nEVAL\r\n$1\r\n1\r\n$1\r\n0\r\n",
    ];

    [Fact]
    public async Task A_client_that_never_reads_harms_nobody_else()
    {
        using var cluster = new ServedCluster(1, Slow);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        string megabyte = new('v', 1 << 20);
        Assert.Equal("+OK", node.Ask("SET", "large", megabyte));
        var deaf = new RespSession[4];
        bool[] wasHeldUp = new bool[deaf.Length];
        byte[] asking = Encoding.ASCII.GetBytes(string.Concat(
            Enumerable.Repeat("*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n", 2000)));
        for (int i = 0; i < deaf.Length; i++)
        {
            deaf[i] = node.Connect(ShortPatience);
            for (int round = 0; round < RoundsMax && !wasHeldUp[i]; round++)
            {
                wasHeldUp[i] = !TrySend(deaf[i], asking);
            }
        }

        Assert.All(wasHeldUp, wasHeld => Assert.True(wasHeld, "a client that never reads may send without an end"));
        using (RespSession other = node.Connect())
        {
            for (int i = 0; i < 200; i++)
            {
                string value = i.ToString(CultureInfo.InvariantCulture);
                Assert.Equal("+OK", other.Call("SET", "small", value));
                Assert.Equal(value, other.Call("GET", "small"));
            }
        }

        long resident = node.ResidentBytes();
        Array.ForEach(deaf, session => session.Dispose());
        Assert.True(resident < ResidentBytesMax, $"{resident} bytes are resident\n{node.Said}");
        await cluster.UntilSays(node, "+PONG", "PING");
    }

    /// <summary>
    /// Each may have as much waiting as one client may; together they would hold many times what the node has.
    /// </summary>
    [Theory]
    [InlineData("256MiB", 256, 100)]
    [InlineData("512MiB", 512, 150)]
    public async Task Many_clients_that_never_read_are_held_up_or_closed_and_others_are_served(
        string memory, int mebibytes, int clients)
    {
        using var cluster = new ServedCluster(1, ["--memory", memory, .. Slow]);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        Assert.Equal("+OK", node.Ask("SET", "large", new string('v', 1 << 20)));
        byte[] asking = Encoding.ASCII.GetBytes(string.Concat(
            Enumerable.Repeat("*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n", 200)));
        byte[] small = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("*1\r\n$4\r\nPING\r\n", 100)));
        var deaf = new List<RespSession>();
        long resident = 0;
        try
        {
            using RespSession other = node.Connect();
            for (int i = 0; i < clients; i++)
            {
                // Some look harmless first: their replies are known to be small.
                deaf.Add(node.Connect(TimeSpan.FromMilliseconds(50)));
                if (i % 2 == 0)
                {
                    TrySend(deaf[i], small);
                }

                TrySend(deaf[i], asking);
                string value = i.ToString(CultureInfo.InvariantCulture);
                Assert.Equal("+OK", other.Call("SET", "small", value));
                Assert.Equal(value, other.Call("GET", "small"));
                resident = Math.Max(resident, node.ResidentBytes());
            }

            for (int i = 0; i < 2000; i++)
            {
                TrySend(deaf[i % deaf.Count], asking);
                string value = i.ToString(CultureInfo.InvariantCulture);
                Assert.Equal("+OK", other.Call("SET", "small", value));
                Assert.Equal(value, other.Call("GET", "small"));
                resident = Math.Max(resident, i % 50 == 0 ? node.ResidentBytes() : 0);
            }

            string metrics = (await node.Page("/metrics")).Text;
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{resident >> 20} MiB resident\n" + string.Join('\n', metrics.Split('\n').Where(line =>
                    line.StartsWith("quorate_resp_", StringComparison.Ordinal)
                    || line.StartsWith("quorate_memory_", StringComparison.Ordinal))));
        }
        catch (IOException e)
        {
            Assert.Fail($"it serves nobody ({e.Message}); {resident} bytes were resident\n{node.Said}");
        }
        finally
        {
            deaf.ForEach(session => session.Dispose());
        }

        Assert.True(resident < mebibytes * (1L << 20) * 115 / 100, $"{resident} bytes are resident\n{node.Said}");
        await cluster.UntilSays(node, "+PONG", "PING");
        Assert.Equal(1 << 20, node.Ask("GET", "large")!.Length);
    }

    /// <summary>
    /// Each holds the half of a value of 1 MiB and goes to sleep: together many times what the node has.
    /// </summary>
    [Fact]
    public async Task A_thousand_clients_that_stop_in_the_middle_of_a_value_harm_nobody_else()
    {
        const int Count = 1000;
        using var cluster = new ServedCluster(1, ["--memory", "256MiB", .. Slow]);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        byte[] half = [.. "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\n"u8, .. new byte[1 << 19]];
        var sleepers = new List<Socket>();
        long resident = 0;
        try
        {
            using RespSession other = node.Connect();
            string large = new('v', 200_000);
            for (int i = 0; i < Count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                {
                    SendBufferSize = 64 * 1024, SendTimeout = 10,
                };
                sleepers.Add(socket);
                socket.Connect(node.Resp);
                SendWhatGoes(socket, half);
                string value = i.ToString(CultureInfo.InvariantCulture);
                Assert.Equal("+OK", other.Call("SET", "small", value));
                Assert.Equal(value, other.Call("GET", "small"));
                resident = Math.Max(resident, i % 50 == 0 ? node.ResidentBytes() : 0);
            }

            // It may be told to come again while many wait before it, but not for ever.
            string reply = "";
            for (int i = 0; i < 20 && reply != "+OK"; i++)
            {
                reply = other.Call("SET", "large", large);
                Assert.True(reply == "+OK" || reply.StartsWith("-OOM", StringComparison.Ordinal), reply);
            }

            for (int i = 0; i < 20; i++)
            {
                Assert.Equal("+OK", other.Call("SET", "large", large));
                Assert.Equal(large.Length, other.Call("GET", "large").Length);
            }

            resident = Math.Max(resident, node.ResidentBytes());
            string metrics = (await node.Page("/metrics")).Text;
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{resident >> 20} MiB resident\n" + string.Join('\n', metrics.Split('\n').Where(line =>
                    line.StartsWith("quorate_resp_", StringComparison.Ordinal))));
            Assert.DoesNotContain("quorate_resp_pressed_total{what=\"unfinished_client_cut\"} 0\n", metrics);
        }
        catch (IOException e)
        {
            Assert.Fail($"it serves nobody ({e.Message}); {resident} bytes were resident\n{node.Said}");
        }
        finally
        {
            sleepers.ForEach(socket => socket.Dispose());
        }

        Assert.True(resident < 256L * (1 << 20) * 115 / 100, $"{resident} bytes are resident\n{node.Said}");
        await cluster.UntilSays(node, "+PONG", "PING");
    }

    [Fact]
    public async Task Frames_that_are_none_are_refused_in_bounded_memory()
    {
        using var cluster = new ServedCluster(1, Slow);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        int seed = LongRun.Count("QUORATE_SEED", Random.Shared.Next());
        TestContext.Current.TestOutputHelper!.WriteLine($"QUORATE_SEED={seed}");
        var random = new Random(seed);
        long largest = 0;
        List<RespSession> open = [];
        for (int i = 0; i < FuzzedConnections; i++)
        {
            RespSession session = node.Connect(ShortPatience);
            TrySend(session, Fuzzed(random));

            // Some stay with half a frame: what they have announced must not be set aside for them.
            open.Add(session);
            if (open.Count > 100)
            {
                open[0].Dispose();
                open.RemoveAt(0);
            }

            if (i % 20 == 0)
            {
                largest = Math.Max(largest, node.ResidentBytes());
                Assert.Equal("+PONG", node.Ask("PING"));
            }
        }

        open.ForEach(session => session.Dispose());
        largest = Math.Max(largest, node.ResidentBytes());
        Assert.True(largest < ResidentBytesMax, $"{largest} bytes are resident, seed {seed}");
        await cluster.UntilSays(node, "+OK", "SET", "greeting", "hello");
        Assert.Equal("hello", node.Ask("GET", "greeting"));
    }

    [Fact]
    public async Task Thousands_of_idle_connections_are_held_and_served()
    {
        int count = LongRun.Count("QUORATE_CONNECTIONS", 2000);
        using var cluster = new ServedCluster(1, ["--memory", "1GiB", .. Slow]);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        Assert.Equal("+OK", node.Ask("SET", "greeting", "hello"));
        var sessions = new List<RespSession>();
        try
        {
            for (int i = 0; i < count; i++)
            {
                sessions.Add(node.Connect());
                Assert.Equal("+PONG", sessions[i].Call("PING"));
            }

            long resident = node.ResidentBytes();
            for (int i = 0; i < count; i += 10)
            {
                Assert.Equal("hello", sessions[i].Call("GET", "greeting"));
            }

            TestContext.Current.TestOutputHelper!.WriteLine($"{count} connections, {resident >> 20} MiB resident");
            Assert.True(resident < ResidentBytesMax, $"{resident} bytes are resident");
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }

    /// <summary>As much as the node takes within the socket's time.</summary>
    private static void SendWhatGoes(Socket socket, byte[] bytes)
    {
        try
        {
            for (int at = 0; at < bytes.Length;)
            {
                at += socket.Send(bytes.AsSpan(at));
            }
        }
        catch (SocketException)
        {
            // It is not read from any more, or closed already.
        }
    }

    /// <summary>False when the node takes no more, or has closed the connection.</summary>
    private static bool TrySend(RespSession session, byte[] bytes)
    {
        try
        {
            session.SendRaw(bytes);
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return false;
        }
    }

    private static byte[] Fuzzed(Random random)
    {
        var bytes = new List<byte>();
        int frames = random.Next(1, 30);
        for (int i = 0; i < frames; i++)
        {
            bytes.AddRange(Encoding.Latin1.GetBytes(Frames[random.Next(Frames.Length)]));
        }

        for (int i = random.Next(8); i > 0; i--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 10), bytes.Count - at - 1));
                    break;
                case 2:
                    byte[] noise = new byte[random.Next(1, 5000)];
                    random.NextBytes(noise);
                    bytes.InsertRange(at, noise);
                    break;
                default:
                    bytes.InsertRange(at, Encoding.ASCII.GetBytes("*1000000\r\n$300000000\r\n"));
                    break;
            }
        }

        return [.. bytes];
    }
}
