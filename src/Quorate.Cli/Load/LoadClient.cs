using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Quorate.Core.Model;
using Quorate.Protocol;

namespace Quorate.Cli.Load;

/// <summary>
/// One client of a load: a connection, over which it sends a pipeline of requests and waits for their answers, and
/// again. When its node goes it counts what was under way as unknown and goes on at the next node.
/// </summary>
internal sealed class LoadClient : IDisposable
{
    /// <summary>What an answer may take, in bytes; a longer one is no answer to what this client asks.</summary>
    private const int ReplyBytesMax = 64 * 1024 * 1024 + 64;

    private readonly LoadSettings _settings;
    private readonly LoadRun _run;
    private readonly KeyChoice _choice;
    private readonly SeededRandom _random;
    private readonly int _id;
    private readonly int _shares;
    private readonly Request[] _requests;
    private readonly CommandBuffer _output;
    private byte[] _input = new byte[64 * 1024];
    private Socket? _socket;
    private int _host;
    private bool _wasConnected;
    private bool _nodeStops;
    private readonly Stopwatch _pace = new();
    private long _sent;

    public LoadClient(LoadSettings settings, LoadRun run, KeyChoice choice, int id)
    {
        _settings = settings;
        _run = run;
        _choice = choice;
        _id = id;
        _random = new SeededRandom(settings.Seed + (ulong)id);
        _shares = settings.Mix.Sum(part => part.Share);
        _requests = new Request[settings.Pipeline];
        _host = id % settings.Hosts.Count;
        _output = new CommandBuffer(settings.ValueBytes, _random);
    }

    public LatencyQuantiles Latencies { get; } = new();

    public async Task Run(CancellationToken stop)
    {
        // Off the caller's stack: the rest of the loop runs where the sockets' completions do.
        await Task.Yield();
        _pace.Start();
        while (!stop.IsCancellationRequested && _run.WantsMore)
        {
            if (_socket is null && !await Connect(stop).ConfigureAwait(false))
            {
                continue;
            }

            await KeepPace(stop).ConfigureAwait(false);
            Draw();
            bool isWhole = await Exchange().ConfigureAwait(false);
            if (!isWhole || _nodeStops)
            {
                Drop();
            }
        }
    }

    public void Dispose() => _socket?.Dispose();

    private async Task<bool> Connect(CancellationToken stop)
    {
        IPEndPoint host = _settings.Hosts[_host];
        var socket = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(_settings.Timeout);
            await socket.ConnectAsync(host, limit.Token).ConfigureAwait(false);
            _socket = socket;
            if (_wasConnected)
            {
                _run.CountReconnect();
            }

            _wasConnected = true;
            if (await Greet(limit.Token).ConfigureAwait(false))
            {
                return true;
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            _run.SawNoNode(error.Message);
            socket.Dispose();
        }

        Drop();
        await Pause(_settings.Backoff, stop).ConfigureAwait(false);
        return false;
    }

    /// <summary>Sends what comes once on each connection; false when the node refuses it.</summary>
    private async Task<bool> Greet(CancellationToken stop)
    {
        List<string[]> lines = [];
        if (_settings.Keyspace is { } keyspace)
        {
            lines.Add(["KEYSPACE", "USE", keyspace]);
        }

        lines.AddRange(_settings.Prelude.Select(line => line.Split(' ')));
        foreach (string[] line in lines)
        {
            _output.Clear();
            _output.Add([.. line.Select(Encoding.UTF8.GetBytes)]);

            await Send(stop).ConfigureAwait(false);
            (ReplyKind kind, string text) = await ReceiveOne(stop).ConfigureAwait(false);
            if (kind is ReplyKind.Error or ReplyKind.Broken or ReplyKind.Incomplete)
            {
                _run.Fail($"'{string.Join(' ', line)}' was answered with '{text}'.");
                return false;
            }
        }

        return true;
    }

    private async Task KeepPace(CancellationToken stop)
    {
        if (_settings.RatePerClient > 0)
        {
            var due = TimeSpan.FromSeconds(_sent / (double)_settings.RatePerClient);
            TimeSpan wait = due - _pace.Elapsed;
            if (wait > TimeSpan.Zero)
            {
                await Pause(wait, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Draws a pipeline of requests and writes them down for sending.</summary>
    private void Draw()
    {
        _output.Clear();
        for (int i = 0; i < _requests.Length; i++)
        {
            ref Request request = ref _requests[i];
            request = new Request
            {
                Verb = DrawVerb(),
                Key = $"{_settings.KeyPrefix}{_choice.Next(_random).ToString(CultureInfo.InvariantCulture)}",
            };
            byte[] key = Encoding.UTF8.GetBytes(request.Key);
            switch (request.Verb)
            {
                case LoadVerb.Get:
                    _output.Add("GET"u8, key);
                    break;
                case LoadVerb.Increment:
                    _output.Add("INCR"u8, key);
                    break;
                case LoadVerb.Delete:
                    _output.Add("DEL"u8, key);
                    break;
                default:
                    request.Value = _run.NextValue();
                    _output.AddSet(key, request.Value);
                    break;
            }
        }
    }

    private LoadVerb DrawVerb()
    {
        long draw = _random.Next(_shares);
        foreach ((LoadVerb verb, int share) in _settings.Mix)
        {
            draw -= share;
            if (draw < 0)
            {
                return verb;
            }
        }

        return _settings.Mix[^1].Verb;
    }

    /// <summary>
    /// False when the connection is lost: what was not answered is unknown. What is under way when the run ends is
    /// waited for.
    /// </summary>
    private async Task<bool> Exchange()
    {
        int answered = 0;
        long start = LoadRun.Microseconds;
        string loss = "the node closed the connection";
        try
        {
            using var limit = new Deadline(_settings.Timeout);
            await Send(limit.Token).ConfigureAwait(false);
            _sent += _requests.Length;
            int filled = 0;
            while (answered < _requests.Length)
            {
                int read = await _socket!.ReceiveAsync(_input.AsMemory(filled), SocketFlags.None, limit.Token)
                    .ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                filled += read;
                answered = Take(ref filled, answered, start);
                if (filled == _input.Length && !Grow())
                {
                    break;
                }
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            loss = error is SocketException ? error.Message : "no answer in time";
        }

        for (int i = answered; i < _requests.Length; i++)
        {
            Note(_requests[i], start, ReplyKind.Broken, null, loss);
        }

        return answered == _requests.Length;
    }

    /// <summary>Takes the whole answers out of what was received; how many requests are answered.</summary>
    private int Take(ref int filled, int answered, long start)
    {
        int at = 0;
        while (answered < _requests.Length)
        {
            ReplyKind kind = ReplyParser.Read(
                _input.AsSpan(at, filled - at), out int length, out ReadOnlySpan<byte> content);
            if (kind == ReplyKind.Incomplete)
            {
                break;
            }

            if (kind == ReplyKind.Broken)
            {
                _run.Fail("A node has sent what is no reply.");
                break;
            }

            string? error = kind == ReplyKind.Error ? Encoding.UTF8.GetString(content) : null;
            long? value = Utf8Parser.TryParse(content, out long number, out _) ? number : null;
            Note(_requests[answered], start, kind, value, error);
            answered++;
            at += length;
        }

        _input.AsSpan(at, filled - at).CopyTo(_input);
        filled -= at;
        return answered;
    }

    private void Note(in Request request, long start, ReplyKind kind, long? value, string? error)
    {
        long end = LoadRun.Microseconds;
        bool isUnknown = kind == ReplyKind.Broken
            || (error is not null && error.StartsWith("UNKNOWN", StringComparison.Ordinal));
        bool isWrite = request.Verb != LoadVerb.Get;
        if (error is null)
        {
            if (_run.IsMeasured)
            {
                Latencies.Add(end - start);
            }

            _run.CountDone(isWrite, end);
        }
        else
        {
            // What is sent on this connection from now on would be lost with it.
            _nodeStops |= error.StartsWith(ErrorCodes.RefusedByStop, StringComparison.Ordinal);
            _run.CountFailed(isUnknown, error);
        }

        if (_run.History is null)
        {
            return;
        }

        string outcome = (error, isUnknown) switch
        {
            (null, _) => "done",
            (_, true) => "unknown",
            _ => "refused",
        };
        string verb = request.Verb switch
        {
            LoadVerb.Get => "get",
            LoadVerb.Set => "set",
            LoadVerb.Increment => "incr",
            _ => "del",
        };
        long? shown = request.Verb == LoadVerb.Set ? request.Value : value;
        _run.Record(new HistoryLine(
            _id, request.Key, verb, shown, start, outcome == "unknown" ? null : end, outcome, error));
    }

    private bool Grow()
    {
        if (_input.Length >= ReplyBytesMax)
        {
            return false;
        }

        Array.Resize(ref _input, Math.Min(_input.Length * 2, ReplyBytesMax));
        return true;
    }

    private void Drop()
    {
        _nodeStops = false;
        _socket?.Dispose();
        _socket = null;
        _host = (_host + 1) % _settings.Hosts.Count;
    }

    private async Task Send(CancellationToken stop)
    {
        ReadOnlyMemory<byte> rest = _output.Bytes;
        while (rest.Length > 0)
        {
            rest = rest[await _socket!.SendAsync(rest, SocketFlags.None, stop).ConfigureAwait(false)..];
        }
    }

    private async Task<(ReplyKind Kind, string Text)> ReceiveOne(CancellationToken stop)
    {
        int filled = 0;
        while (filled < _input.Length)
        {
            int read = await _socket!.ReceiveAsync(_input.AsMemory(filled), SocketFlags.None, stop)
                .ConfigureAwait(false);
            filled += read;
            ReplyKind kind = ReplyParser.Read(_input.AsSpan(0, filled), out _, out ReadOnlySpan<byte> content);
            if (kind != ReplyKind.Incomplete || read == 0)
            {
                return (kind, Encoding.UTF8.GetString(content));
            }
        }

        return (ReplyKind.Broken, "");
    }

    private static async Task Pause(TimeSpan time, CancellationToken stop)
    {
        try
        {
            await Task.Delay(time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The run is over; the caller looks.
        }
    }

    private struct Request
    {
        public LoadVerb Verb;
        public string Key;
        public long Value;
    }
}
